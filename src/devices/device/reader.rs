//! How a property is read from a message: where it stands in the payload, and how it travels.

use std::sync::Arc;

use crate::devices::codec::Codec;
use crate::devices::device::property::{Holds, Property};
use crate::devices::template::{Plain, Template, TemplateError};
use crate::model::{Map, Payload, Value};

/// Where a property stands in a payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Extract {
    /// The payload's text.
    Text,
    /// The payload as a value.
    Value,
    /// A key of a JSON map.
    Key(Arc<str>),
    /// A key of a JSON map, or the payload's text where it is no map.
    KeyOrText(Arc<str>),
    /// Keys of maps within each other.
    Keys(Arc<[Arc<str>]>),
    /// What a template makes of it.
    Template(Template),
}

/// How a property is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reader {
    /// Where it stands.
    pub extract: Extract,
    /// How it travels.
    pub codec: Codec,
}

impl Extract {
    /// Returns the keys of a path as where a property stands.
    #[must_use]
    pub fn keys(keys: &[&str]) -> Extract {
        match keys {
            [] => Extract::Value,
            [key] => Extract::Key((*key).into()),
            keys => Extract::Keys(keys.iter().map(|key| Arc::from(*key)).collect()),
        }
    }

    /// Returns the key of a JSON map that it's under; `None` where something else is looked at, too.
    pub(in crate::devices) fn key(&self) -> Option<&Arc<str>> {
        match self {
            Extract::Key(key) => Some(key),
            Extract::Keys(keys) => keys.first(),
            Extract::Text | Extract::Value | Extract::KeyOrText(_) | Extract::Template(_) => None,
        }
    }

    /// Returns what stands there; `None` where this message says nothing of it.
    ///
    /// # Errors
    /// When a template is at fault, whatever the message.
    pub(in crate::devices) fn read(&self, payload: &Payload) -> Result<Option<Value>, TemplateError> {
        match self {
            Extract::Text => Ok(payload.text().filter(|text| !text.is_empty()).map(Value::text)),
            Extract::Value => Ok(Some(payload.value()).filter(|value| !value.is_null()).cloned()),
            Extract::Key(key) => Ok(member(payload.value(), key).cloned()),
            Extract::KeyOrText(key) => Ok(match payload.value() {
                Value::Map(entries) => entries.get(key).cloned(),
                _ => payload.text().filter(|text| !text.is_empty()).map(Value::text),
            }),
            Extract::Keys(keys) => Ok(keys.iter().try_fold(payload.value(), |value, key| member(value, key)).cloned()),
            Extract::Template(template) => match template.read(payload) {
                Ok(value) => Ok(Some(value)),
                Err(error) if error.is_fault() => Err(error),
                Err(_) => Ok(None),
            },
        }
    }

    /// Returns the payload, as a value, that says `wire` there; `before` is what the topic said last, and keeps the rest.
    /// `None` where a template can't be written backwards.
    pub(in crate::devices) fn write(&self, before: Option<&Payload>, wire: Value) -> Option<Value> {
        match self {
            Extract::Text | Extract::Value => Some(wire),
            Extract::Key(key) | Extract::KeyOrText(key) => {
                Some(with_member(before_map(before), std::slice::from_ref(key), wire))
            }
            Extract::Keys(keys) => Some(with_member(before_map(before), keys, wire)),
            Extract::Template(template) => template.plain()?.write(before, &wire),
        }
    }

    /// Returns whether several properties share one message there.
    pub(in crate::devices) fn is_shared(&self) -> bool {
        match self {
            Extract::Text | Extract::Value => false,
            Extract::Key(_) | Extract::KeyOrText(_) | Extract::Keys(_) => true,
            Extract::Template(template) => matches!(template.plain(), Some(Plain::Path(_))),
        }
    }
}

impl Reader {
    /// Returns what a message says; `None` where it says nothing, or nothing that fits.
    ///
    /// # Errors
    /// When a template is at fault, whatever the message.
    pub fn read(&self, payload: &Payload) -> Result<Option<Value>, TemplateError> {
        // Most keys are read where they stand, without a copy.
        if let Extract::Key(key) = &self.extract {
            return Ok(member(payload.value(), key).and_then(|wire| self.codec.decode(wire)));
        }
        Ok(self.extract.read(payload)?.and_then(|wire| self.codec.decode(&wire)))
    }

    /// Returns what a message says, of which this is the value at [`Extract::key`].
    pub(in crate::devices) fn read_member(&self, value: &Value) -> Option<Value> {
        let deeper = match &self.extract {
            Extract::Keys(keys) => keys.get(1..).unwrap_or_default(),
            Extract::Text | Extract::Value | Extract::Key(_) | Extract::KeyOrText(_) | Extract::Template(_) => &[],
        };
        deeper.iter().try_fold(value, |value, key| member(value, key)).and_then(|wire| self.codec.decode(wire))
    }
}

impl Property {
    /// Returns what a message says of it that isn't what the device promised: a text for a number, or a number out of its range.
    #[must_use]
    pub fn misfit(&self, reader: &Reader, payload: &Payload) -> Option<Value> {
        // Of events, each kind of message that is none says nothing.
        if self.holds.is_event() {
            return None;
        }
        let wire = reader.extract.read(payload).ok()??;
        if wire.is_null() || matches!(&wire, Value::Text(text) if text.trim().is_empty() || **text == *"None") {
            return None;
        }
        let Some(value) = reader.codec.decode(&wire) else { return Some(wire) };
        let Holds::Number(range) = &self.holds else { return None };
        let number = value.as_number()?;
        let is_below = range.min.is_some_and(|min| number < min);
        (is_below || range.max.is_some_and(|max| number > max)).then_some(value)
    }
}

fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Map(entries) => entries.get(key),
        _ => None,
    }
}

fn before_map(before: Option<&Payload>) -> Map {
    match before.map(Payload::value) {
        Some(Value::Map(entries)) => (**entries).clone(),
        _ => Map::default(),
    }
}

/// Returns `entries` with `wire` at the end of these keys.
pub(in crate::devices) fn with_member(mut entries: Map, keys: &[Arc<str>], wire: Value) -> Value {
    let Some((key, deeper)) = keys.split_first() else { return wire };
    let inner = match entries.get(key) {
        Some(Value::Map(inner)) => (**inner).clone(),
        _ => Map::default(),
    };
    entries.insert(Arc::clone(key), with_member(inner, deeper, wire));
    Value::Map(entries.into())
}
