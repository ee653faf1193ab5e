//! Control packets, as all versions of MQTT have them: one type for 3.1, 3.1.1 and 5.0.
//!
//! What only MQTT 5.0 has is absent, or has the meaning that the older versions give it. What a packet says about itself
//! has been checked by the codec: topics have no wildcards, filters are well formed, packet identifiers aren't 0.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Qos, Topic};

use super::filter::Filter;
use super::reason::Reason;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// MQTT 3.1 (`MQIsdp`, level 3).
    V31,
    /// MQTT 3.1.1 (level 4).
    V311,
    /// MQTT 5.0 (level 5).
    V5,
}

impl Version {
    /// Returns the version as people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Version::V31 => "3.1",
            Version::V311 => "3.1.1",
            Version::V5 => "5.0",
        }
    }
}

/// The number that ties an acknowledgement to its packet (MQTT 5.0, 2.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(pub NonZeroU16);

impl PacketId {
    /// The first one.
    pub const FIRST: PacketId = PacketId(NonZeroU16::MIN);

    /// Returns the number as an identifier; `None` for 0.
    #[must_use]
    pub fn new(number: u16) -> Option<PacketId> {
        NonZeroU16::new(number).map(PacketId)
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0.get()
    }

    /// Returns the one after it; after the last comes the first.
    #[must_use]
    pub fn next(self) -> PacketId {
        self.0.checked_add(1).map_or(PacketId::FIRST, PacketId)
    }
}

/// A control packet.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// A client asks to be let in.
    Connect(Box<Connect>),
    /// The answer to it.
    ConnAck(Box<ConnAck>),
    /// A message.
    Publish(Publish),
    /// Acknowledges a message with `QoS` 1.
    PubAck(Ack),
    /// Acknowledges a message with `QoS` 2, first step.
    PubRec(Ack),
    /// Releases a message with `QoS` 2, second step.
    PubRel(Ack),
    /// Ends the delivery of a message with `QoS` 2, third step.
    PubComp(Ack),
    /// Asks for messages.
    Subscribe(Subscribe),
    /// The answer to it.
    SubAck(SubAck),
    /// Asks for no more messages.
    Unsubscribe(Unsubscribe),
    /// The answer to it.
    UnsubAck(SubAck),
    /// Asks whether we are there.
    PingReq,
    /// The answer to it.
    PingResp,
    /// Says good-bye.
    Disconnect(Disconnect),
    /// Goes on with an authentication (MQTT 5.0 only).
    Auth(Auth),
}

/// A request to be let in.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "these are the packet's flags")]
pub struct Connect {
    /// The version that the client speaks.
    pub version: Version,
    /// Whether the client is another broker's bridge: it set the high bit of the protocol level (0x83, 0x84), which is
    /// no part of the standard.
    pub is_bridge: bool,
    /// The client's identifier; empty: it asks for one.
    pub client_id: Arc<str>,
    /// Whether an earlier session of the client is forgotten. In 3.1 and 3.1.1 ("clean session") the new one also ends
    /// with the connection.
    pub clean_start: bool,
    /// The longest silence in seconds; 0: any.
    pub keep_alive: u16,
    /// What is published when the client goes without a word.
    pub will: Option<Will>,
    /// The user's name.
    pub user: Option<Arc<str>>,
    /// The password.
    pub password: Option<Bytes>,
    /// How long the session outlives the connection in seconds; absent: not at all. `u32::MAX`: for ever. Always absent
    /// before MQTT 5.0.
    pub session_expiry: Option<u32>,
    /// How many messages with `QoS` 1 and 2 the client takes at a time; absent: 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The largest packet that the client takes, in bytes; absent: any.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; 0: none.
    pub topic_alias_maximum: u16,
    /// Whether the client wants to be told where answers to its requests may go.
    pub request_response_information: bool,
    /// Whether the client wants reason strings. True unless it said otherwise.
    pub request_problem_information: bool,
    /// How the client wants to authenticate itself besides, which we don't offer.
    pub authentication_method: Option<Arc<str>>,
}

/// What is published when a client goes without a word (MQTT 5.0, 3.1.2.5).
#[derive(Debug, Clone, PartialEq)]
pub struct Will {
    /// Where to.
    pub topic: Topic,
    /// What.
    pub payload: Bytes,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether it is kept as the topic's retained message.
    pub retain: bool,
    /// How long it waits after the connection ended, in seconds.
    pub delay: u32,
    /// How long it is of use, in seconds; absent: for ever.
    pub expiry: Option<u32>,
    /// Its other properties; absent: it has none.
    pub properties: Option<Arc<Properties>>,
}

/// The answer to a [`Connect`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConnAck {
    /// Whether we knew the client's session.
    pub session_present: bool,
    /// Whether the client is let in. The codec writes the code that the client's version has for it.
    pub reason: Reason,
    /// The rest, for MQTT 5.0 only. Absent properties have the standard's default.
    pub properties: ConnAckProperties,
}

/// What MQTT 5.0 says to a client that is let in (3.2.2.3). Subscription identifiers, wildcards, shared subscriptions,
/// retained messages and `QoS` 2 are the default, and need no word.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnAckProperties {
    /// How long the session outlives the connection in seconds, where that isn't what the client asked for.
    pub session_expiry: Option<u32>,
    /// How many messages with `QoS` 1 and 2 we take at a time.
    pub receive_maximum: Option<NonZeroU16>,
    /// The largest packet that we take, in bytes.
    pub maximum_packet_size: Option<NonZeroU32>,
    /// The identifier that a client got that had none.
    pub assigned_client_id: Option<Arc<str>>,
    /// The highest topic alias that we take; 0: none.
    pub topic_alias_maximum: u16,
    /// The longest silence in seconds that we accept, where that isn't what the client asked for.
    pub server_keep_alive: Option<u16>,
    /// What is wrong, in words.
    pub reason_string: Option<Arc<str>>,
}

/// A message on its way to us or to a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Publish {
    /// Whether it may have been sent before.
    pub dup: bool,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether it is to be kept as the topic's retained message or, towards a client, whether it was.
    pub retain: bool,
    /// Where to; absent: where `alias` says.
    pub topic: Option<Topic>,
    /// Absent with `QoS` 0, and only there.
    pub id: Option<PacketId>,
    /// A number for the topic; together with a topic it gives the number its meaning.
    pub alias: Option<NonZeroU16>,
    /// How long it is of use, in seconds; absent: for ever.
    pub expiry: Option<u32>,
    /// Which subscriptions it is for; only towards clients.
    pub subscription_ids: Vec<SubscriptionId>,
    /// Its other properties; absent: it has none.
    pub properties: Option<Arc<Properties>>,
    /// What it carries.
    pub payload: Bytes,
}

/// What a client calls a subscription: 1 to 268,435,455.
pub type SubscriptionId = NonZeroU32;

/// The properties of a message that go on to its receivers as they came (MQTT 5.0, 3.3.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Properties {
    /// Whether the payload is said to be text; absent: nothing was said.
    pub is_text: Option<bool>,
    /// What the payload is.
    pub content_type: Option<Arc<str>>,
    /// Where an answer is awaited.
    pub response_topic: Option<Arc<str>>,
    /// What ties the answer to the question.
    pub correlation_data: Option<Bytes>,
    /// Anything else, in order; a name may come several times.
    pub user_properties: Vec<(Arc<str>, Arc<str>)>,
}

/// An acknowledgement: PUBACK, PUBREC, PUBREL or PUBCOMP.
#[derive(Debug, Clone, PartialEq)]
pub struct Ack {
    /// Of which packet.
    pub id: PacketId,
    /// How it went. [`Reason::Success`] before MQTT 5.0.
    pub reason: Reason,
    /// What is wrong, in words; MQTT 5.0 only.
    pub reason_string: Option<Arc<str>>,
}

impl Ack {
    /// Returns the acknowledgement that all went well.
    #[must_use]
    pub fn success(id: PacketId) -> Ack {
        Ack::new(id, Reason::Success)
    }

    /// Returns an acknowledgement without words.
    #[must_use]
    pub fn new(id: PacketId, reason: Reason) -> Ack {
        Ack { id, reason, reason_string: None }
    }
}

/// A request for messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribe {
    /// What ties the answer to it.
    pub id: PacketId,
    /// What the client calls these subscriptions; MQTT 5.0 only.
    pub subscription_id: Option<SubscriptionId>,
    /// What is asked for; at least one.
    pub requests: Vec<SubscribeRequest>,
}

/// What is asked for with one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeRequest {
    /// Which topics.
    pub filter: Filter,
    /// How it is served.
    pub options: SubscribeOptions,
}

/// How a subscription is served (MQTT 5.0, 3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The highest `QoS`.
    pub qos: Qos,
    /// Whether the client's own messages don't come back; never with a shared subscription.
    pub no_local: bool,
    /// Whether messages keep the flag that they should be retained.
    pub retain_as_published: bool,
    /// When what is retained comes.
    pub retain_handling: RetainHandling,
}

impl SubscribeOptions {
    /// Returns what a filter with nothing but a `QoS` means, as before MQTT 5.0.
    #[must_use]
    pub fn plain(qos: Qos) -> SubscribeOptions {
        SubscribeOptions { qos, no_local: false, retain_as_published: false, retain_handling: RetainHandling::Send }
    }
}

/// When a subscriber gets what is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetainHandling {
    /// With each subscription.
    #[default]
    Send,
    /// Only if the subscription is new.
    SendIfNew,
    /// Never.
    Skip,
}

/// The answer to a [`Subscribe`] or an [`Unsubscribe`].
#[derive(Debug, Clone, PartialEq)]
pub struct SubAck {
    /// Of which packet.
    pub id: PacketId,
    /// How it went with each filter, in order. An UNSUBACK has none before MQTT 5.0.
    pub reasons: Vec<Reason>,
}

/// A request for no more messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsubscribe {
    /// What ties the answer to it.
    pub id: PacketId,
    /// What was asked for; at least one.
    pub filters: Vec<Filter>,
}

/// The last word of a connection; from us in MQTT 5.0 only.
#[derive(Debug, Clone, PartialEq)]
pub struct Disconnect {
    /// Why.
    pub reason: Reason,
    /// How long the session outlives the connection after all, in seconds; only from clients.
    pub session_expiry: Option<u32>,
    /// Why, in words; only from us.
    pub reason_string: Option<Arc<str>>,
}

/// A step of an authentication, which we don't offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Auth {
    /// Which step.
    pub reason: Reason,
}
