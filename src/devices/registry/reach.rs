//! Whether a device can be reached, from the several places that say so.

use crate::devices::device::{Availability, AvailabilityMode};

/// What has been said of whether a device can be reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::devices) struct Reach {
    said: Vec<Option<bool>>,
    latest: Option<bool>,
    bridge: Option<bool>,
}

impl Reach {
    /// Notes what one place says.
    pub(in crate::devices) fn note(&mut self, place: usize, available: bool) {
        if self.said.len() <= place {
            self.said.resize(place + 1, None);
        }
        if let Some(said) = self.said.get_mut(place) {
            *said = Some(available);
        }
        self.latest = Some(available);
    }

    /// Notes what the bridge says.
    pub(in crate::devices) fn note_bridge(&mut self, available: bool) {
        self.bridge = Some(available);
    }

    /// Returns whether the device can be reached; `None` where nothing has said it yet.
    pub(in crate::devices) fn verdict(&self, availability: &Availability) -> Option<bool> {
        if self.bridge == Some(false) {
            return Some(false);
        }
        let said = |place| self.said.get(place).copied().flatten();
        let mut places = (0..availability.says.len()).map(said);
        match availability.mode {
            AvailabilityMode::Latest => self.latest,
            AvailabilityMode::All if places.clone().any(|said| said == Some(false)) => Some(false),
            AvailabilityMode::All => {
                (!availability.says.is_empty() && places.all(|said| said == Some(true))).then_some(true)
            }
            AvailabilityMode::Any if places.clone().any(|said| said == Some(true)) => Some(true),
            AvailabilityMode::Any => {
                (!availability.says.is_empty() && places.all(|said| said == Some(false))).then_some(false)
            }
        }
    }
}
