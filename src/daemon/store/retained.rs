//! A retained message, as it is kept: its time in microseconds (8 bytes), its `QoS` (one), and its payload.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::{Message, Origin, Payload, Qos, Topic};

/// How the keys of retained messages begin.
pub(super) const RETAINED: &str = "retained/";

/// A message that the broker keeps for those who subscribe later.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::daemon) struct Retained {
    /// Its topic, which the broker took, even where rules wouldn't.
    pub(in crate::daemon) topic: Arc<str>,
    /// What it carries; never empty.
    pub(in crate::daemon) payload: Bytes,
    /// How surely it is delivered.
    pub(in crate::daemon) qos: Qos,
    /// When the broker took it.
    pub(in crate::daemon) at: Timestamp,
}

impl Retained {
    /// Returns the key that its topic has.
    pub(super) fn key(topic: &str) -> Arc<str> {
        format!("{RETAINED}{topic}").into()
    }

    /// Returns it as a row.
    pub(super) fn to_row(&self) -> Vec<u8> {
        let mut row = Vec::with_capacity(9 + self.payload.len());
        row.extend(self.at.as_microsecond().to_le_bytes());
        row.push(self.qos.into());
        row.extend(&self.payload);
        row
    }

    /// Reads a row; `None` where it is none.
    pub(super) fn from_row(topic: &str, row: &[u8]) -> Option<Retained> {
        let (at, rest) = row.split_first_chunk::<8>()?;
        let (qos, payload) = rest.split_first()?;
        Some(Retained {
            topic: topic.into(),
            payload: Bytes::copy_from_slice(payload),
            qos: Qos::try_from(*qos).ok()?,
            at: Timestamp::from_microsecond(i64::from_le_bytes(*at)).ok()?,
        })
    }

    /// Returns it as a message for rules; `None` where its topic is none for them.
    pub(in crate::daemon) fn to_message(&self) -> Option<Message> {
        let topic = Topic::parse(&self.topic).ok()?;
        let payload = Payload::from_bytes(self.payload.clone());
        Some(Message { topic, payload, qos: self.qos, retain: true, origin: Origin::Retained, expires_at: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retained_message_is_read_as_it_was_written_and_a_stump_is_none() {
        let at = Timestamp::from_microsecond(1_700_000_000_000_123).unwrap();
        let payload = Bytes::from_static(b"\xff\0ON");
        let retained = Retained { topic: "home/tv".into(), payload, qos: Qos::AtLeastOnce, at };
        assert_eq!(Retained::from_row("home/tv", &retained.to_row()), Some(retained));
        assert_eq!(Retained::from_row("home/tv", &[0; 8]), None);
        assert_eq!(Retained::from_row("home/tv", &[0, 0, 0, 0, 0, 0, 0, 0, 7, b'x']), None);
    }
}
