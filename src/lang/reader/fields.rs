//! The keys of a map: each is read by its name, and what was never read is reported as unknown.

use std::ops::Range;

use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::diagnostic::near;
use crate::lang::reader::file_span;
use crate::lang::reader::foreign::{Meant, Place};
use crate::lang::text::FileText;
use crate::lang::yaml::tree::{Entry, Node};

/// The keys of a map that is being read.
pub(in crate::lang) struct Fields<'n> {
    /// What the map is, in words: `a rule file`, `` the trigger `state` ``.
    what: String,
    /// The bytes of the whole map.
    span: Range<usize>,
    entries: &'n [Entry],
    /// The keys that such a map may have.
    known: Vec<&'static str>,
    /// Keys that such a map may not have, reported by whoever asked for them.
    refused: Vec<&'static str>,
    /// Where the map is: which words of other systems its keys may be.
    place: Place,
    /// What is missing, unless an unknown key turns out to be meant for it.
    missing: Vec<Missing>,
}

/// A key that is needed and isn't there.
pub(in crate::lang) struct Missing {
    /// The keys of which the map needs one.
    pub(in crate::lang) keys: Vec<&'static str>,
    /// Which mistake that is.
    pub(in crate::lang) code: Code,
    /// Where to report it.
    pub(in crate::lang) span: Range<usize>,
    /// What to say.
    pub(in crate::lang) message: String,
    /// What to do.
    pub(in crate::lang) help: Option<String>,
}

impl<'n> Fields<'n> {
    /// Returns the keys of the map `node`, which is `what` in words. Reports anything but a map.
    pub(in crate::lang) fn of(
        node: &'n Node,
        what: &str,
        text: &FileText,
        findings: &mut Findings,
    ) -> Option<Fields<'n>> {
        let Some(entries) = node.as_map() else {
            let message = format!("{what} must be a map (`key: value`), but this is {}", node.describe());
            findings.error(Code::WRONG_TYPE, text.first_line(&node.span), message);
            return None;
        };
        Some(Fields {
            what: what.to_owned(),
            span: node.span.clone(),
            entries,
            known: Vec::new(),
            refused: Vec::new(),
            place: Place::Elsewhere,
            missing: Vec::new(),
        })
    }

    /// Says where the map is.
    pub(in crate::lang) fn at(mut self, place: Place) -> Fields<'n> {
        self.place = place;
        self
    }

    /// Returns the value of `key`, which such a map may have.
    pub(in crate::lang) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.take_entry(key).map(|entry| &entry.value)
    }

    /// Returns `key` with its value, without allowing it.
    pub(in crate::lang) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key.as_str() == key)
    }

    /// Returns `key` with its value.
    pub(in crate::lang) fn take_entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|entry| entry.key.as_str() == key)
    }

    /// Returns `key`, which such a map may not have: the caller reports it.
    pub(in crate::lang) fn refuse(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.refused.push(key);
        self.entries.iter().find(|entry| entry.key.as_str() == key)
    }

    /// Returns the value of `key`, which such a map needs: [`Fields::finish`] reports it if it's missing.
    pub(in crate::lang) fn need(&mut self, key: &'static str, text: &FileText) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("`{key}` is missing from {}", self.what);
            let span = text.first_line(&self.span);
            self.missing(Missing { keys: vec![key], code: Code::MISSING_KEY, span, message, help: None });
        }
        found
    }

    /// Returns the value of an unknown key that is probably meant to be `key`, so that what it says isn't missing elsewhere.
    /// `keys` are all that such a map may have. It's reported at the end.
    pub(in crate::lang) fn meant_for(&self, key: &str, keys: &[&str]) -> Option<&'n Node> {
        let is_meant = |entry: &&Entry| {
            let written = entry.key.as_str();
            let foreign = || self.place.meant(written, &[key]).and_then(Meant::word);
            let near = || near::nearest(written, keys.iter().copied());
            !keys.contains(&written) && foreign().or_else(near) == Some(key)
        };
        self.entries.iter().find(is_meant).map(|entry| &entry.value)
    }

    /// Reports at the end that something is missing, unless an unknown key was probably meant to be it.
    pub(in crate::lang) fn missing(&mut self, missing: Missing) {
        self.missing.push(missing);
    }

    /// Allows keys without reading them.
    pub(in crate::lang) fn allow(&mut self, keys: &[&'static str]) {
        self.known.extend(keys.iter().filter(|key| !self.known.contains(key)).copied().collect::<Vec<_>>());
    }

    /// Returns whether the map has `key`, without allowing it.
    pub(in crate::lang) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.as_str() == key)
    }

    /// Returns the bytes of the whole map.
    pub(in crate::lang) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Reports two keys of the map that can't be used together.
    pub(in crate::lang) fn conflict(&self, first: &str, second: &str, help: &str, findings: &mut Findings) {
        let span = |key: &str| self.entries.iter().find(|entry| entry.key.as_str() == key).map(|e| e.key_span.clone());
        let (Some(first_span), Some(second_span)) = (span(first), span(second)) else { return };
        let message = format!("`{first}` and `{second}` can't be used together in {}", self.what);
        let found = findings.error(Code::CONFLICTING_KEYS, second_span, message);
        found.relate(first_span, format!("`{first}` is here")).help(help);
    }

    /// Reports the keys that were never read, and what is missing.
    pub(in crate::lang) fn finish(self, findings: &mut Findings) {
        #[cfg(test)]
        crate::lang::schema::asked::note_keys(&self.what, &self.known);
        let is_told = |key: &str| self.known.contains(&key) || self.refused.contains(&key);
        let unknown = self.entries.iter().filter(|entry| !is_told(entry.key.as_str()));
        let mut meant: Vec<&str> = Vec::new();
        for entry in unknown {
            let key = entry.key.as_str();
            let message = format!("unknown key `{key}` in {}", self.what);
            let missing: Vec<&str> = self.known.iter().copied().filter(|known| !self.has(known)).collect();
            let foreign = self.place.meant(key, &missing);
            let near = || near::nearest(key, missing.iter().copied());
            meant.extend(foreign.map_or_else(near, Meant::word));
            let suggestion = match foreign {
                Some(foreign) => Some(foreign.suggestion()),
                None => near::suggestion(key, &missing),
            };
            let found = findings.error(Code::UNKNOWN_KEY, entry.key_span.clone(), message);
            found.suggest(file_span(&entry.key, 0..key.len()), suggestion);
        }
        for missing in self.missing {
            if !missing.keys.iter().any(|key| meant.contains(key)) {
                findings.error(missing.code, missing.span, missing.message).help_if(missing.help);
            }
        }
    }
}
