//! What must survive a restart, as the store keeps it: one entry for each session, subscription, waiting message, identifier
//! and retained message. Each value begins with the version of its form.

mod bytes;
mod message;
mod retained;
mod session;

use std::sync::Arc;

use super::packet::PacketId;

pub(super) use message::{KeptFlight, KeptMessage};
pub(super) use retained::KeptRetained;
pub(super) use session::{KeptSession, KeptSubscription};

/// How the keys of all entries begin.
pub const PREFIX: &str = "mqtt/";

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The session of this number.
    Session(u64),
    /// A subscription of it, by its filter.
    Subscription(u64, Arc<str>),
    /// A message that waits for it, by its place.
    Message(u64, u64),
    /// How far that message is.
    Flight(u64, u64),
    /// An identifier that its client uses.
    Incoming(u64, PacketId),
    /// What is retained on a topic.
    Retained(Arc<str>),
}

impl Key {
    /// Returns the key's text.
    pub(super) fn text(&self) -> Arc<str> {
        match self {
            Key::Session(number) => format!("mqtt/session/{number:016x}"),
            Key::Subscription(number, filter) => format!("mqtt/subscription/{number:016x}/{filter}"),
            Key::Message(number, sequence) => format!("mqtt/message/{number:016x}/{sequence:016x}"),
            Key::Flight(number, sequence) => format!("mqtt/flight/{number:016x}/{sequence:016x}"),
            Key::Incoming(number, id) => format!("mqtt/incoming/{number:016x}/{:04x}", id.get()),
            Key::Retained(topic) => format!("mqtt/retained/{topic}"),
        }
        .into()
    }

    /// Returns the number of the session that it belongs to.
    pub(super) fn session(&self) -> Option<u64> {
        match self {
            Key::Session(number)
            | Key::Subscription(number, _)
            | Key::Message(number, _)
            | Key::Flight(number, _)
            | Key::Incoming(number, _) => Some(*number),
            Key::Retained(_) => None,
        }
    }

    /// Returns the key that a text is; `None`: it isn't one of ours.
    pub(super) fn parse(text: &str) -> Option<Key> {
        let (kind, rest) = text.strip_prefix(PREFIX)?.split_once('/')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        if kind == "retained" {
            return Some(Key::Retained(rest.into()));
        }
        let (session, rest) = rest.split_once('/').map_or((rest, None), |(session, rest)| (session, Some(rest)));
        let session = number(session)?;
        match (kind, rest) {
            ("session", None) => Some(Key::Session(session)),
            ("subscription", Some(filter)) => Some(Key::Subscription(session, filter.into())),
            ("message", Some(sequence)) => Some(Key::Message(session, number(sequence)?)),
            ("flight", Some(sequence)) => Some(Key::Flight(session, number(sequence)?)),
            ("incoming", Some(id)) => {
                PacketId::new(u16::from_str_radix(id, 16).ok()?).map(|id| Key::Incoming(session, id))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_read_back() {
        for key in [
            Key::Session(7),
            Key::Subscription(u64::MAX, "a/+/#".into()),
            Key::Message(7, 9),
            Key::Flight(7, 10),
            Key::Incoming(7, PacketId::FIRST),
            Key::Retained("a/b".into()),
        ] {
            assert_eq!(Key::parse(&key.text()), Some(key));
        }
        for text in ["mqtt/session/x", "mqtt/other/1", "topic/a", "mqtt/incoming/1/0000"] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
