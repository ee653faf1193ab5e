//! The devices of a home: who is there, what a message says of them, and what a command to them sends.

pub(in crate::devices) mod change;
pub(in crate::devices) mod directory;
mod index;
pub(in crate::devices) mod names;
mod reach;
pub(in crate::devices) mod reading;
mod sameness;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::devices::device::{Device, DeviceId};
use crate::devices::driver::{Driver, Endings, Told, drivers};
use crate::devices::registry::change::{Change, Fault};
use crate::devices::registry::index::{Ear, Index};
use crate::devices::registry::names::{Found, Names};
use crate::devices::registry::reach::Reach;
use crate::devices::registry::sameness::Sameness;
use crate::devices::settings::DeviceSettings;
use crate::model::{DeviceFilter, Payload, Topic};

/// The most devices that are known; beyond, more are told of and passed over.
const MOST_DEVICES: usize = 20_000;

/// The most faults that are kept.
const MOST_FAULTS: usize = 5_000;

/// The devices of a home.
#[derive(Debug, Default)]
pub struct Registry {
    settings: DeviceSettings,
    drivers: Vec<Box<dyn Driver>>,
    /// How topics end that the drivers may claim.
    endings: Endings,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    ids: BTreeMap<DeviceId, u32>,
    index: Index,
    names: Names,
    sameness: Sameness,
    faults: BTreeMap<Arc<str>, Arc<str>>,
    ears: Vec<Ear>,
}

/// A device, and what is known beside its definition.
#[derive(Debug)]
struct Slot {
    device: Arc<Device>,
    /// Whether an earlier source tells of the same thing.
    is_hidden: bool,
    reach: Reach,
    available: Option<bool>,
    /// Whether it has said several properties in one message.
    speaks_json: bool,
}

impl Registry {
    /// Returns the devices that the settings alone tell of.
    #[must_use]
    pub fn new(settings: DeviceSettings) -> Registry {
        let drivers = drivers(&settings);
        let endings = Endings::of(&drivers);
        let mut registry = Registry { settings, drivers, endings, ..Registry::default() };
        registry.start();
        registry
    }

    fn start(&mut self) -> Vec<Change> {
        let mut told = Told::default();
        for driver in &mut self.drivers {
            driver.start(&mut told);
        }
        self.take(told)
    }

    /// Returns whether messages of this topic tell of devices: those of which what they last said must be noted again
    /// after a start or a change of the settings, and which `homerule devices --save` keeps.
    #[must_use]
    pub fn defines(&self, topic: &Topic) -> bool {
        self.endings.fit(topic.as_str()) && self.drivers.iter().any(|driver| driver.claims(topic.as_str()))
    }

    /// Takes what a message tells of devices, and returns what became of them; nothing where it tells of none.
    pub fn note(&mut self, topic: &Topic, payload: &Payload) -> Vec<Change> {
        if !self.endings.fit(topic.as_str()) {
            return Vec::new();
        }
        let mut told = Told::default();
        for driver in self.drivers.iter_mut().filter(|driver| driver.claims(topic.as_str())) {
            driver.note(topic, payload, &mut told);
        }
        self.take(told)
    }

    fn take(&mut self, told: Told) -> Vec<Change> {
        let mut changes = Vec::new();
        for id in told.gone {
            self.remove(&id, &mut changes);
        }
        for device in told.devices {
            self.put(device, &mut changes);
        }
        for (about, text) in told.faults {
            self.fault(&about, text, &mut changes);
        }
        changes
    }

    fn fault(&mut self, about: &Arc<str>, text: Option<Arc<str>>, changes: &mut Vec<Change>) {
        let known = self.faults.get(about);
        match text {
            None => {
                self.faults.remove(about);
            }
            Some(text) if known == Some(&text) => {}
            Some(_) if known.is_none() && self.faults.len() >= MOST_FAULTS => {}
            Some(text) => {
                self.faults.insert(Arc::clone(about), Arc::clone(&text));
                changes.push(Change::Faulty(Fault { about: Arc::clone(about), text }));
            }
        }
    }

    fn put(&mut self, mut device: Device, changes: &mut Vec<Change>) {
        self.name(&mut device);
        let known = self.ids.get(&device.id).copied();
        let before = known.and_then(|slot| self.at(slot));
        let is_told = |text: &Arc<str>| before.is_some_and(|before| before.diagnostics.contains(text));
        for text in device.diagnostics.iter().filter(|text| !is_told(text)) {
            changes.push(Change::Faulty(Fault { about: Arc::clone(&device.id), text: Arc::clone(text) }));
        }
        let Some(slot) = known else {
            if self.ids.len() >= MOST_DEVICES {
                let text = format!("there are more than {MOST_DEVICES} devices: this one is passed over").into();
                return self.fault(&device.id, Some(text), changes);
            }
            return self.add(device, changes);
        };
        let Some(Some(before)) =
            self.slots.get(place(slot)).map(|slot| slot.as_ref().map(|slot| Arc::clone(&slot.device)))
        else {
            return;
        };
        if *before == device {
            return;
        }
        let was_hidden = self.is_hidden(slot);
        if !was_hidden {
            self.hide(slot, &before);
        }
        let mut touched = self.sameness.remove(slot, &before);
        let is_same_reach = before.availability == device.availability;
        let device = Arc::new(device);
        touched.extend(self.sameness.add(slot, &device));
        if let Some(Some(known)) = self.slots.get_mut(place(slot)) {
            known.device = Arc::clone(&device);
            if !is_same_reach {
                known.reach = Reach::default();
                known.available = None;
            }
        }
        let is_hidden = self.sameness.is_hidden(slot, &device);
        self.set_hidden(slot, is_hidden);
        match (was_hidden, is_hidden) {
            (true, true) => {}
            (true, false) => {
                self.show(slot, &device, changes);
                changes.push(Change::Added(Arc::clone(&device.id)));
            }
            (false, true) => changes.push(removed(&before)),
            (false, false) => {
                self.show(slot, &device, changes);
                let lost = before.properties.iter().map(|property| &property.name);
                let lost = lost.filter(|name| device.property(name).is_none()).cloned().collect();
                let old_name = (before.name != device.name).then(|| Arc::clone(&before.name));
                changes.push(Change::Changed { id: Arc::clone(&device.id), old_name, lost });
            }
        }
        self.reconsider(touched, changes);
    }

    fn add(&mut self, device: Device, changes: &mut Vec<Change>) {
        let device = Arc::new(device);
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let touched = self.sameness.add(slot, &device);
        let is_hidden = self.sameness.is_hidden(slot, &device);
        self.ids.insert(Arc::clone(&device.id), slot);
        if let Some(free) = self.slots.get_mut(place(slot)) {
            *free = Some(Slot {
                device: Arc::clone(&device),
                is_hidden,
                reach: Reach::default(),
                available: None,
                speaks_json: false,
            });
        }
        if !is_hidden {
            self.show(slot, &device, changes);
            changes.push(Change::Added(Arc::clone(&device.id)));
        }
        self.reconsider(touched, changes);
    }

    fn remove(&mut self, id: &str, changes: &mut Vec<Change>) {
        let Some(slot) = self.ids.remove(id) else { return };
        let Some(gone) = self.slots.get_mut(place(slot)).and_then(Option::take) else { return };
        self.free.push(slot);
        if !gone.is_hidden {
            self.hide(slot, &gone.device);
            changes.push(removed(&gone.device));
        }
        self.faults.remove(id);
        let touched = self.sameness.remove(slot, &gone.device);
        self.reconsider(touched, changes);
    }

    /// Decides again which of these devices are told of by an earlier source.
    fn reconsider(&mut self, mut touched: Vec<u32>, changes: &mut Vec<Change>) {
        touched.sort_unstable();
        touched.dedup();
        for slot in touched {
            let Some(Some(known)) = self.slots.get(place(slot)) else { continue };
            let (device, was_hidden) = (Arc::clone(&known.device), known.is_hidden);
            let is_hidden = self.sameness.is_hidden(slot, &device);
            if is_hidden == was_hidden {
                continue;
            }
            self.set_hidden(slot, is_hidden);
            if is_hidden {
                self.hide(slot, &device);
                changes.push(removed(&device));
            } else {
                self.show(slot, &device, changes);
                changes.push(Change::Added(Arc::clone(&device.id)));
            }
        }
    }

    fn is_hidden(&self, slot: u32) -> bool {
        matches!(self.slots.get(place(slot)), Some(Some(known)) if known.is_hidden)
    }

    fn set_hidden(&mut self, slot: u32, is_hidden: bool) {
        if let Some(Some(known)) = self.slots.get_mut(place(slot)) {
            known.is_hidden = is_hidden;
        }
    }

    fn show(&mut self, slot: u32, device: &Arc<Device>, changes: &mut Vec<Change>) {
        self.index.add(slot, device);
        for name in std::iter::once(&device.name).chain(&device.aliases) {
            if self.names.add(name, slot) {
                let ids: Vec<String> = self
                    .names
                    .find(name)
                    .iter()
                    .filter_map(|slot| self.at(*slot))
                    .map(|device| format!("`{}`", device.id))
                    .collect();
                let text =
                    format!("two devices are called `{name}`: use {} in rules, or rename one", ids.join(" and "));
                self.fault(name, Some(text.into()), changes);
            }
        }
    }

    fn hide(&mut self, slot: u32, device: &Device) {
        self.index.remove(slot, device);
        for name in std::iter::once(&device.name).chain(&device.aliases) {
            self.names.remove(name, slot);
            if self.names.find(name).len() == 1 {
                self.faults.remove(name);
            }
        }
    }

    /// Gives a device the name, area and aliases of the settings.
    fn name(&self, device: &mut Device) {
        let is_meant =
            |naming: &&crate::devices::settings::Naming| *naming.device == *device.id || naming.device == device.name;
        let Some(naming) = self.settings.named.iter().find(is_meant).cloned() else { return };
        if let Some(name) = naming.name {
            device.name = name;
        }
        device.area = naming.area.or(device.area.take());
        device.aliases.extend(naming.aliases);
    }

    fn at(&self, slot: u32) -> Option<&Arc<Device>> {
        self.slots.get(place(slot))?.as_ref().map(|slot| &slot.device)
    }

    fn visible(&self, slot: u32) -> Option<&Arc<Device>> {
        self.slots.get(place(slot))?.as_ref().filter(|slot| !slot.is_hidden).map(|slot| &slot.device)
    }

    /// Returns the device that a name, an id, or a name with an area (`Lamp (hall)`) means.
    #[must_use]
    pub fn find(&self, name: &str) -> Found<&Arc<Device>> {
        if let Some(device) = self.ids.get(name).and_then(|slot| self.visible(*slot)) {
            return Found::One(device);
        }
        let mut found: Vec<&Arc<Device>> = self.names.find(name).iter().filter_map(|slot| self.at(*slot)).collect();
        if found.is_empty()
            && let Some((name, area)) = name.strip_suffix(')').and_then(|name| name.rsplit_once(" ("))
        {
            let in_area = self.names.find(name).iter().filter_map(|slot| self.at(*slot));
            found = in_area.filter(|device| device.area.as_deref() == Some(area)).collect();
        }
        match found.as_slice() {
            [] => Found::None(crate::devices::command::near(name, &self.names.all().collect::<Vec<_>>())),
            [device] => Found::One(device),
            _ => Found::Several(found),
        }
    }

    /// Returns the device of that id.
    #[must_use]
    pub fn device(&self, id: &str) -> Option<&Arc<Device>> {
        self.ids.get(id).and_then(|slot| self.visible(*slot))
    }

    /// Returns what the device is called where the name must mean it alone: with its area, or its id, where others have the name.
    #[must_use]
    pub fn label(&self, device: &Device) -> Arc<str> {
        if self.names.find(&device.name).len() <= 1 {
            return Arc::clone(&device.name);
        }
        let with_area = device.area.as_ref().map(|area| format!("{} ({area})", device.name));
        match with_area {
            Some(label) if matches!(self.find(&label), Found::One(_)) => label.into(),
            _ => Arc::clone(&device.id),
        }
    }

    /// Returns whether the device can be reached; `None` where nothing has said it yet.
    #[must_use]
    pub fn available(&self, id: &str) -> Option<bool> {
        let slot = self.ids.get(id)?;
        self.slots.get(place(*slot))?.as_ref()?.available
    }

    /// Returns the devices, by id.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.ids.values().filter_map(|slot| self.visible(*slot))
    }

    /// Returns the devices that are meant, by id.
    pub fn select<'a>(&'a self, filter: &'a DeviceFilter) -> impl Iterator<Item = &'a Arc<Device>> {
        self.devices().filter(|device| device.is_in(filter))
    }

    /// Returns what can't be read of the device of that id.
    #[must_use]
    pub fn fault_of(&self, id: &str) -> Option<&Arc<str>> {
        self.faults.get(id)
    }

    /// Returns what can't be read, by what it is about.
    pub fn faults(&self) -> impl Iterator<Item = Fault> + '_ {
        self.faults.iter().map(|(about, text)| Fault { about: Arc::clone(about), text: Arc::clone(text) })
    }
}

fn place(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

fn removed(device: &Device) -> Change {
    Change::Removed { id: Arc::clone(&device.id), name: Arc::clone(&device.name) }
}
