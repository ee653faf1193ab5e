//! Which payloads are too large to be kept: those of cameras, not what tells of devices.

use std::sync::Arc;

use crate::model::{Message, Size};

use super::{DeviceSettings, Registry};

/// How large a payload may be to be kept as a topic's state, and to be recorded (docs/settings.md).
#[derive(Debug, Clone)]
pub struct PayloadLimit {
    largest: usize,
    /// Knows the topics that tell of devices.
    registry: Arc<Registry>,
}

impl PayloadLimit {
    /// How many bytes a payload may have unless told.
    pub const DEFAULT: usize = 256 << 10;

    /// Returns the limit of a home with these devices, in bytes.
    #[must_use]
    pub fn new(largest: usize, devices: DeviceSettings) -> PayloadLimit {
        PayloadLimit { largest, registry: Arc::new(Registry::new(devices)) }
    }

    /// Returns whether the payload of `message` may be kept. What tells of devices always may, however large: without it
    /// they aren't known.
    #[must_use]
    pub fn size(&self, message: &Message) -> Size {
        let fits = message.payload.bytes().len() <= self.largest || self.registry.defines(&message.topic);
        if fits { Size::Fits } else { Size::TooLarge }
    }

    /// Returns how many bytes a payload may have.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest
    }
}

impl Default for PayloadLimit {
    fn default() -> PayloadLimit {
        PayloadLimit::new(PayloadLimit::DEFAULT, DeviceSettings::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Payload, Qos, Topic};

    #[test]
    fn what_tells_of_devices_is_kept_however_large_it_is() {
        let limit = PayloadLimit::new(10, DeviceSettings::default());
        let size = |topic: &str, bytes: usize| {
            let (topic, payload) = (Topic::parse(topic).unwrap(), Payload::from_bytes(vec![b' '; bytes]));
            let (qos, origin) = (Qos::AtMostOnce, Origin::Live);
            limit.size(&Message { topic, payload, qos, retain: true, origin, expires_at: None })
        };
        assert_eq!(size("cam/door/picture", 10), Size::Fits);
        assert_eq!(size("cam/door/picture", 11), Size::TooLarge);
        for topic in ["zigbee2mqtt/bridge/devices", "homeassistant/light/hall/config"] {
            assert_eq!(size(topic, 5000), Size::Fits, "{topic}");
        }
    }
}
