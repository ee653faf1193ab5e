//! PUBLISH (MQTT 5.0, 3.3).

use std::num::NonZeroU16;
use std::sync::Arc;

use crate::broker::codec::error::DecodeError;
use crate::broker::packet::{Packet, Properties, Publish, Version};
use crate::broker::reason::Reason;
use crate::model::{Qos, Topic, TopicError};

use super::Body;
use super::property::PropertyReader;

pub(in crate::broker::codec) fn read(flags: u8, body: &mut Body<'_>, version: Version) -> Result<Packet, DecodeError> {
    read_from(Sender::Client, flags, body, version)
}

/// Who sent a message: only a server says for which subscriptions it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker::codec) enum Sender {
    Client,
    Server,
}

pub(in crate::broker::codec) fn read_from(
    sender: Sender,
    flags: u8,
    body: &mut Body<'_>,
    version: Version,
) -> Result<Packet, DecodeError> {
    let qos = qos(flags >> 1 & 0b11).ok_or(DecodeError::malformed("a PUBLISH with QoS 3"))?;
    let name = body.text()?;
    let id = match qos {
        Qos::AtMostOnce => None,
        Qos::AtLeastOnce | Qos::ExactlyOnce => Some(body.packet_id()?),
    };
    let mut publish = Publish {
        dup: flags & 0b1000 != 0,
        qos,
        retain: flags & 1 != 0,
        topic: None,
        id,
        alias: None,
        expiry: None,
        subscription_ids: Vec::new(),
        properties: None,
        payload: bytes::Bytes::new(),
    };
    if version == Version::V5 {
        read_properties(sender, body, &mut publish)?;
    }
    // An alias speaks for a topic that isn't there.
    if !name.is_empty() || publish.alias.is_none() {
        publish.topic = Some(topic(name)?);
    }
    publish.payload = body.payload();
    Ok(Packet::Publish(publish))
}

fn read_properties(sender: Sender, body: &mut Body<'_>, publish: &mut Publish) -> Result<(), DecodeError> {
    let mut reader = match sender {
        Sender::Client => PropertyReader::new(body)?,
        Sender::Server => PropertyReader::of_server(body)?,
    };
    let mut properties = Properties::default();
    while let Some(id) = reader.next()? {
        match id {
            0x02 => publish.expiry = Some(reader.four_bytes()?),
            0x0b if sender == Sender::Server => publish.subscription_ids.push(reader.variable_above_zero()?),
            0x0b => return Err(DecodeError::protocol("a client's PUBLISH has a subscription identifier")),
            0x23 => {
                let alias = NonZeroU16::new(reader.two_bytes()?);
                let error = DecodeError::of(Reason::TopicAliasInvalid, "a topic alias is 0");
                publish.alias = Some(alias.ok_or(error)?);
            }
            other => reader.message(other, &mut properties)?,
        }
    }
    if properties != Properties::default() {
        publish.properties = Some(Arc::new(properties));
    }
    Ok(())
}

/// Returns a topic that may be published to.
pub(in crate::broker::codec) fn topic(name: &str) -> Result<Topic, DecodeError> {
    Topic::parse(name).map_err(|error| match error {
        TopicError::Empty => DecodeError::protocol("a PUBLISH has neither a topic nor an alias"),
        TopicError::Wildcard => DecodeError::of(Reason::TopicNameInvalid, "a topic contains a wildcard"),
        TopicError::TooDeep => DecodeError::of(Reason::TopicNameInvalid, "a topic has too many levels"),
        TopicError::TooLong => DecodeError::of(Reason::TopicNameInvalid, "a topic is too long"),
        TopicError::Control => DecodeError::malformed("a topic contains a control character"),
    })
}

pub(in crate::broker::codec) fn qos(bits: u8) -> Option<Qos> {
    match bits {
        0 => Some(Qos::AtMostOnce),
        1 => Some(Qos::AtLeastOnce),
        2 => Some(Qos::ExactlyOnce),
        _ => None,
    }
}
