//! A message that waits for a session, as it is kept.

use std::sync::Arc;

use bytes::Bytes;
use jiff::SignedDuration;

use crate::broker::packet::{PacketId, SubscriptionId};
use crate::broker::routing::{Entry, Posted};
use crate::broker::session::Phase;
use crate::model::{Qos, Topic};

use super::bytes::{Reader, Writer};

/// A message that waits, and the text of the shared subscription by which it came.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::broker) struct KeptMessage {
    pub(in crate::broker) entry: Entry,
    pub(in crate::broker) group: Option<Arc<str>>,
    /// What it was sent with; `None`: it wasn't when it was kept.
    pub(in crate::broker) id: Option<PacketId>,
}

impl KeptMessage {
    /// Returns the value to be kept. `skew`: how far the clock is ahead of the times in it.
    pub(in crate::broker) fn write(
        entry: &Entry,
        group: Option<&str>,
        id: Option<PacketId>,
        skew: SignedDuration,
    ) -> Vec<u8> {
        let Entry { posted, copy, is_replay, .. } = entry;
        let mut writer = Writer::new();
        writer.byte(u8::from(copy.qos) | u8::from(copy.retain) << 2 | u8::from(*is_replay) << 3);
        writer.text(posted.topic.as_str());
        writer.bytes(&posted.payload);
        writer.option(posted.expires_at, |writer, at| writer.time(at.checked_add(skew).unwrap_or(at)));
        writer.properties(posted.properties.as_deref());
        writer.byte(u8::try_from(copy.ids.len()).unwrap_or(u8::MAX));
        for id in copy.ids.iter().take(usize::from(u8::MAX)) {
            writer.number(id.get());
        }
        writer.option(group, Writer::text);
        writer.option(id, |writer, id| writer.short(id.get()));
        writer.finish()
    }

    /// Returns the message that a value holds; `None`: it can't be read.
    pub(in crate::broker) fn read(sequence: u64, value: &[u8]) -> Option<KeptMessage> {
        let mut reader = Reader::new(value)?;
        let flags = reader.byte()?;
        let qos = Qos::try_from(flags & 3).ok()?;
        let (retain, is_replay) = (flags & 4 != 0, flags & 8 != 0);
        let topic = Topic::from_shared(reader.text()?).ok()?;
        let payload = Bytes::copy_from_slice(reader.bytes()?);
        let expires_at = reader.option(Reader::time)?;
        let properties = reader.properties()?;
        let mut ids = Vec::new();
        for _ in 0..reader.byte()? {
            ids.push(SubscriptionId::new(reader.number()?)?);
        }
        let group = reader.option(Reader::text)?;
        let id = reader.option(|reader| PacketId::new(reader.short()?))?;
        let posted = Posted { topic, payload, qos, retain, expires_at, properties, rule: None };
        let copy = crate::broker::routing::Copy { qos, retain, ids, group: None };
        let entry = Entry { sequence, posted: Arc::new(posted), copy, is_replay };
        reader.finish(KeptMessage { entry, group, id })
    }
}

/// How far a message is that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker) struct KeptFlight {
    pub(in crate::broker) id: PacketId,
    pub(in crate::broker) phase: Phase,
}

impl KeptFlight {
    pub(in crate::broker) fn write(self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.short(self.id.get());
        writer.flag(self.phase == Phase::Released);
        writer.finish()
    }

    pub(in crate::broker) fn read(value: &[u8]) -> Option<KeptFlight> {
        let mut reader = Reader::new(value)?;
        let id = PacketId::new(reader.short()?)?;
        let phase = if reader.flag()? { Phase::Released } else { Phase::Sent };
        reader.finish(KeptFlight { id, phase })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::broker::packet::Properties;
    use crate::broker::routing::Copy;

    #[test]
    fn a_message_is_read_back_and_what_is_cut_is_not() {
        let properties = Properties {
            is_text: Some(true),
            content_type: Some("text/plain".into()),
            response_topic: None,
            correlation_data: Some(Bytes::from_static(b"\0\xff")),
            user_properties: vec![("a".into(), "b".into()), ("a".into(), "c".into())],
        };
        let posted = Posted {
            topic: Topic::parse("a/b").unwrap(),
            payload: Bytes::from_static(b"ON"),
            qos: Qos::ExactlyOnce,
            retain: true,
            expires_at: Some(Timestamp::from_second(7).unwrap()),
            properties: Some(Arc::new(properties)),
            rule: None,
        };
        let copy = Copy { qos: Qos::ExactlyOnce, retain: true, ids: vec![SubscriptionId::MAX], group: None };
        let entry = Entry { sequence: 5, posted: Arc::new(posted), copy, is_replay: true };
        let value = KeptMessage::write(&entry, Some("$share/g/a"), Some(PacketId::FIRST), SignedDuration::ZERO);
        let expected = KeptMessage { entry, group: Some("$share/g/a".into()), id: Some(PacketId::FIRST) };
        assert_eq!(KeptMessage::read(5, &value), Some(expected));
        for length in 0..value.len() {
            assert_eq!(KeptMessage::read(5, &value[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_flight_is_read_back() {
        for phase in [Phase::Sent, Phase::Released] {
            let flight = KeptFlight { id: PacketId::new(513).unwrap(), phase };
            assert_eq!(KeptFlight::read(&flight.write()), Some(flight));
        }
        assert_eq!(KeptFlight::read(&[1, 0, 0, 0]), None, "0 isn't an identifier");
    }
}
