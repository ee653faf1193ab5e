//! What translation collects for the whole home.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What all rules together need in homerule.yaml and beside it.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Shared {
    /// Targets of notifications.
    pub(in crate::lang::import::home_assistant) notify: RefCell<BTreeSet<String>>,
    /// Programs that `exec` would have to be allowed.
    pub(in crate::lang::import::home_assistant) exec: RefCell<BTreeSet<String>>,
    /// Files of secrets, by their names, with what they hold.
    pub(in crate::lang::import::home_assistant) secrets: RefCell<BTreeMap<String, String>>,
    /// The rules of timers that something starts.
    pub(in crate::lang::import::home_assistant) started: RefCell<BTreeSet<String>>,
    /// What is said once.
    pub(in crate::lang::import::home_assistant) notes: RefCell<BTreeSet<String>>,
}

impl Shared {
    pub(in crate::lang::import::home_assistant) fn note(&self, note: &str) {
        self.notes.borrow_mut().insert(note.to_owned());
    }
}
