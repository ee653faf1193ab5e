//! A component of a device: what it has, before it gets its name among the others.

use std::sync::Arc;

use super::config::Config;
use crate::devices::codec::Codec;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::{Form, Holds, Property};
use crate::devices::device::reader::Extract;
use crate::devices::device::{AvailabilityMode, SaysAvailable};
use crate::model::TopicFilter;

/// A component of a device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entity {
    /// Its object id.
    pub(super) object: Arc<str>,
    /// What sort of thing it is.
    pub(super) kind: Kind,
    /// Whether it is what the device is there for, rather than a setting or a diagnosis of it.
    pub(super) is_main: bool,
    /// Its topics; properties refer to them by place.
    pub(super) topics: Vec<TopicFilter>,
    /// What it has.
    pub(super) properties: Vec<Property>,
    /// A trigger of a device: the topic, the extract, the payload, and its words.
    pub(super) trigger: Option<Trigger>,
    /// What says whether it can be reached.
    pub(super) availability: (Vec<SaysAvailable>, AvailabilityMode),
    /// What couldn't be read.
    pub(super) diagnostics: Vec<Arc<str>>,
}

/// A trigger of a device: one of the events that it tells.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trigger {
    pub(super) topic: TopicFilter,
    pub(super) extract: Extract,
    /// The payload that it is; none for any.
    pub(super) payload: Option<Arc<str>>,
    /// Its words: the subtype and the type.
    pub(super) words: Arc<str>,
}

impl Entity {
    /// Returns the place of a topic among the entity's.
    pub(super) fn topic(&mut self, topic: TopicFilter) -> usize {
        match self.topics.iter().position(|known| *known == topic) {
            Some(place) => place,
            None => {
                self.topics.push(topic);
                self.topics.len() - 1
            }
        }
    }

    /// Adds a property that is read where `state` says, by the template under one of `templates`, and written where `command` says.
    pub(super) fn add(&mut self, config: &Config<'_>, property: Property, at: At<'_>) -> Result<(), String> {
        let mut property = property;
        if let Some(topic) = config.topic(at.state)? {
            let topic = self.topic(topic);
            property = property.read(topic, config.extract(at.state_templates)?, at.said);
        }
        if let Some(topic) = config.topic(at.command)? {
            let topic = self.topic(topic);
            let form = config.template(at.command_templates)?.map_or(Form::Payload, Form::Template);
            let (qos, retain) = config.delivery();
            property =
                property.written(topic, form, at.told).with_write(|write| (write.qos, write.retain) = (qos, retain));
            property.is_optimistic = config.flag("optimistic");
        }
        if !property.reads.is_empty() || property.write.is_some() {
            self.properties.push(property);
        }
        Ok(())
    }
}

/// Where a property is read and written.
pub(super) struct At<'a> {
    pub(super) state: &'a str,
    pub(super) state_templates: &'a [&'a str],
    pub(super) said: Codec,
    pub(super) command: &'a str,
    pub(super) command_templates: &'a [&'a str],
    pub(super) told: Codec,
}

impl At<'_> {
    /// Returns the usual places of a component with one value.
    pub(super) fn usual(said: Codec, told: Codec) -> At<'static> {
        At {
            state: "state_topic",
            state_templates: &["value_template", "state_value_template"],
            said,
            command: "command_topic",
            command_templates: &["command_template"],
            told,
        }
    }
}

/// Returns what a choice holds.
pub(super) fn choice(config: &Config<'_>, key: &str) -> Holds {
    Holds::Words(config.texts(key).into())
}
