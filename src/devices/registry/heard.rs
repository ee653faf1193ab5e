//! What devices have said so far: each property's last value.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::devices::device::DeviceId;
use crate::model::Value;

/// What devices have said so far.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    devices: BTreeMap<DeviceId, Spoken>,
}

/// What one device has said.
#[derive(Debug, Clone, Default)]
struct Spoken {
    at: Option<Timestamp>,
    values: BTreeMap<Arc<str>, Said>,
}

/// A property's last value.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The value.
    pub value: Value,
    /// When it was last said.
    pub at: Timestamp,
    /// Since when it has been that value.
    pub since: Timestamp,
}

impl Heard {
    /// Notes what a device says, and returns what it said of that before.
    pub fn note(&mut self, device: &DeviceId, property: &Arc<str>, value: &Value, now: Timestamp) -> Option<Value> {
        let spoken = match self.devices.get_mut(device) {
            Some(spoken) => spoken,
            None => self.devices.entry(Arc::clone(device)).or_default(),
        };
        spoken.at = Some(now);
        match spoken.values.get_mut(property) {
            Some(said) => {
                said.at = now;
                if said.value == *value {
                    return Some(value.clone());
                }
                said.since = now;
                Some(std::mem::replace(&mut said.value, value.clone()))
            }
            None => {
                spoken.values.insert(Arc::clone(property), Said { value: value.clone(), at: now, since: now });
                None
            }
        }
    }

    /// Returns what a device last said of a property.
    #[must_use]
    pub fn said(&self, device: &str, property: &str) -> Option<&Said> {
        self.devices.get(device)?.values.get(property)
    }

    /// Returns when a device last spoke.
    #[must_use]
    pub fn spoke_at(&self, device: &str) -> Option<Timestamp> {
        self.devices.get(device)?.at
    }

    /// Forgets a device, or what it no longer has.
    pub fn retain(&mut self, device: &str, has: &dyn Fn(&str) -> bool) {
        if let Some(spoken) = self.devices.get_mut(device) {
            spoken.values.retain(|property, _| has(property));
            if spoken.values.is_empty() {
                self.devices.remove(device);
            }
        }
    }
}
