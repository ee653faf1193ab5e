//! What `record` hears a broker with: MQTT 5 for a home's own, whose daemon then says which rule published what, and 3.1.1
//! for any other.

use rumqttc::v5::mqttbytes::v5 as packets;
use rumqttc::{AsyncClient, Event, EventLoop, Packet, SubscribeFilter, SubscribeReasonCode, v5};

use crate::broker::RULE_PROPERTY;
use crate::cli::Failure;
use crate::cli::link::broker_address::{BrokerAddress, Protocol};
use crate::cli::publish::level;
use crate::cli::subscribe::received;
use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};

/// A client of a broker.
pub(super) enum Link {
    Version3(AsyncClient, Box<EventLoop>),
    Version5(v5::AsyncClient, Box<v5::EventLoop>),
}

/// What a broker says.
pub(super) enum Heard {
    /// It let us in.
    Connected,
    /// It accepts our subscription, but perhaps for one filter.
    Subscribed { refused: Option<usize> },
    /// A message, and the rule that published it where that is told.
    Message(Message, Option<RuleId>),
    /// Nothing that matters here.
    Other,
}

impl Link {
    /// Returns a client of the broker at `address`; it connects when it is first asked for what it hears.
    pub(super) fn new(address: &BrokerAddress) -> Link {
        match address.protocol() {
            Protocol::Version5 => {
                let (client, events) = address.client_of_version_5("record");
                Link::Version5(client, Box::new(events))
            }
            Protocol::Version3 => Link::of_version_3(address),
        }
    }

    fn of_version_3(address: &BrokerAddress) -> Link {
        let (client, events) = address.asynchronous_client("record");
        Link::Version3(client, Box::new(events))
    }

    /// Asks for messages of these topics.
    ///
    /// # Errors
    /// When so many filters can't be sent.
    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), Failure> {
        match self {
            Link::Version3(client, _) => {
                let wanted = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), level(2)));
                client.try_subscribe_many(wanted).map_err(|error| Failure::new(error.to_string()))
            }
            Link::Version5(client, _) => {
                let level = v5::mqttbytes::QoS::ExactlyOnce;
                let wanted = filters.iter().map(|filter| packets::Filter::new(filter.clone(), level));
                client.try_subscribe_many(wanted).map_err(|error| Failure::new(error.to_string()))
            }
        }
    }

    /// Waits for what the broker says next.
    ///
    /// # Errors
    /// When there is no connection, or no longer.
    pub(super) async fn next(&mut self, address: &BrokerAddress) -> Result<Heard, Failure> {
        match self {
            Link::Version3(_, events) => match events.poll().await {
                Ok(event) => Ok(heard(event)),
                Err(error) => Err(address.failure(&error)),
            },
            Link::Version5(_, events) => match events.poll().await {
                Ok(event) => Ok(heard_of_version_5(event)),
                Err(v5::ConnectionError::ConnectionRefused(
                    packets::ConnectReturnCode::RefusedProtocolVersion
                    | packets::ConnectReturnCode::UnsupportedProtocolVersion,
                )) => {
                    // Another broker listens where the home's own would.
                    *self = Link::of_version_3(address);
                    Ok(Heard::Other)
                }
                Err(error) => Err(address.failure_of_version_5(&error)),
            },
        }
    }
}

fn heard(event: Event) -> Heard {
    match event {
        Event::Incoming(Packet::ConnAck(_)) => Heard::Connected,
        Event::Incoming(Packet::SubAck(answer)) => {
            let refused = answer.return_codes.iter().position(|code| *code == SubscribeReasonCode::Failure);
            Heard::Subscribed { refused }
        }
        Event::Incoming(Packet::Publish(publish)) => {
            received(&publish).map_or(Heard::Other, |message| Heard::Message(message, None))
        }
        _ => Heard::Other,
    }
}

fn heard_of_version_5(event: v5::Event) -> Heard {
    match event {
        v5::Event::Incoming(packets::Packet::ConnAck(_)) => Heard::Connected,
        v5::Event::Incoming(packets::Packet::SubAck(answer)) => {
            let is_refused =
                |code: &packets::SubscribeReasonCode| !matches!(code, packets::SubscribeReasonCode::Success(_));
            Heard::Subscribed { refused: answer.return_codes.iter().position(is_refused) }
        }
        v5::Event::Incoming(packets::Packet::Publish(publish)) => {
            received_of_version_5(publish).map_or(Heard::Other, |(message, rule)| Heard::Message(message, rule))
        }
        _ => Heard::Other,
    }
}

/// Returns what a broker sent, and the rule that published it where that is told; `None` if its topic were none.
fn received_of_version_5(publish: packets::Publish) -> Option<(Message, Option<RuleId>)> {
    let topic = Topic::parse(std::str::from_utf8(&publish.topic).ok()?).ok()?;
    let properties = publish.properties.iter().flat_map(|properties| &properties.user_properties);
    let rule =
        properties.filter(|(name, _)| name == RULE_PROPERTY).map(|(_, rule)| RuleId::from_text(rule)).next_back();
    let origin = match (&rule, publish.retain) {
        // What a broker replays is what is known, whoever published it.
        (_, true) => Origin::Retained,
        (Some(_), false) => Origin::Own,
        (None, false) => Origin::Live,
    };
    let qos = Qos::try_from(publish.qos as u8).unwrap_or_default();
    let payload = Payload::from_bytes(publish.payload);
    Some((
        Message { topic, payload, qos, retain: publish.retain, origin, expires_at: None },
        rule.filter(|_| origin == Origin::Own),
    ))
}
