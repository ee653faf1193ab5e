//! What devices are called, and which one a name means.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Which device a name means.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    /// This one.
    One(T),
    /// Several are called so: their ids say which.
    Several(Vec<T>),
    /// None; this one's name is near.
    None(Option<Arc<str>>),
}

/// The devices by their names and aliases.
#[derive(Debug, Default)]
pub(in crate::devices) struct Names {
    names: BTreeMap<Arc<str>, Vec<u32>>,
}

impl Names {
    /// Adds a name of a device, and returns whether it was one other's until now.
    pub(in crate::devices) fn add(&mut self, name: &Arc<str>, slot: u32) -> bool {
        // Most names are one device's.
        let slots = self.names.entry(Arc::clone(name)).or_insert_with(|| Vec::with_capacity(1));
        if slots.contains(&slot) {
            return false;
        }
        slots.push(slot);
        slots.sort_unstable();
        slots.len() == 2
    }

    /// Removes a name of a device.
    pub(in crate::devices) fn remove(&mut self, name: &str, slot: u32) {
        if let Some(slots) = self.names.get_mut(name) {
            slots.retain(|known| *known != slot);
            if slots.is_empty() {
                self.names.remove(name);
            }
        }
    }

    /// Returns the devices of that name.
    pub(in crate::devices) fn find(&self, name: &str) -> &[u32] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns all names.
    pub(in crate::devices) fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.keys()
    }
}
