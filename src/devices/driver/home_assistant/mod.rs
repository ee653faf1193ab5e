//! Home Assistant's MQTT discovery: each message tells of one component, or of a device with all of them.

mod abbreviations;
mod assemble;
mod climate;
mod component;
mod config;
mod cover;
mod entity;
mod fan;
mod light;
mod measures;
mod message;
mod names;
mod panel;
mod switches;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Driver, Ending, Told};
use crate::devices::announcement::object_of;
use crate::devices::device::Source;
use crate::devices::settings::DeviceSettings;
use crate::model::{Payload, Topic};
use message::{MOST_COMPONENTS, Message};

/// Returns the driver, where the source is switched on.
pub(super) fn drivers(settings: &DeviceSettings) -> Vec<Box<dyn Driver>> {
    let Some(prefix) = &settings.discovery.home_assistant else { return Vec::new() };
    let own = Some(&settings.home)
        .filter(|name| !name.is_empty())
        .or(settings.announced.as_ref())
        .map(|name| object_of(name));
    vec![Box::new(HomeAssistant {
        prefix: format!("{prefix}/"),
        own,
        messages: BTreeMap::new(),
        devices: BTreeMap::new(),
    })]
}

/// What is discovered.
#[derive(Debug)]
struct HomeAssistant {
    prefix: String,
    /// The object that homerule announces itself by.
    own: Option<String>,
    /// What each discovery topic told.
    messages: BTreeMap<Topic, Message>,
    /// The topics that tell of each device, by its key.
    devices: BTreeMap<Arc<str>, BTreeSet<Topic>>,
}

/// What a discovery topic says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    component: &'a str,
    object: &'a str,
}

impl HomeAssistant {
    /// Returns what a topic is about: `PREFIX/COMPONENT/[NODE/]OBJECT/config`.
    fn place<'a>(&self, topic: &'a str) -> Option<Place<'a>> {
        let middle = topic.strip_prefix(&self.prefix)?.strip_suffix("/config")?;
        let mut levels = middle.split('/');
        let component = levels.next()?;
        let first = levels.next()?;
        let object = levels.next().unwrap_or(first);
        levels.next().is_none().then_some(Place { component, object })
    }

    /// Returns whether a device has all the components that it may have, and this would be another.
    fn is_full(&self, key: &Arc<str>, topic: &Topic) -> bool {
        self.devices.get(key).is_some_and(|topics| topics.len() >= MOST_COMPONENTS && !topics.contains(topic))
    }

    fn forget(&mut self, topic: &Topic, told: &mut Told) {
        told.sound(topic.as_str());
        if let Some(message) = self.messages.remove(topic) {
            self.part(topic, &message.key, told);
        }
    }

    /// Takes a topic away from its device, and tells what is left of that.
    fn part(&mut self, topic: &Topic, key: &Arc<str>, told: &mut Told) {
        let Some(topics) = self.devices.get_mut(key) else { return };
        topics.remove(topic);
        if topics.is_empty() {
            self.devices.remove(key);
            told.gone.push(format!("{}/{key}", Source::HomeAssistant).into());
        } else {
            self.tell(&Arc::clone(key), told);
        }
    }

    fn tell(&self, key: &Arc<str>, told: &mut Told) {
        let Some(topics) = self.devices.get(key) else { return };
        let messages: Vec<&Message> = topics.iter().filter_map(|topic| self.messages.get(topic)).collect();
        told.devices.push(assemble::device(key, &messages));
    }

    fn read(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        let Some(place) = self.place(topic.as_str()) else { return };
        let is_good = self.messages.get(topic).is_some_and(|message| !message.entities.is_empty());
        let read = match message::read(place.component, place.object, topic, payload) {
            Ok(message) if is_good && message.entities.is_empty() && !message.diagnostics.is_empty() => {
                Err(message.diagnostics.join("; "))
            }
            read => read,
        };
        match read {
            Ok(message) => {
                told.sound(topic.as_str());
                let key = Arc::clone(&message.key);
                if self.is_full(&key, topic) {
                    return told
                        .fault(topic.as_str(), format!("its device has more than {MOST_COMPONENTS} components"));
                }
                let before = self.messages.insert(topic.clone(), message);
                if let Some(before) = before.filter(|before| before.key != key) {
                    self.part(topic, &before.key, told);
                }
                self.devices.entry(Arc::clone(&key)).or_default().insert(topic.clone());
                self.tell(&key, told);
            }
            Err(reason) => match self.messages.get_mut(topic) {
                // The old one stays in force, and its device says what is wrong.
                Some(message) => {
                    message.later = Some(reason.into());
                    let key = Arc::clone(&message.key);
                    self.tell(&key, told);
                }
                None => told.fault(topic.as_str(), reason),
            },
        }
    }
}

impl Driver for HomeAssistant {
    fn endings(&self) -> &'static [Ending] {
        &[Ending::Level("config")]
    }

    fn claims(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix) && topic.ends_with("/config")
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, told: &mut Told) {
        let is_own = self
            .place(topic.as_str())
            .is_some_and(|place| place.component == "device" && self.own.as_deref() == Some(place.object));
        if is_own {
            return;
        }
        if payload.is_empty() {
            self.forget(topic, told);
        } else {
            self.read(topic, payload, told);
        }
    }
}
