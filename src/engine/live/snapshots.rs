//! What rules remember of topics and devices, to put it back (docs/language/snapshots.md).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::saved_rule::{from_json, to_json};
use crate::model::{Payload, Topic, Value};

/// How the keys of their rows begin.
const SNAPSHOT: &str = "snapshot/";

/// All snapshots, by the file of their rules and their name: `living/tv:before`.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    by_name: BTreeMap<String, Remembered>,
    unsaved: BTreeSet<String>,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Remembered {
    /// When it was taken.
    pub(crate) at: Timestamp,
    /// Until when it's kept.
    pub(crate) until: Timestamp,
    /// What each topic said.
    pub(crate) topics: Vec<(Topic, Payload)>,
    /// The filters that the topics matched.
    pub(crate) filters: Vec<String>,
    /// What each device said.
    pub(crate) devices: Vec<RememberedDevice>,
}

/// What is remembered of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RememberedDevice {
    pub(crate) id: Arc<str>,
    /// What it was called then.
    pub(crate) label: Arc<str>,
    /// What it said, of the properties that can be set.
    pub(crate) values: Vec<(Arc<str>, Value)>,
    /// Which properties were commanded since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) commanded: BTreeSet<Arc<str>>,
}

/// The form in which they're kept. The first one had no devices, one filter, and no number.
const FORM: u32 = 2;

/// A snapshot as it's kept, in any form that was ever written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(default = "first_form")]
    form: u32,
    at: Timestamp,
    until: Timestamp,
    topics: Vec<(Topic, Payload)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    filters: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<RememberedDevice>,
}

fn first_form() -> u32 {
    1
}

impl TryFrom<Stored> for Remembered {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Remembered, String> {
        let Stored { form, at, until, topics, filter, filters, devices } = stored;
        if form > FORM {
            return Err(format!("a later version wrote this snapshot, in form {form}; this one reads up to {FORM}"));
        }
        Ok(Remembered { at, until, topics, filters: filter.into_iter().chain(filters).collect(), devices })
    }
}

impl From<Remembered> for Stored {
    fn from(remembered: Remembered) -> Stored {
        let Remembered { at, until, topics, filters, devices } = remembered;
        Stored { form: FORM, at, until, topics, filter: None, filters, devices }
    }
}

impl Snapshots {
    /// Returns a snapshot that is kept still.
    pub(crate) fn get(&self, name: &str, now: Timestamp) -> Option<&Remembered> {
        self.by_name.get(name).filter(|known| known.until > now)
    }

    /// Keeps a snapshot under a name; those whose time is over go.
    pub(crate) fn put(&mut self, name: String, remembered: Remembered, now: Timestamp) {
        let over = self.by_name.iter().filter(|(_, known)| known.until <= now).map(|(name, _)| name.clone());
        for name in over.collect::<Vec<_>>() {
            self.take(&name, now);
        }
        self.unsaved.insert(name.clone());
        self.by_name.insert(name, remembered);
    }

    /// Takes a snapshot out; `None` where there is none, or its time is over.
    pub(crate) fn take(&mut self, name: &str, now: Timestamp) -> Option<Remembered> {
        let taken = self.by_name.remove(name)?;
        self.unsaved.insert(name.to_owned());
        (taken.until > now).then_some(taken)
    }

    /// Returns whether any remembers devices.
    pub(crate) fn has_devices(&self) -> bool {
        self.by_name.values().any(|known| !known.devices.is_empty())
    }

    /// Notes that properties of a device were commanded.
    pub(crate) fn note_commanded<'a>(&mut self, device: &str, properties: impl IntoIterator<Item = &'a Arc<str>>) {
        let properties: Vec<&Arc<str>> = properties.into_iter().collect();
        for (name, known) in &mut self.by_name {
            for known in known.devices.iter_mut().filter(|known| *known.id == *device) {
                let before = known.commanded.len();
                known.commanded.extend(properties.iter().copied().cloned());
                if known.commanded.len() > before {
                    self.unsaved.insert(name.clone());
                }
            }
        }
    }

    /// Says what must be kept.
    pub(crate) fn save(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(name) = self.unsaved.pop_first() {
            let value = self.by_name.get(&name).and_then(to_json);
            save(SaveKey(format!("{SNAPSHOT}{name}").into()), value);
        }
    }

    /// Takes back a row; `None`: it's another one's.
    pub(crate) fn restore(&mut self, key: &str, value: &str) -> Option<Result<(), String>> {
        let name = key.strip_prefix(SNAPSHOT)?;
        Some(from_json(value).map(|remembered| {
            self.by_name.insert(name.to_owned(), remembered);
        }))
    }

    /// Makes all of it be kept anew.
    pub(crate) fn keep_all(&mut self) {
        self.unsaved.extend(self.by_name.keys().cloned());
    }

    /// Moves all that lasts.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        for known in self.by_name.values_mut() {
            known.at.shift(by);
            known.until.shift(by);
        }
        self.keep_all();
    }
}
