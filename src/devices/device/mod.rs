//! A device: what it is called, what it has, and where it is heard and spoken to.

pub(in crate::devices) mod address;
pub(in crate::devices) mod kind;
pub(in crate::devices) mod property;
pub(in crate::devices) mod reader;
pub(in crate::devices) mod vocabulary;

use std::fmt;
use std::sync::Arc;

use crate::devices::device::address::Address;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Property;
use crate::devices::device::reader::Extract;
use crate::model::{DeviceFilter, Payload, Topic, TopicFilter, Value};

/// What a device is known by, whatever it is called: `zigbee2mqtt/0x00158d0001a2b3c4`.
pub type DeviceId = Arc<str>;

/// Who told of a device; of two that tell of the same one, the first here counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// zigbee2mqtt's bridge.
    Zigbee2Mqtt,
    /// Tasmota's own discovery.
    Tasmota,
    /// Home Assistant's MQTT discovery.
    HomeAssistant,
    /// Homie 5.
    Homie,
    /// Shelly, from its second generation.
    Shelly,
    /// `devices:` of homerule.yaml.
    Own,
}

/// A device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// What it is known by.
    pub id: DeviceId,
    /// What it is called.
    pub name: Arc<str>,
    /// What else it is called.
    pub aliases: Vec<Arc<str>>,
    /// Where it is.
    pub area: Option<Arc<str>>,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Who told of it.
    pub source: Source,
    /// Its model and maker, as the source says them.
    pub model: Option<Arc<str>>,
    /// The topics that it is heard on and spoken to; properties refer to them by place.
    pub topics: Vec<TopicFilter>,
    /// What it has, in the source's order; shared by devices of one model.
    pub properties: Arc<[Property]>,
    /// What says whether it can be reached.
    pub availability: Availability,
    /// Whether it may also say each property on a topic of its own, below its first one.
    pub speaks_by_attribute: bool,
    /// Its addresses, for finding the same one elsewhere.
    pub addresses: Vec<Address>,
    /// The addresses of its members, where it's a group.
    pub members: Vec<Address>,
    /// Why it can't be commanded, if so.
    pub refuses: Option<Arc<str>>,
    /// What couldn't be read of it.
    pub diagnostics: Vec<Arc<str>>,
}

/// What says whether a device can be reached.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Availability {
    /// Where it is said; none where nothing says it.
    pub says: Vec<SaysAvailable>,
    /// How several count.
    pub mode: AvailabilityMode,
    /// The bridge without which it can't be reached, where that says so.
    pub bridge: Option<Arc<SaysAvailable>>,
}

/// One place that says whether a device can be reached.
#[derive(Debug, Clone, PartialEq)]
pub struct SaysAvailable {
    /// The topic.
    pub topic: TopicFilter,
    /// Where it stands in the payload.
    pub extract: Extract,
    /// The words for yes.
    pub yes: Arc<[Arc<str>]>,
    /// The words for no.
    pub no: Arc<[Arc<str>]>,
}

/// How several places that say whether a device can be reached count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AvailabilityMode {
    /// All must say yes.
    All,
    /// One suffices.
    Any,
    /// What was said last.
    #[default]
    Latest,
}

impl Source {
    /// Returns the source's word: what ids begin with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Zigbee2Mqtt => "zigbee2mqtt",
            Source::Tasmota => "tasmota",
            Source::HomeAssistant => "home_assistant",
            Source::Homie => "homie",
            Source::Shelly => "shelly",
            Source::Own => "own",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Device {
    /// Returns a device with nothing yet.
    #[must_use]
    pub fn new(source: Source, id: impl fmt::Display, name: &str) -> Device {
        Device {
            id: format!("{source}/{id}").into(),
            name: name.into(),
            aliases: Vec::new(),
            area: None,
            kind: Kind::Sensor,
            source,
            model: None,
            topics: Vec::new(),
            properties: Arc::new([]),
            availability: Availability::default(),
            speaks_by_attribute: false,
            members: Vec::new(),
            addresses: Vec::new(),
            refuses: None,
            diagnostics: Vec::new(),
        }
    }

    /// Returns the property of that name, and its place.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<(usize, &Property)> {
        self.properties.iter().enumerate().find(|(_, property)| *property.name == *name)
    }

    /// Returns whether it is one of those that are meant.
    #[must_use]
    pub fn is_in(&self, filter: &DeviceFilter) -> bool {
        filter.area.as_deref().is_none_or(|area| self.area.as_deref() == Some(area))
            && filter.kind.as_deref().is_none_or(|kind| self.kind.as_str() == kind)
            && filter.has.iter().all(|name| self.has(name))
    }

    /// Returns whether it has a property of that name, or of that name in several channels (`on_1`).
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        if name == "available" {
            return !self.availability.says.is_empty() || self.availability.bridge.is_some();
        }
        let is_channel = |property: &Property| {
            property.name.strip_prefix(name).is_some_and(|rest| {
                rest.strip_prefix('_').is_some_and(|channel| {
                    !channel.is_empty() && crate::devices::device::vocabulary::is_channel(name, channel)
                })
            })
        };
        self.properties.iter().any(|property| *property.name == *name || is_channel(property))
    }

    /// Returns the topic that a command goes to; `None` where a wildcard stands in it.
    #[must_use]
    pub fn command_topic(&self, topic: usize) -> Option<Topic> {
        self.topics.get(topic)?.as_topic()
    }

    /// Returns the place of `topic` among the device's topics; it is added where it is new.
    pub(in crate::devices) fn topic(&mut self, topic: &TopicFilter) -> usize {
        match self.topics.iter().position(|known| known == topic) {
            Some(place) => place,
            None => {
                self.topics.push(topic.clone());
                self.topics.len() - 1
            }
        }
    }
}

impl SaysAvailable {
    /// Returns whether a message says that the device can be reached; `None` where it says neither.
    #[must_use]
    pub fn read(&self, payload: &Payload) -> Option<bool> {
        let wire = self.extract.read(payload).ok()??;
        let text = crate::devices::template::python_text(&wire);
        if self.yes.iter().any(|word| **word == *text) {
            Some(true)
        } else if self.no.iter().any(|word| **word == *text) {
            Some(false)
        } else {
            None
        }
    }

    /// Returns the payload that says so.
    #[must_use]
    pub fn say(&self, available: bool) -> Option<Value> {
        let word = if available { self.yes.first() } else { self.no.first() }?;
        self.extract.write(None, Value::Text(Arc::clone(word)))
    }
}
