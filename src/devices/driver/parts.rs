//! What drivers share: reading definitions, and making properties.

use std::sync::Arc;

use crate::devices::codec::Codec;
use crate::devices::device::property::{Form, Holds, Property, Range, Read, Write};
use crate::devices::device::reader::{Extract, Reader};
use crate::devices::device::vocabulary::word;
use crate::model::{Qos, Value};

/// Returns what stands under `key` of a map.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Map(entries) => entries.get(key).filter(|value| !value.is_null()),
        _ => None,
    }
}

/// Returns the text under `key`, where it is one and not empty.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    get(value, key)?.as_text().filter(|text| !text.is_empty())
}

/// Returns the number under `key`.
pub(super) fn number(value: &Value, key: &str) -> Option<f64> {
    get(value, key)?.as_number().filter(|number| number.is_finite())
}

/// Returns the items under `key`; none where it is no list.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match get(value, key) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// Returns the texts among the items under `key`; a number or boolean as its text.
pub(super) fn texts(value: &Value, key: &str) -> Vec<Arc<str>> {
    let scalars = list(value, key).iter().filter(|item| !matches!(item, Value::Map(_) | Value::List(_) | Value::Null));
    scalars.map(|item| crate::devices::template::python_text(item).into()).collect()
}

/// Returns whether the flag under `key` is set.
pub(super) fn flag(value: &Value, key: &str) -> bool {
    get(value, key) == Some(&Value::Bool(true))
}

/// Returns a property of a word of the vocabulary, to which reads and a write are added.
pub(super) fn of_word(name: &str) -> Property {
    let word = word(name);
    Property {
        name: name.into(),
        holds: word.map_or(Holds::Any, crate::devices::device::vocabulary::Word::holds),
        unit: word.and_then(crate::devices::device::vocabulary::Word::unit).map(Arc::from),
        reads: Vec::new(),
        write: None,
        is_optimistic: false,
    }
}

/// Returns a property with a name of its own.
pub(super) fn named(name: &str, holds: Holds) -> Property {
    Property { name: name.into(), holds, unit: None, reads: Vec::new(), write: None, is_optimistic: false }
}

impl Property {
    /// Adds a place where it is read.
    pub(super) fn read(mut self, topic: usize, extract: Extract, codec: Codec) -> Property {
        self.reads.push(Read { topic, reader: Reader { extract, codec } });
        self
    }

    /// Sets how it is written.
    pub(super) fn written(mut self, topic: usize, form: Form, codec: Codec) -> Property {
        self.write = Some(Write {
            topic,
            form,
            codec,
            words: command_words(&self.name),
            order: 0,
            needs: None,
            qos: Qos::AtLeastOnce,
            retain: false,
        });
        self
    }

    /// Changes how it is written, where it is.
    pub(super) fn with_write(mut self, change: impl FnOnce(&mut Write)) -> Property {
        if let Some(write) = &mut self.write {
            change(write);
        }
        self
    }

    /// Sets what it holds.
    pub(super) fn holding(mut self, holds: Holds) -> Property {
        self.holds = holds;
        self
    }

    /// Sets the numbers that it holds.
    pub(super) fn within(mut self, min: Option<f64>, max: Option<f64>, step: Option<f64>) -> Property {
        if let Holds::Number(range) = &mut self.holds {
            *range = Range { min, max, step, is_whole: range.is_whole };
        }
        self
    }

    /// Sets its unit.
    pub(super) fn in_unit(mut self, unit: Option<Arc<str>>) -> Property {
        self.unit = unit;
        self
    }

    /// Gives it another name.
    pub(super) fn called(mut self, name: impl Into<Arc<str>>) -> Property {
        self.name = name.into();
        self
    }
}

/// Returns the words that a command may use for a property besides what it holds.
fn command_words(name: &str) -> Arc<[Arc<str>]> {
    let words: &[&str] = match name {
        "on" | "sound" => &["toggle"],
        "position" | "tilt" => &["open", "closed"],
        "move" => &["open", "close", "stop"],
        "alarm" => &["disarm", "arm_home", "arm_away", "arm_night", "arm_vacation", "arm_custom_bypass", "trigger"],
        "vacuum" => &["start", "pause", "stop", "dock", "locate", "spot"],
        _ => &[],
    };
    words.iter().map(|word| Arc::from(*word)).collect()
}

/// Returns words of ours for words of theirs.
pub(super) fn words(pairs: &[(&str, &str)]) -> Codec {
    Codec::Words(pairs.iter().map(|(ours, theirs)| (Arc::from(*ours), Value::text(*theirs))).collect())
}

/// Returns words as a property holds them.
pub(super) fn shared(words: &[&str]) -> Arc<[Arc<str>]> {
    words.iter().map(|word| Arc::from(*word)).collect()
}

/// Gives each property a name of its own: a second of one name gets `_2`.
pub(super) fn name_apart(properties: &mut [Property]) {
    let mut taken: std::collections::BTreeSet<Arc<str>> = std::collections::BTreeSet::new();
    for property in properties {
        let mut count = 1;
        let base = Arc::clone(&property.name);
        while !taken.insert(Arc::clone(&property.name)) {
            count += 1;
            property.name = format!("{base}_{count}").into();
        }
    }
}
