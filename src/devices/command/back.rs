//! How a device gets back to what it was: what of its state it can be told again, and by which commands.

use std::sync::Arc;

use jiff::Timestamp;

use crate::devices::command::CommandError;
use crate::devices::command::encode::go_together;
use crate::devices::device::Device;
use crate::devices::device::property::{Holds, Property, Write};
use crate::devices::device::reader::Extract;
use crate::devices::device::vocabulary::{is_channel, word};
use crate::model::{Map, Payload, Topic, TopicFilter, Value};

/// What a device last said of a property, and since when it says so.
type Said = (Value, Timestamp);

/// What has become of a device since its state was noted.
pub struct Since<'a> {
    /// Whether somebody has commanded a property.
    pub is_commanded: &'a dyn Fn(&str) -> bool,
    /// What the device says of a property now.
    pub said: &'a dyn Fn(&str) -> Option<Value>,
}

impl Device {
    /// Returns what the device says of the properties that can be set, in their order: what it takes to tell it the same again. Of a
    /// light's colour and colour temperature that which it shines in. `heard` is what a topic said last.
    ///
    /// What only happens or moves (`press`, `transition`, `move`) isn't a state to get back to.
    #[must_use]
    pub fn restorable(
        &self,
        said: &dyn Fn(&str) -> Option<Said>,
        heard: &dyn Fn(&Topic) -> Option<Payload>,
    ) -> Vec<(Arc<str>, Value)> {
        if self.refuses.is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for property in self.properties.iter() {
            let Some(write) = &property.write else { continue };
            let lasts = match property.holds {
                Holds::Event(_) | Holds::Press | Holds::Duration => false,
                // What it's told there isn't what it says: `open`, and then `opening`.
                Holds::Words(_) => write.words.is_empty(),
                _ => true,
            };
            if !lasts || self.is_dark(property, said, heard) {
                continue;
            }
            let Some((value, _)) = said(&property.name) else { continue };
            if self.check(&property.name, Some(&value)).is_ok() {
                found.push((Arc::clone(&property.name), value));
            }
        }
        found
    }

    /// Returns whether a property is the one of a light's colour and colour temperature in which it doesn't shine.
    fn is_dark(
        &self,
        property: &Property,
        said: &dyn Fn(&str) -> Option<Said>,
        heard: &dyn Fn(&Topic) -> Option<Payload>,
    ) -> bool {
        let (is_temperature, channel) = match property.name.strip_prefix("color_temp") {
            Some(channel) => (true, channel),
            None => match property.name.strip_prefix("color") {
                Some(channel) => (false, channel),
                None => return false,
            },
        };
        if !channel.is_empty() && !channel.starts_with('_') {
            return false;
        }
        let (color, temperature) = (format!("color{channel}"), format!("color_temp{channel}"));
        let is_set = |name: &str| self.property(name).is_some_and(|(_, property)| property.write.is_some());
        if !is_set(&color) || !is_set(&temperature) {
            return false;
        }
        let (Some((color_said, color_at)), Some((_, temperature_at))) = (said(&color), said(&temperature)) else {
            return false;
        };
        let shines_white = self
            .shines_white(&color, heard)
            .unwrap_or_else(|| color_said.as_text().is_some_and(is_colorless) || temperature_at > color_at);
        is_temperature != shines_white
    }

    /// Returns whether a light shines in its colour temperature, where the message with its colour says so (`color_mode`).
    fn shines_white(&self, color: &str, heard: &dyn Fn(&Topic) -> Option<Payload>) -> Option<bool> {
        let (_, property) = self.property(color)?;
        let read = property.reads.first()?;
        let payload = heard(&self.topics.get(read.topic).and_then(TopicFilter::as_topic)?)?;
        let Value::Map(entries) = payload.value() else { return None };
        let key = match &read.reader.extract {
            Extract::Key(key) => Some(&**key),
            _ => None,
        };
        let own = key.and_then(|key| key.strip_prefix("color")).map(|end| format!("color_mode{end}"));
        let mode = own.and_then(|own| entries.get(&*own)).or_else(|| entries.get("color_mode"))?;
        mode.as_text().map(|mode| mode == "color_temp")
    }

    /// Returns the commands that bring the device back to `values`, in their order, and what it doesn't take any more.
    ///
    /// A thermostat gets its mode last. What was off is switched off last: most devices go on with a change of their brightness or colour. One that is still off
    /// isn't told what it says anyway. Settings that are no word of the vocabulary are left out where they are as they were.
    #[must_use]
    pub fn commands_back(&self, values: &[(Arc<str>, Value)], since: &Since<'_>) -> (Vec<Map>, Vec<CommandError>) {
        let mut errors = Vec::new();
        let mut wanted: Vec<(&Property, &Write, &Arc<str>, &Value)> = Vec::new();
        for (name, value) in values {
            let checked = self.check(name, Some(value)).and_then(|()| self.writable(name));
            match checked {
                Ok((property, write)) => wanted.push((property, write, name, value)),
                // A device that takes nothing says so once.
                Err(error @ CommandError::Refused { .. }) => return (Vec::new(), vec![error]),
                Err(error) => errors.push(error),
            }
        }
        let is_as_it_was = |(property, _, name, value): &(&Property, &Write, &Arc<str>, &Value)| {
            !(since.is_commanded)(name) && (since.said)(name).is_some_and(|now| property.is_same(value, &now))
        };
        wanted.retain(|one| is_of_vocabulary(one.2) || !is_as_it_was(one));
        wanted.sort_by_key(|one| turn(one.2));
        let is_off = |(_, _, name, value): &(_, _, &Arc<str>, &Value)| is_switch(name) && **value == Value::Bool(false);
        let (off, mut rest): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_off);
        if off.iter().all(is_as_it_was) && !off.is_empty() {
            rest.retain(|one| is_switch(one.2) || !is_as_it_was(one));
        }
        let map = |values: &[(&Property, &Write, &Arc<str>, &Value)]| -> Map {
            values.iter().map(|(_, _, name, value)| (Arc::clone(name), (*value).clone())).collect()
        };
        let only_switches = rest.iter().all(|one| is_switch(one.2));
        let writes = || rest.iter().chain(&off).map(|one| one.1);
        let commands = if off.is_empty() || only_switches || go_together(writes()) {
            vec![map(&[rest.as_slice(), off.as_slice()].concat())]
        } else {
            vec![map(&rest), map(&off)]
        };
        (commands.into_iter().filter(|command| !command.is_empty()).collect(), errors)
    }
}

/// Returns when a property has its turn: a thermostat may leave its preset, or switch itself on, with a change of its setpoint.
fn turn(name: &str) -> u8 {
    let is = |word: &str| name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    match () {
        () if is("mode") => 2,
        () if is("preset") => 1,
        () => 0,
    }
}

/// Returns whether a colour is a grey, as lights say that shine in another way.
fn is_colorless(color: &str) -> bool {
    let Some(digits) = color.strip_prefix('#').filter(|digits| digits.len() == 6) else { return false };
    let mut parts = digits.as_bytes().chunks(2);
    let first = parts.next();
    parts.all(|part| Some(part) == first)
}

/// Returns whether a property switches the device, or a channel of it.
fn is_switch(name: &str) -> bool {
    name == "on" || name.starts_with("on_")
}

/// Returns whether a property is a word of the vocabulary, of a channel too: `brightness_2`.
fn is_of_vocabulary(name: &str) -> bool {
    if word(name).is_some() || is_switch(name) {
        return true;
    }
    name.rsplit_once('_').is_some_and(|(name, channel)| word(name).is_some() && is_channel(name, channel))
}
