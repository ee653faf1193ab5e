//! PUBLISH: most of what leaves. Its length is computed first, so that nothing is moved afterwards.

use crate::broker::packet::{Properties, Publish, Version};

use super::writer::{binary_length, put_binary, put_text, put_variable, variable_length};

/// Returns how many bytes `message` takes for a client of `version`: whether it is one that the client takes (MQTT 5.0,
/// 3.1.2-24).
#[must_use]
pub fn publish_length(message: &Publish, version: Version) -> usize {
    let body = body_length(message, version);
    1 + variable_length(body) + body
}

pub(in crate::broker::codec) fn write(message: &Publish, version: Version, out: &mut Vec<u8>) {
    let body = body_length(message, version);
    out.reserve(5 + body);
    let flags = u8::from(message.dup) << 3 | u8::from(message.qos) << 1 | u8::from(message.retain);
    out.push(0x30 | flags);
    put_variable(out, body);
    put_text(out, message.topic.as_ref().map_or("", |topic| topic.as_str()));
    if let Some(id) = message.id {
        out.extend_from_slice(&id.get().to_be_bytes());
    }
    if version == Version::V5 {
        put_variable(out, properties_length(message));
        put_properties(message, out);
    }
    out.extend_from_slice(&message.payload);
}

fn body_length(message: &Publish, version: Version) -> usize {
    let topic = message.topic.as_ref().map_or(0, |topic| topic.as_str().len());
    let id = if message.id.is_some() { 2 } else { 0 };
    let properties = match version {
        Version::V31 | Version::V311 => 0,
        Version::V5 => {
            let length = properties_length(message);
            variable_length(length) + length
        }
    };
    binary_length(topic) + id + properties + message.payload.len()
}

fn properties_length(message: &Publish) -> usize {
    let expiry = if message.expiry.is_some() { 5 } else { 0 };
    let alias = if message.alias.is_some() { 3 } else { 0 };
    let number = |id: &std::num::NonZeroU32| 1 + variable_length(usize::try_from(id.get()).unwrap_or(usize::MAX));
    let ids: usize = message.subscription_ids.iter().map(number).sum();
    expiry + alias + ids + message.properties.as_ref().map_or(0, |properties| own_length(properties))
}

fn own_length(properties: &Properties) -> usize {
    let text = |length: usize| 1 + binary_length(length);
    let is_text = if properties.is_text.is_some() { 2 } else { 0 };
    let pairs = properties.user_properties.iter().map(|(name, value)| text(name.len()) + binary_length(value.len()));
    is_text
        + properties.content_type.as_ref().map_or(0, |name| text(name.len()))
        + properties.response_topic.as_ref().map_or(0, |topic| text(topic.len()))
        + properties.correlation_data.as_ref().map_or(0, |data| text(data.len()))
        + pairs.sum::<usize>()
}

fn put_properties(message: &Publish, out: &mut Vec<u8>) {
    if let Some(seconds) = message.expiry {
        out.push(0x02);
        out.extend_from_slice(&seconds.to_be_bytes());
    }
    if let Some(alias) = message.alias {
        out.push(0x23);
        out.extend_from_slice(&alias.get().to_be_bytes());
    }
    for id in &message.subscription_ids {
        out.push(0x0b);
        put_variable(out, usize::try_from(id.get()).unwrap_or(usize::MAX));
    }
    let Some(properties) = &message.properties else { return };
    if let Some(is_text) = properties.is_text {
        out.extend_from_slice(&[0x01, is_text.into()]);
    }
    for (id, text) in [(0x03, &properties.content_type), (0x08, &properties.response_topic)] {
        if let Some(text) = text {
            out.push(id);
            put_text(out, text);
        }
    }
    if let Some(data) = &properties.correlation_data {
        out.push(0x09);
        put_binary(out, data);
    }
    for (name, value) in &properties.user_properties {
        out.push(0x26);
        put_text(out, name);
        put_text(out, value);
    }
}
