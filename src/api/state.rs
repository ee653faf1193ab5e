//! What is known of a topic, as programs read it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Devices, Name, Origin, Secrets, Told, Topic, TopicState};

/// The state of a topic.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TopicState)]
pub struct StateAnswer {
    /// The topic.
    #[schema(example = "home/hall/lux")]
    pub topic: String,
    /// What the payload holds, as JSON; `null` where it is no text.
    pub value: serde_json::Value,
    /// The payload's text; `null` where it is no text.
    pub payload: Option<String>,
    /// The payload in base64 where it is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_b64: Option<String>,
    /// How many bytes the payload had, where that was too many to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_large: Option<usize>,
    /// When the last message came.
    pub at: Timestamp,
    /// When the payload last changed.
    pub changed_at: Timestamp,
    /// Whether the payload is the topic's retained message.
    pub retained: bool,
    /// Where the last message came from.
    #[schema(value_type = String, example = "live")]
    pub origin: Origin,
    /// The device that the topic belongs to.
    #[schema(value_type = Option<String>)]
    pub device: Option<Name>,
}

impl StateAnswer {
    /// Returns what a line can say of the payload.
    #[must_use]
    pub fn told(&self) -> Told<'_> {
        match (&self.payload, &self.payload_b64) {
            (Some(text), _) => Told::of_text(text, self.too_large),
            (None, bytes) => {
                let bytes = bytes.as_ref().and_then(|bytes| STANDARD.decode(bytes).ok());
                Told::Bytes(bytes.map_or(0, |bytes| bytes.len()))
            }
        }
    }

    /// Returns the state of `topic` without `secrets`; `devices` tell to which device it belongs.
    #[must_use]
    pub fn new(topic: &Topic, state: &TopicState, devices: &Devices, secrets: &Secrets) -> StateAnswer {
        let masked = secrets.mask_payload(&state.payload);
        let payload = masked.as_ref().unwrap_or(&state.payload);
        let text = payload.text();
        StateAnswer {
            topic: topic.to_string(),
            value: text.map_or(serde_json::Value::Null, |_| payload.value().to_json()),
            payload: text.map(ToOwned::to_owned),
            payload_b64: text.is_none().then(|| STANDARD.encode(payload.bytes())),
            too_large: state.too_large,
            at: state.at,
            changed_at: state.changed_at,
            retained: state.retained,
            origin: state.origin,
            device: devices.device_of(topic),
        }
    }
}
