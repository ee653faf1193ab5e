//! What the link tells the shell: what happened, and what must be done about it.

use std::fmt;
use std::sync::Arc;

use crate::broker::packet::{Properties, Version};
use crate::broker::reason::Reason;
use crate::model::{Message, Topic};

use super::failure::Failure;

/// Something that happened. The shell handles one before it asks for the next.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// Open a connection, and answer with [`super::Link::opened`] or [`super::Link::failed`].
    Open,
    /// Write what is left, then close the connection.
    Close,
    /// A message came.
    Heard(Heard),
    /// Keep this for a restart; `None`: forget it. Folding all of them gives what [`super::Link::new`] takes.
    Keep {
        /// What it is; begins with `link/`.
        key: Arc<str>,
        /// Its value.
        value: Option<Vec<u8>>,
    },
    /// The broker let us in.
    Connected(Connected),
    /// What we asked for at the connect is answered, and what is retained has come.
    Settled,
    /// There is no connection, or no longer.
    Disconnected(Disconnected),
    /// Something that a person should know.
    Told(Notice),
}

/// A message that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The message. Its origin tells what is retained from what is live.
    pub message: Message,
    /// Its properties; `None`: it has none.
    pub properties: Option<Arc<Properties>>,
    /// How long it is of use, in seconds; `None`: for ever.
    pub expiry: Option<u32>,
}

/// A broker that let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// What it speaks.
    pub version: Version,
    /// Whether it knew our session.
    pub session_present: bool,
}

/// A connection that failed or ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Disconnected {
    /// Why.
    pub why: Failure,
    /// Whether the broker had let us in.
    pub was_up: bool,
    /// Why, and what to do about it, in one line.
    pub words: String,
    /// Whether it is the same as at the last try.
    pub is_known: bool,
    /// In how many milliseconds the next try is.
    pub next_try: u64,
}

/// Something that the broker can't do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// It speaks 3.1.1 only.
    Version5,
    /// It has no retained messages.
    Retained,
    /// It has no filters with wildcards.
    Wildcards,
    /// It takes no `QoS` 2, or none but 0.
    Qos(u8),
    /// It takes only packets up to this size, in bytes.
    Packets(u32),
    /// It doesn't keep our session while we are away.
    Sessions,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lack::Version5 => f.write_str(
                "no MQTT 5.0: our own messages that come back are recognized by topic and payload, within 10 s",
            ),
            Lack::Retained => {
                f.write_str("no retained messages: after a start, states are unknown until devices speak")
            }
            Lack::Wildcards => f.write_str("no wildcards in filters: rules with `+` or `#` hear nothing"),
            Lack::Qos(most) => write!(f, "no QoS above {most}: messages may get lost"),
            Lack::Packets(most) => write!(f, "no packets above {most} bytes: larger messages aren't sent"),
            Lack::Sessions => f.write_str("no sessions: what is published while homerule is away doesn't reach it"),
        }
    }
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The outbox is full, and its oldest message was dropped: the one on this topic.
    OutboxFull(Topic),
    /// The broker didn't take a message on this topic.
    PublishRefused(Topic, Reason),
    /// A message on this topic is larger than the broker takes.
    TooLarge(Topic),
    /// The broker doesn't give us the messages of this filter.
    SubscriptionRefused(Arc<str>, Reason),
    /// The broker doesn't speak 5.0; we go on with 3.1.1.
    OldVersion,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::OutboxFull(topic) => write!(
                f,
                "The outbox is full, so the oldest message, on `{topic}`, is dropped; `broker.outbox.messages` sets how many may wait."
            ),
            Notice::PublishRefused(topic, reason) => write!(
                f,
                "The broker refuses what is published to `{topic}` ({}): grant this user that topic in the broker's ACL.",
                reason_words(*reason)
            ),
            Notice::TooLarge(topic) => {
                write!(f, "A message on `{topic}` is larger than the broker takes, and isn't sent.")
            }
            Notice::SubscriptionRefused(filter, reason) => write!(
                f,
                "The broker refuses our subscription to `{filter}` ({}): grant this user that filter in the broker's ACL.",
                reason_words(*reason)
            ),
            Notice::OldVersion => f.write_str("The broker doesn't speak MQTT 5.0: 3.1.1 is used."),
        }
    }
}

/// Returns a reason as people say it.
pub(super) fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::NotAuthorized => "not authorized",
        Reason::TopicNameInvalid | Reason::TopicFilterInvalid => "invalid topic",
        Reason::QuotaExceeded => "a quota is exceeded",
        Reason::PacketTooLarge => "too large",
        Reason::WildcardSubscriptionsNotSupported => "it has no wildcards",
        Reason::RetainNotSupported => "it has no retained messages",
        Reason::QosNotSupported => "it doesn't have that QoS",
        _ => "it doesn't say why",
    }
}
