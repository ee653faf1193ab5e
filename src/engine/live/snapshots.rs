//! What rules remember of topics, to put it back (docs/language/snapshots.md).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::Shift;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::live::saved_rule::{from_json, to_json};
use crate::model::{Payload, Topic};

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
pub(crate) struct Remembered {
    /// When it was taken.
    pub(crate) at: Timestamp,
    /// Until when it's kept.
    pub(crate) until: Timestamp,
    /// What each topic said, and what the wildcards matched.
    pub(crate) topics: Vec<(Topic, Payload)>,
    /// The filter that it was taken of.
    pub(crate) filter: String,
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
