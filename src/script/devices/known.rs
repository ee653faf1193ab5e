//! The devices that are known: what they are called, what they have, and where in the state it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{DeviceFilter, Name, Topic};

/// The devices that are known, found by their ids, names and aliases.
#[derive(Debug, Clone, Default)]
pub struct KnownDevices {
    by_id: BTreeMap<Arc<str>, Arc<KnownDevice>>,
    /// The ids of the devices that a name may mean.
    by_name: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

/// A device that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownDevice {
    /// What it is known by.
    pub id: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
    /// What else it is called.
    pub aliases: Vec<Arc<str>>,
    /// What means it alone.
    pub label: Arc<str>,
    /// Where it is.
    pub area: Option<Arc<str>>,
    /// What sort of thing it is.
    pub kind: &'static str,
    /// What it has, in its source's order.
    pub properties: Vec<KnownProperty>,
    /// What selectors may ask for: its properties, those in several channels by their common name too.
    pub has: Vec<Name>,
    /// The topic that holds whether it can be reached.
    pub available: Topic,
    /// The topics on which it speaks.
    pub hears: Vec<Topic>,
    /// What properties are said on: topics, or filters.
    pub sources: Vec<Arc<str>>,
}

/// A property of a device that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownProperty {
    /// Its name.
    pub name: Name,
    /// The topic that holds what was last said of it.
    pub topic: Topic,
    /// Which of [`KnownDevice::sources`] the device says it on.
    pub source: Option<u16>,
    /// Whether it happens, and doesn't last.
    pub is_event: bool,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq)]
pub enum Named<'a> {
    /// This device.
    One(&'a Arc<KnownDevice>),
    /// Several are called so: their labels say which.
    Several(Vec<&'a Arc<KnownDevice>>),
    /// None.
    None,
}

impl KnownDevices {
    /// Adds a device, or what it is now.
    pub fn put(&mut self, device: Arc<KnownDevice>) {
        self.remove(&device.id);
        for name in std::iter::once(&device.name).chain(&device.aliases) {
            let ids = self.by_name.entry(Arc::clone(name)).or_insert_with(|| Vec::with_capacity(1));
            if let Err(place) = ids.binary_search(&device.id) {
                ids.insert(place, Arc::clone(&device.id));
            }
        }
        self.by_id.insert(Arc::clone(&device.id), device);
    }

    /// Removes a device, and returns what it was.
    pub fn remove(&mut self, id: &str) -> Option<Arc<KnownDevice>> {
        let device = self.by_id.remove(id)?;
        for name in std::iter::once(&device.name).chain(&device.aliases) {
            if let Some(ids) = self.by_name.get_mut(name) {
                ids.retain(|known| **known != *id);
                if ids.is_empty() {
                    self.by_name.remove(name);
                }
            }
        }
        Some(device)
    }

    /// Returns the device of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<KnownDevice>> {
        self.by_id.get(id)
    }

    /// Returns what a name, an id, or a name with an area (`Lamp (hall)`) means.
    #[must_use]
    pub fn find(&self, name: &str) -> Named<'_> {
        if let Some(device) = self.by_id.get(name) {
            return Named::One(device);
        }
        let called = |name: &str| -> Vec<&Arc<KnownDevice>> {
            self.by_name.get(name).into_iter().flatten().filter_map(|id| self.by_id.get(id)).collect()
        };
        let mut found = called(name);
        if found.is_empty()
            && let Some((name, area)) = name.strip_suffix(')').and_then(|name| name.rsplit_once(" ("))
        {
            found = called(name);
            found.retain(|device| device.area.as_deref() == Some(area));
        }
        match found.as_slice() {
            [] => Named::None,
            [device] => Named::One(device),
            _ => Named::Several(found),
        }
    }

    /// Returns the devices, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<KnownDevice>> {
        self.by_id.values()
    }

    /// Returns the devices that are meant, by id.
    pub fn select<'a>(&'a self, filter: &'a DeviceFilter) -> impl Iterator<Item = &'a Arc<KnownDevice>> {
        self.iter().filter(|device| device.is_in(filter))
    }

    /// Returns all names, ids aside.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_name.keys()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl KnownDevice {
    /// Returns whether it is one of those that are meant.
    #[must_use]
    pub fn is_in(&self, filter: &DeviceFilter) -> bool {
        filter.area.as_deref().is_none_or(|area| self.area.as_deref() == Some(area))
            && filter.kind.as_deref().is_none_or(|kind| self.kind == kind)
            && filter.has.iter().all(|name| self.has.contains(name))
    }

    /// Returns the property of that name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&KnownProperty> {
        self.properties.iter().find(|property| *property.name == *name)
    }

    /// Returns the topic that holds what was last said of a property; `available` is one too.
    #[must_use]
    pub fn topic(&self, property: &str) -> Option<&Topic> {
        let known = self.property(property).map(|property| &property.topic);
        known.or_else(|| (property == "available").then_some(&self.available))
    }

    /// Returns a property as traces call it: with the topic on which the device says it.
    #[must_use]
    pub fn spoken(&self, property: &str) -> Arc<str> {
        let source = self.property(property).and_then(|property| property.source);
        match source.and_then(|source| self.sources.get(usize::from(source))) {
            Some(source) => format!("{}.{property} ({source})", self.label).into(),
            None => format!("{}.{property}", self.label).into(),
        }
    }
}
