//! A retained message, as it is kept.

use std::sync::Arc;

use bytes::Bytes;
use jiff::SignedDuration;

use crate::broker::routing::{Posted, RetainedMessage};
use crate::model::{Qos, Topic};

use super::bytes::{Reader, Writer};

/// A retained message.
pub(in crate::broker) struct KeptRetained;

impl KeptRetained {
    /// Returns the value to be kept. `skew`: how far the clock is ahead of the times in it.
    pub(in crate::broker) fn write(message: &RetainedMessage, skew: SignedDuration) -> Vec<u8> {
        let Posted { payload, qos, expires_at, properties, .. } = &*message.posted;
        let mut writer = Writer::new();
        writer.byte((*qos).into());
        writer.time(message.at.checked_add(skew).unwrap_or(message.at));
        writer.option(*expires_at, |writer, at| writer.time(at.checked_add(skew).unwrap_or(at)));
        writer.option(message.client.as_deref(), Writer::text);
        writer.bytes(payload);
        writer.properties(properties.as_deref());
        writer.finish()
    }

    /// Returns the message that a value holds; `None`: it can't be read.
    pub(in crate::broker) fn read(topic: &Arc<str>, value: &[u8]) -> Option<RetainedMessage> {
        let topic = Topic::from_shared(Arc::clone(topic)).ok()?;
        let mut reader = Reader::new(value)?;
        let qos = Qos::try_from(reader.byte()?).ok()?;
        let at = reader.time()?;
        let expires_at = reader.option(Reader::time)?;
        let client = reader.option(Reader::text)?;
        let payload = Bytes::copy_from_slice(reader.bytes()?);
        let properties = reader.properties()?;
        let posted = Posted { topic, payload, qos, retain: true, expires_at, properties, rule: None };
        reader.finish(RetainedMessage { posted: Arc::new(posted), at, client })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_retained_message_is_read_back_by_the_clock_of_the_time() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let posted = Posted {
            topic: Topic::parse("a").unwrap(),
            payload: Bytes::from_static(b"x"),
            qos: Qos::AtLeastOnce,
            retain: true,
            expires_at: Some(at(20)),
            properties: None,
            rule: None,
        };
        let message = RetainedMessage { posted: Arc::new(posted), at: at(10), client: Some("c".into()) };
        let value = KeptRetained::write(&message, SignedDuration::from_secs(5));
        let read = KeptRetained::read(&"a".into(), &value).unwrap();
        assert_eq!((read.at, read.posted.expires_at, read.client), (at(15), Some(at(25)), Some("c".into())));
        assert_eq!(read.posted.payload, message.posted.payload);
        assert!(KeptRetained::read(&"a/+".into(), &value).is_none());
    }
}
