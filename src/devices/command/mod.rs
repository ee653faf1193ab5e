//! Commands: what a rule wants, checked against what the device has, made absolute, and put into its messages.

pub(in crate::devices) mod back;
pub(in crate::devices) mod encode;
pub(in crate::devices) mod says;

use std::sync::Arc;

use thiserror::Error;

use crate::devices::codec::color::Color;
use crate::devices::command::encode::{EncodeError, Publication, publications};
use crate::devices::device::Device;
use crate::devices::device::property::{Holds, Property, Range, Write};
use crate::model::{Map, Value, parse_duration};

/// What a command comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Command {
    /// The messages, in their order; none where the device says all of it already and only changes were wanted.
    pub publications: Vec<Publication>,
    /// What was wanted, absolute: `toggle` and `"+10%"` are computed.
    pub values: Vec<(Arc<str>, Value)>,
    /// Those of the values that the device can be seen to follow.
    pub confirmable: Vec<(Arc<str>, Value)>,
}

/// What a command takes into account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommandOptions {
    /// Whether what the device already says is left out.
    pub if_changed: bool,
}

/// Why a command can't be sent to a device.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CommandError {
    /// It takes none.
    #[error("`{device}` can't be commanded: {reason}")]
    Refused {
        /// The device's name.
        device: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// It has no such property.
    #[error("`{device}` has no property `{property}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoProperty {
        /// The device's name.
        device: Arc<str>,
        /// What was asked for.
        property: Arc<str>,
        /// What was probably meant.
        near: Option<Arc<str>>,
    },
    /// It can only be read.
    #[error("`{property}` of `{device}` can only be read")]
    ReadOnly {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
    },
    /// The value isn't of the property's type.
    #[error("`{property}` of `{device}` takes {expected}, not `{value}`")]
    WrongValue {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
        /// What was given.
        value: Value,
        /// What it takes.
        expected: String,
    },
    /// What it is now isn't known, so that it can't be changed by some.
    #[error("`{property}` of `{device}` isn't known yet, so `{value}` can't be computed")]
    Unknown {
        /// The device's name.
        device: Arc<str>,
        /// The property.
        property: Arc<str>,
        /// What was given.
        value: Value,
    },
    /// The device's messages can't say it.
    #[error("the message for `{device}` can't be made: {reason}")]
    Unsayable {
        /// The device's name.
        device: Arc<str>,
        /// Why.
        reason: String,
    },
}

impl Device {
    /// Returns what it takes to make the device what `wanted` says. `known` is what it last said of a property.
    ///
    /// # Errors
    /// All that is wrong with it; then nothing is to be sent.
    pub fn command(
        &self,
        wanted: &Map,
        known: &dyn Fn(&str) -> Option<Value>,
        options: CommandOptions,
    ) -> Result<Command, Vec<CommandError>> {
        let mut errors = Vec::new();
        if let Some(reason) = &self.refuses {
            errors.push(CommandError::Refused { device: Arc::clone(&self.name), reason: Arc::clone(reason) });
            return Err(errors);
        }
        let mut values: Vec<(&Property, &Write, Value)> = Vec::new();
        for (name, value) in wanted {
            match self.absolute(name, value, known) {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.turn_off_at_zero(&mut values);
        let command_values: Vec<(Arc<str>, Value)> =
            values.iter().map(|(property, _, value)| (Arc::clone(&property.name), value.clone())).collect();
        let confirmable = values.iter().filter(|(property, _, _)| property.can_confirm());
        let confirmable = confirmable.map(|(property, _, value)| (Arc::clone(&property.name), value.clone())).collect();
        if options.if_changed {
            values.retain(|(property, _, value)| {
                !known(&property.name).is_some_and(|said| property.is_same(value, &said))
            });
            // How long a change takes is nothing without one.
            if values.iter().all(|(property, _, _)| property.holds == Holds::Duration) {
                values.clear();
            }
        }
        self.add_needed(&mut values);
        let borrowed: Vec<_> = values.iter().map(|(property, write, value)| (*property, *write, value)).collect();
        match publications(self, &borrowed) {
            Ok(publications) => Ok(Command { publications, values: command_values, confirmable }),
            Err(error) => Err(vec![self.unsayable(error)]),
        }
    }

    /// Checks one property of a command before it is sent: that the device has it, and takes such a value. Without a value, only
    /// that it can be set.
    ///
    /// # Errors
    /// What is wrong. What depends on the device's state isn't.
    pub fn check(&self, property: &str, value: Option<&Value>) -> Result<(), CommandError> {
        if let Some(reason) = &self.refuses {
            return Err(CommandError::Refused { device: Arc::clone(&self.name), reason: Arc::clone(reason) });
        }
        let (property, _) = self.writable(property)?;
        let Some(value) = value else { return Ok(()) };
        match self.absolute(&property.name, value, &|_| None) {
            Ok(_) | Err(CommandError::Unknown { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(in crate::devices) fn writable(&self, name: &str) -> Result<(&Property, &Write), CommandError> {
        let device = || Arc::clone(&self.name);
        let Some((_, property)) = self.property(name) else {
            let names: Vec<&Arc<str>> = self.properties.iter().map(|property| &property.name).collect();
            return Err(CommandError::NoProperty { device: device(), property: name.into(), near: near(name, &names) });
        };
        match &property.write {
            Some(write) => Ok((property, write)),
            None => Err(CommandError::ReadOnly { device: device(), property: name.into() }),
        }
    }

    fn absolute(
        &self,
        name: &str,
        value: &Value,
        known: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<(&Property, &Write, Value), CommandError> {
        let (property, write) = self.writable(name)?;
        let wrong = |expected: String| CommandError::WrongValue {
            device: Arc::clone(&self.name),
            property: name.into(),
            value: value.clone(),
            expected,
        };
        let unknown =
            || CommandError::Unknown { device: Arc::clone(&self.name), property: name.into(), value: value.clone() };
        let absolute = match wanted(property, write, value).ok_or_else(|| wrong(expected(property, write)))? {
            Wanted::Value(value) => value,
            Wanted::Toggled => match known(name) {
                Some(Value::Bool(flag)) => Value::Bool(!flag),
                _ => return Err(unknown()),
            },
            Wanted::Changed(by, range) => {
                let now = known(name).and_then(|value| value.as_number()).ok_or_else(unknown)?;
                range_number(clamped(now + by, range), range, name)
            }
        };
        Ok((property, write, absolute))
    }

    /// Makes a brightness of 0 turn the light off.
    fn turn_off_at_zero<'a>(&'a self, values: &mut Vec<(&'a Property, &'a Write, Value)>) {
        let Some(place) = values.iter().position(|(property, _, value)| {
            (*property.name == *"brightness" || property.name.starts_with("brightness_"))
                && value.as_number() == Some(0.0)
        }) else {
            return;
        };
        let Some(channel) = values.get(place).and_then(|(property, _, _)| property.name.strip_prefix("brightness"))
        else {
            return;
        };
        let on = format!("on{channel}");
        let Some((_, property)) = self.property(&on) else { return };
        let Some(write) = &property.write else { return };
        values.remove(place);
        match values.iter_mut().find(|(property, _, _)| *property.name == *on) {
            Some((_, _, value)) => *value = Value::Bool(false),
            None => values.push((property, write, Value::Bool(false))),
        }
    }

    /// Adds what the protocol wants beside a change: a light is switched on with its brightness.
    fn add_needed<'a>(&'a self, values: &mut Vec<(&'a Property, &'a Write, Value)>) {
        let needed: Vec<usize> = values.iter().filter_map(|(_, write, _)| write.needs).collect();
        for place in needed {
            let Some(property) = self.properties.get(place) else { continue };
            let Some(write) = &property.write else { continue };
            if !values.iter().any(|(known, _, _)| known.name == property.name) {
                values.insert(0, (property, write, Value::Bool(true)));
            }
        }
    }

    fn unsayable(&self, error: EncodeError) -> CommandError {
        let reason = match error {
            EncodeError::Unsayable => "a value has no word there".to_owned(),
            EncodeError::NoTopic => "its command topic has a wildcard".to_owned(),
            EncodeError::Template(error) => error.to_string(),
        };
        CommandError::Unsayable { device: Arc::clone(&self.name), reason }
    }
}

/// What a command wants of one property.
enum Wanted {
    Value(Value),
    Toggled,
    Changed(f64, Range),
}

/// Returns what `value` asks of the property; `None` where it takes no such value.
fn wanted(property: &Property, write: &Write, value: &Value) -> Option<Wanted> {
    let text = value.as_text();
    if text.is_some_and(|word| write.words.iter().any(|known| **known == *word)) {
        return Some(match (&property.holds, text) {
            (Holds::Boolean | Holds::Sound, Some("toggle")) => Wanted::Toggled,
            (Holds::Number(range), Some("open")) => Wanted::Value(whole_end(range.max)),
            (Holds::Number(range), Some("closed")) => Wanted::Value(whole_end(range.min)),
            _ => Wanted::Value(value.clone()),
        });
    }
    match &property.holds {
        Holds::Boolean => match value {
            Value::Bool(_) => Some(Wanted::Value(value.clone())),
            Value::Text(word) if **word == *"toggle" => Some(Wanted::Toggled),
            _ => None,
        },
        Holds::Number(range) => number(*range, property, value),
        Holds::Words(words) if words.is_empty() => text.map(|_| Wanted::Value(value.clone())),
        Holds::Words(words) => {
            let word = value.to_string();
            words.iter().find(|known| ***known == *word).map(|known| Wanted::Value(Value::Text(Arc::clone(known))))
        }
        Holds::Text => match value {
            Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                Some(Wanted::Value(Value::text(value.to_string())))
            }
            _ => None,
        },
        Holds::Color => Color::parse(value).map(|color| Wanted::Value(Value::text(color.hex()))),
        Holds::Press => (value == &Value::Bool(true)).then(|| Wanted::Value(value.clone())),
        Holds::Duration => {
            let duration = parse_duration(text?).ok()?;
            Some(Wanted::Value(crate::devices::codec::tidy(duration.as_secs_f64())))
        }
        Holds::Sound => match value {
            Value::Bool(_) | Value::Map(_) => Some(Wanted::Value(value.clone())),
            Value::Text(word) if **word == *"toggle" => Some(Wanted::Toggled),
            _ => None,
        },
        Holds::Any => Some(Wanted::Value(value.clone())),
        Holds::Event(_) => None,
    }
}

/// Returns what a number's property is asked: a number, `"40%"`, or a change as `"+10%"` and `"-0.5"`.
fn number(range: Range, property: &Property, value: &Value) -> Option<Wanted> {
    let absolute =
        |number: f64| range.contains(number).then(|| Wanted::Value(range_number(number, range, &property.name)));
    let Some(text) = value.as_text() else { return absolute(value.as_number().filter(|number| number.is_finite())?) };
    let is_percent = property.unit.as_deref() == Some("%");
    let digits = match text.strip_suffix('%') {
        Some(digits) if is_percent => digits.trim_end(),
        Some(_) => return None,
        None => text,
    };
    let is_change = digits.starts_with(['+', '-']);
    if !is_change && digits.len() == text.len() {
        return None;
    }
    let unsigned = digits.trim_start_matches(['+', '-']);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite())?;
    if is_change { Some(Wanted::Changed(number, range)) } else { absolute(number) }
}

fn clamped(number: f64, range: Range) -> f64 {
    let number = range.min.map_or(number, |min| number.max(min));
    range.max.map_or(number, |max| number.min(max))
}

/// Returns a number as its property holds it: whole where it must be, and a light that is on at least 1 %.
fn range_number(number: f64, range: Range, name: &str) -> Value {
    if !range.is_whole {
        return crate::devices::codec::tidy(number);
    }
    let is_least = name.starts_with("brightness") && number > 0.0 && number < 1.0;
    if is_least { Value::Int(1) } else { crate::devices::codec::whole(number) }
}

fn whole_end(end: Option<f64>) -> Value {
    crate::devices::codec::whole(end.unwrap_or_default())
}

/// Returns what a property takes, for messages.
fn expected(property: &Property, write: &Write) -> String {
    let unit = property.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let listed = |words: &[Arc<str>]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        quoted.join(", ")
    };
    match &property.holds {
        Holds::Boolean => "`true`, `false` or `toggle`".to_owned(),
        Holds::Number(Range { min: Some(min), max: Some(max), .. }) => format!("a number from {min} to {max}{unit}"),
        Holds::Number(Range { min: Some(min), .. }) => format!("a number from {min}{unit}"),
        Holds::Number(Range { max: Some(max), .. }) => format!("a number up to {max}{unit}"),
        Holds::Number(_) => "a number".to_owned(),
        Holds::Words(words) => match (words.as_ref(), write.words.as_ref()) {
            (_, commands) if !commands.is_empty() => format!("one of {}", listed(commands)),
            ([], _) => "a word".to_owned(),
            (words, _) => format!("one of {}", listed(words)),
        },
        Holds::Text => "a text".to_owned(),
        Holds::Color => "a color: `#rrggbb`, `{ hue, saturation }` or `{ x, y }`".to_owned(),
        Holds::Press => "`true`".to_owned(),
        Holds::Duration => "a duration such as `2s`".to_owned(),
        Holds::Sound => "`true`, `false` or `{ tone, volume, duration }`".to_owned(),
        Holds::Event(_) => "nothing: it is an event".to_owned(),
        Holds::Any => "a value".to_owned(),
    }
}

/// Returns the name that was probably meant.
pub(in crate::devices) fn near(name: &str, names: &[&Arc<str>]) -> Option<Arc<str>> {
    let similarity = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &name.to_lowercase());
    let mut best: Option<(f64, &Arc<str>)> = None;
    for known in names {
        let similar = similarity(known);
        if similar > 0.82 && best.is_none_or(|(most, _)| similar > most) {
            best = Some((similar, known));
        }
    }
    best.map(|(_, known)| Arc::clone(known))
}
