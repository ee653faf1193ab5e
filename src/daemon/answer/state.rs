//! What is known of a topic, as programs read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Origin, Topic, TopicFilter, TopicState};

/// The state of a topic.
#[derive(Debug, Serialize)]
pub struct StateAnswer {
    /// The topic.
    pub topic: String,
    /// What the payload holds, as JSON.
    pub value: serde_json::Value,
    /// The payload's text; `null` where it is no text.
    pub payload: Option<String>,
    /// The payload in base64 where it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_b64: Option<String>,
    /// When the last message came.
    pub at: Timestamp,
    /// When the payload last changed.
    pub changed_at: Timestamp,
    /// Whether the payload is the topic's retained message.
    pub retained: bool,
    /// Where the last message came from.
    pub origin: Origin,
    /// The device that the topic belongs to.
    pub device: Option<String>,
}

impl StateAnswer {
    /// Returns the state of `topic`; `devices` are the filters whose named wildcards name a device.
    #[must_use]
    pub fn new(topic: &Topic, state: &TopicState, devices: &[TopicFilter]) -> StateAnswer {
        let text = state.payload.text();
        StateAnswer {
            topic: topic.to_string(),
            value: state.payload.value().to_json(),
            payload: text.map(ToOwned::to_owned),
            payload_b64: text.is_none().then(|| STANDARD.encode(state.payload.bytes())),
            at: state.at,
            changed_at: state.changed_at,
            retained: state.retained,
            origin: state.origin,
            device: devices.iter().find_map(|filter| device(filter, topic)),
        }
    }
}

/// Returns the device that `filter` sees in `topic`: what its named wildcards hold, with `/` between.
fn device(filter: &TopicFilter, topic: &Topic) -> Option<String> {
    let captures = filter.captures(topic)?;
    let named: Vec<&str> = filter.named(&captures).map(|(_, text)| text.as_ref()).collect();
    (!named.is_empty()).then(|| named.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_wildcards_name_the_device() {
        let filter = TopicFilter::parse("home/+room/+device/#").unwrap();
        let topic = Topic::parse("home/hall/lamp/set").unwrap();
        assert_eq!(device(&filter, &topic).as_deref(), Some("hall/lamp"));
        assert_eq!(device(&filter, &Topic::parse("garden/lamp").unwrap()), None);
    }
}
