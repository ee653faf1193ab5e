//! What the decoders ask for while files are read: the keys of each kind of map, and each choice of words.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What was asked for on this thread.
#[derive(Debug, Default)]
pub(in crate::lang) struct Asked {
    /// The keys of a map, by what the map is in words.
    pub(super) keys: BTreeMap<String, BTreeSet<&'static str>>,
    /// The words of which one stands somewhere.
    pub(super) words: BTreeSet<Vec<String>>,
}

thread_local! {
    static ASKED: RefCell<Asked> = RefCell::default();
}

/// Notes the keys that a map, which is `what`, may have.
pub(in crate::lang) fn note_keys(what: &str, keys: &[&'static str]) {
    let what = if what.starts_with("the rule `") { "a rule" } else { what };
    ASKED.with_borrow_mut(|asked| asked.keys.entry(what.to_owned()).or_default().extend(keys));
}

/// Notes words of which one may stand at a place.
pub(in crate::lang) fn note_words(words: &[&str]) {
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.sort();
    ASKED.with_borrow_mut(|asked| asked.words.insert(words));
}

/// Returns what was asked for, and forgets it.
pub(super) fn take() -> Asked {
    ASKED.take()
}
