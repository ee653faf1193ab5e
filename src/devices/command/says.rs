//! What a device would write that says something: for tests of rules, in which devices speak.

use std::sync::Arc;

use thiserror::Error;

use crate::devices::command::encode::Publication;
use crate::devices::device::property::{Holds, Property};
use crate::devices::device::reader::Extract;
use crate::devices::device::{Device, Source};
use crate::devices::driver::shelly;
use crate::model::{Map, Payload, Qos, Topic, TopicFilter, Value};

/// Why a device can't say something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SayError {
    /// It has no such property.
    #[error("`{device}` has no property `{property}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoProperty {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
        /// What was probably meant.
        near: Option<Arc<str>>,
    },
    /// It never says it.
    #[error("`{device}` never says its `{property}`")]
    NeverSaid {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
    },
    /// A template can't be written backwards, or the topic has a wildcard.
    #[error("what `{device}` would write on `{topic}` for `{property}` isn't known; publish to the topic instead")]
    Backwards {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
        /// The topic.
        topic: Arc<str>,
    },
    /// The device's words don't have it.
    #[error("`{property}` of `{device}` is never `{value}`")]
    NoWord {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
        /// The value, as text.
        value: Arc<str>,
    },
}

impl Device {
    /// Returns the messages that the device writes when it says these values. `last` is what a topic said last, of which
    /// the rest is kept.
    ///
    /// # Errors
    /// All that it can't say.
    pub fn says(
        &self,
        values: &Map,
        last: &dyn Fn(&Topic) -> Option<Payload>,
    ) -> Result<Vec<Publication>, Vec<SayError>> {
        let mut said: Vec<(Topic, Payload)> = Vec::new();
        let mut errors = Vec::new();
        for (name, value) in values {
            if **name == *"available" {
                match value {
                    Value::Bool(available) => said.extend(self.says_available(*available)),
                    other => errors.push(SayError::NoWord {
                        device: Arc::clone(&self.name),
                        property: Arc::clone(name),
                        value: other.to_string().into(),
                    }),
                }
                continue;
            }
            if let Err(error) = self.say_one(name, value, last, &mut said) {
                errors.push(error);
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let whole = |topic: &Topic, payload| match self.source {
            Source::Shelly => shelly::with_number(topic, payload),
            _ => payload,
        };
        let publication = |(topic, payload)| {
            let payload = whole(&topic, payload);
            Publication { topic, payload, qos: Qos::AtLeastOnce, retain: false }
        };
        Ok(said.into_iter().map(publication).collect())
    }

    fn say_one(
        &self,
        name: &Arc<str>,
        value: &Value,
        last: &dyn Fn(&Topic) -> Option<Payload>,
        said: &mut Vec<(Topic, Payload)>,
    ) -> Result<(), SayError> {
        let device = || Arc::clone(&self.name);
        let Some((_, property)) = self.property(name) else {
            let names: Vec<&Arc<str>> = self.properties.iter().map(|property| &property.name).collect();
            return Err(SayError::NoProperty {
                device: device(),
                property: Arc::clone(name),
                near: crate::devices::command::near(name, &names),
            });
        };
        let Some(read) = property.reads.first() else {
            return Err(SayError::NeverSaid { device: device(), property: Arc::clone(name) });
        };
        let filter = self.topics.get(read.topic);
        let backwards = || SayError::Backwards {
            device: device(),
            property: Arc::clone(name),
            topic: filter.map(ToString::to_string).unwrap_or_default().into(),
        };
        let topic = filter.and_then(TopicFilter::as_topic).ok_or_else(backwards)?;
        let value = canonical(property, value);
        let wire = read.reader.codec.said(&value).ok_or_else(|| SayError::NoWord {
            device: device(),
            property: Arc::clone(name),
            value: value.to_string().into(),
        })?;
        let place = said.iter().position(|(known, _)| *known == topic);
        let before = match place.and_then(|place| said.get(place)) {
            Some((_, payload)) => Some(payload.clone()),
            None if read.reader.extract.is_shared() => {
                last(&topic).map(|payload| without_events(self, read.topic, &payload))
            }
            None => None,
        };
        let payload = read.reader.extract.write(before.as_ref(), wire).ok_or_else(backwards)?;
        let payload = Payload::from_value(&payload);
        match place.and_then(|place| said.get_mut(place)) {
            Some((_, known)) if read.reader.extract.is_shared() => *known = payload,
            _ => said.push((topic, payload)),
        }
        Ok(())
    }

    /// Returns what the device, or its last will, writes of whether it can be reached.
    #[must_use]
    pub fn says_available(&self, available: bool) -> Vec<(Topic, Payload)> {
        let says = self.availability.says.iter();
        says.filter_map(|says| Some((says.topic.as_topic()?, Payload::from_value(&says.say(available)?)))).collect()
    }

    /// Returns what a device that does what it is told says after a command: its values, as far as it ever says them.
    #[must_use]
    pub fn obeyed(&self, values: &[(Arc<str>, Value)]) -> Map {
        let mut obeyed = Map::default();
        for (name, value) in values {
            let Some((_, property)) = self.property(name) else { continue };
            if property.reads.is_empty() || property.holds.is_event() {
                continue;
            }
            let done = match (&property.holds, value) {
                (Holds::Words(words), Value::Text(_)) => {
                    let outcome = words.iter().find(|word| property.confirms(value, &Value::Text(Arc::clone(word))));
                    outcome.map_or_else(|| value.clone(), |word| Value::Text(Arc::clone(word)))
                }
                (Holds::Sound, Value::Map(_)) => Value::Bool(true),
                _ => value.clone(),
            };
            obeyed.insert(Arc::clone(name), done);
        }
        obeyed
    }
}

/// Returns a value as its property holds it: `"40%"` is 40.
fn canonical(property: &Property, value: &Value) -> Value {
    match (&property.holds, value.as_text().and_then(|text| text.strip_suffix('%'))) {
        (Holds::Number(_), Some(digits)) => Value::from_payload(digits.trim().as_bytes()),
        _ => value.clone(),
    }
}

/// Returns what a topic said last, without the events in it: they don't happen again.
fn without_events(device: &Device, topic: usize, payload: &Payload) -> Payload {
    let mut value = payload.value().clone();
    if let Value::Map(entries) = &mut value {
        let entries = Arc::make_mut(entries);
        for property in device.properties.iter().filter(|property| property.holds.is_event()) {
            for read in property.reads.iter().filter(|read| read.topic == topic) {
                match &read.reader.extract {
                    Extract::Key(key) => entries.shift_remove(key),
                    Extract::Keys(keys) => keys.first().and_then(|key| entries.shift_remove(key)),
                    Extract::Text | Extract::Value | Extract::KeyOrText(_) | Extract::Template(_) => None,
                };
            }
        }
    }
    Payload::from_value(&value)
}
