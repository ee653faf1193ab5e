//! How a value travels: what a device writes for what rules see, and back.

pub(in crate::devices) mod color;
pub(in crate::devices) mod units;

use std::sync::Arc;

use crate::devices::codec::color::{Color, ColorForm};
use crate::devices::codec::units::Conversion;
use crate::devices::device::property::Range;
use crate::devices::template::python_text;
use crate::model::{Map, Value, parse_duration};

/// How a value travels. What doesn't fit says nothing (`None`): a device that breaks its promise isn't heard there.
#[derive(Debug, Clone, PartialEq)]
pub enum Codec {
    /// As it is; a text that is a number is that number.
    Plain,
    /// A number, also as a text.
    Number,
    /// A text.
    Text,
    /// Two words for true and false.
    Boolean {
        /// What says true.
        yes: Value,
        /// What says false.
        no: Value,
    },
    /// Words of ours for words of theirs; a word that isn't in the list says nothing.
    Words(Arc<[(Arc<str>, Value)]>),
    /// A number of another unit: `ours = theirs * factor + offset`.
    Linear {
        /// Times this.
        factor: f64,
        /// And this on top.
        offset: f64,
    },
    /// A percentage of a range, whole.
    Percent {
        /// What 0 % is there.
        low: f64,
        /// What 100 % is there; below `low` where the device counts the other way round.
        high: f64,
        /// Whether all that isn't off is at least 1 %.
        has_least: bool,
    },
    /// Mired for kelvin.
    Mired,
    /// A whole number, such as kelvin.
    Whole,
    /// A colour.
    Color(ColorForm),
    /// A siren of Home Assistant: on, off, or on with a tone, volume and duration.
    Siren {
        /// What says on.
        yes: Value,
        /// What says off.
        no: Value,
        /// Whether they go in a map.
        is_map: bool,
    },
    /// An event of Home Assistant: the type in a map.
    EventType,
    /// What a siren of zigbee2mqtt is told: a map with its mode, level and duration.
    Warning,
    /// An event of a Shelly's inputs: a notice with `events`.
    ShellyEvent {
        /// Whether there is one input only, which needs no name.
        is_single: bool,
    },
    /// Each message is an event; its text is the value, and none is no event.
    Event,
}

impl Codec {
    /// Returns `codec` for a unit that is converted.
    pub(in crate::devices) fn conversion(conversion: Conversion) -> Codec {
        Codec::Linear { factor: conversion.factor, offset: conversion.offset }
    }

    /// Returns the codec of the usual words `ON` and `OFF`.
    #[must_use]
    pub fn on_off() -> Codec {
        Codec::Boolean { yes: "ON".into(), no: "OFF".into() }
    }

    /// Returns the codec of JSON's true and false.
    #[must_use]
    pub fn boolean() -> Codec {
        Codec::Boolean { yes: true.into(), no: false.into() }
    }

    /// Returns what `wire` says in the words of rules; `None` where it says nothing that fits.
    #[must_use]
    pub fn decode(&self, wire: &Value) -> Option<Value> {
        if wire.is_null() {
            return None;
        }
        match self {
            Codec::Plain => Some(scalar(wire)),
            Codec::Number => number(wire).map(tidy_exact),
            Codec::Text => Some(Value::text(python_text(wire))),
            Codec::Boolean { yes, no } => match () {
                () if is_word(wire, yes) => Some(true.into()),
                () if is_word(wire, no) => Some(false.into()),
                () => None,
            },
            Codec::Words(words) => {
                words.iter().find(|(_, theirs)| is_word(wire, theirs)).map(|(ours, _)| Value::Text(Arc::clone(ours)))
            }
            Codec::Linear { factor, offset } => number(wire).map(|number| tidy(number.mul_add(*factor, *offset))),
            Codec::Percent { low, high, has_least } => percent(number(wire)?, *low, *high, *has_least),
            Codec::Mired => number(wire).filter(|mired| *mired > 0.0).map(|mired| whole(1_000_000.0 / mired)),
            Codec::Whole => number(wire).map(whole),
            Codec::Color(form) => Color::decode(*form, wire).map(|color| Value::text(color.hex())),
            Codec::Siren { yes, no, .. } => {
                Codec::Boolean { yes: yes.clone(), no: no.clone() }.decode(member(wire, "state").unwrap_or(wire))
            }
            Codec::EventType => {
                let parsed = wire.as_text().map(|text| Value::from_payload(text.as_bytes()));
                let kind = member(parsed.as_ref().unwrap_or(wire), "event_type")?.as_text()?;
                (!kind.is_empty()).then(|| Value::text(kind))
            }
            Codec::Warning => {
                let mode = member(wire, "mode")?.as_text()?;
                Some(Value::Bool(mode != "stop"))
            }
            Codec::ShellyEvent { is_single } => shelly_event(wire, *is_single),
            Codec::Event => Some(python_text(wire)).filter(|text| !text.is_empty()).map(Value::text),
        }
    }

    /// Returns what is sent to a device for a value of rules; `None` where it can't be said.
    #[must_use]
    pub fn encode(&self, value: &Value) -> Option<Value> {
        match self {
            Codec::Plain | Codec::Event => Some(value.clone()),
            Codec::Number => value.as_number().map(|_| value.clone()),
            Codec::Siren { yes, no, is_map } => siren(value, yes, no, *is_map),
            Codec::Warning => warning(value),
            Codec::ShellyEvent { .. } => shelly_notice(value),
            Codec::EventType => Some(Value::Map(Map::from_iter([("event_type".into(), value.clone())]).into())),
            Codec::Text => Some(Value::text(value.to_string())),
            Codec::Boolean { yes, no } => match value {
                Value::Bool(true) => Some(yes.clone()),
                Value::Bool(false) => Some(no.clone()),
                _ => None,
            },
            Codec::Words(words) => {
                let word = value.as_text()?;
                words.iter().find(|(ours, _)| **ours == *word).map(|(_, theirs)| theirs.clone())
            }
            Codec::Linear { factor, offset } => value.as_number().map(|number| tidy((number - offset) / factor)),
            Codec::Percent { low, high, has_least } => {
                let part = value.as_number()?.clamp(0.0, 100.0);
                let raw = whole(low + (high - low) * part / 100.0);
                // The least that is on must not be off there.
                let is_off = *has_least && part > 0.0 && raw.as_number() == Some(*low);
                Some(if is_off { whole(low + (high - low).signum()) } else { raw })
            }
            Codec::Mired => value.as_number().filter(|kelvin| *kelvin > 0.0).map(|kelvin| whole(1_000_000.0 / kelvin)),
            Codec::Whole => value.as_number().map(whole),
            Codec::Color(form) => Color::parse(value).map(|color| color.encode(*form)),
        }
    }

    /// Returns what a device writes that says `value`.
    #[must_use]
    pub fn said(&self, value: &Value) -> Option<Value> {
        match self {
            Codec::Color(form) => Color::parse(value).map(|color| color.said(*form)),
            other => other.encode(value),
        }
    }

    /// Returns whether two values of rules are the same to the device.
    #[must_use]
    pub fn is_same(&self, one: &Value, other: &Value) -> bool {
        if one == other {
            return true;
        }
        if let Codec::Color(_) = self {
            return matches!((Color::parse(one), Color::parse(other)), (Some(one), Some(other)) if one.is_same(other));
        }
        matches!((self.encode(one), self.encode(other)), (Some(one), Some(other)) if one == other)
    }
}

fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Map(entries) => entries.get(key),
        _ => None,
    }
}

/// Returns what a siren of zigbee2mqtt is sent.
fn warning(value: &Value) -> Option<Value> {
    let text = |text: &str| Value::text(text);
    let mut entries = Map::default();
    match value {
        Value::Bool(flag) => {
            entries.insert("mode".into(), text(if *flag { "emergency" } else { "stop" }));
        }
        Value::Map(wanted) => {
            entries.insert("mode".into(), wanted.get("tone").cloned().unwrap_or_else(|| text("emergency")));
            if let Some(volume) = wanted.get("volume") {
                let level = match volume.as_number()? {
                    volume if volume <= 25.0 => "low",
                    volume if volume <= 50.0 => "medium",
                    volume if volume <= 75.0 => "high",
                    _ => "very_high",
                };
                entries.insert("level".into(), text(level));
            }
            match wanted.get("duration") {
                Some(Value::Text(duration)) => {
                    entries.insert("duration".into(), whole(parse_duration(duration).ok()?.as_secs_f64()));
                }
                Some(seconds) => {
                    entries.insert("duration".into(), seconds.clone());
                }
                None => {}
            }
        }
        _ => return None,
    }
    Some(Value::Map(entries.into()))
}

/// Returns the event of a notice: `single_push`, of input 2 of several `input_2_single_push`.
fn shelly_event(notice: &Value, is_single: bool) -> Option<Value> {
    let Value::List(events) = member(member(notice, "params")?, "events")? else { return None };
    events.iter().find_map(|event| {
        let number: u32 = member(event, "component")?.as_text()?.strip_prefix("input:")?.parse().ok()?;
        let what = member(event, "event")?.as_text().filter(|what| !what.is_empty())?;
        Some(Value::text(if is_single {
            what.to_owned()
        } else {
            format!("input_{}_{what}", number.saturating_add(1))
        }))
    })
}

/// Returns the notice of an event.
fn shelly_notice(event: &Value) -> Option<Value> {
    let text = event.as_text()?;
    let numbered = text.strip_prefix("input_").and_then(|rest| rest.split_once('_'));
    let numbered = numbered.and_then(|(number, what)| Some((number.parse::<i64>().ok()?.checked_sub(1)?, what)));
    let (number, what) = numbered.unwrap_or((0, text));
    let json = serde_json::json!({
        "src": "shelly", "method": "NotifyEvent",
        "params": { "events": [{ "component": format!("input:{number}"), "id": number, "event": what }] },
    });
    Some(Value::from_json(json))
}

/// Returns what a siren is sent: `{"state": "ON", "tone": …}`, or what a template gets of that.
fn siren(value: &Value, yes: &Value, no: &Value, is_map: bool) -> Option<Value> {
    let mut entries = Map::default();
    match value {
        Value::Bool(flag) => {
            let word = if *flag { yes } else { no };
            if !is_map {
                return Some(word.clone());
            }
            entries.insert("state".into(), word.clone());
        }
        Value::Map(wanted) => {
            entries.insert(if is_map { "state" } else { "value" }.into(), yes.clone());
            for (key, value) in wanted.iter() {
                match (&**key, value) {
                    ("volume", volume) => entries.insert("volume_level".into(), tidy(volume.as_number()? / 100.0)),
                    ("duration", Value::Text(text)) => {
                        entries.insert("duration".into(), tidy(parse_duration(text).ok()?.as_secs_f64()))
                    }
                    ("tone" | "duration", value) => entries.insert(Arc::clone(key), value.clone()),
                    _ => return None,
                };
            }
        }
        _ => return None,
    }
    Some(Value::Map(entries.into()))
}

/// Returns whether what a device wrote is this word of it. A template gives texts, and a word may have been configured as a
/// number or boolean: they are compared as Home Assistant does, by what Python writes.
fn is_word(wire: &Value, word: &Value) -> bool {
    if wire == word {
        return true;
    }
    match (wire, word) {
        (Value::Text(_), Value::Text(_)) => false,
        (_, Value::Text(word)) => python_text(wire) == **word,
        (Value::Text(wire), _) => python_text(word) == **wire,
        _ => false,
    }
}

/// Returns the number that `wire` is or writes.
pub(in crate::devices) fn number(wire: &Value) -> Option<f64> {
    let number = match wire {
        Value::Text(text) => text.trim().parse().ok()?,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        other => other.as_number()?,
    };
    number.is_finite().then_some(number)
}

/// Returns a text that is a number as that number, and all else as it is.
fn scalar(wire: &Value) -> Value {
    let Value::Text(text) = wire else { return wire.clone() };
    let may_be_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    match may_be_number.then(|| Value::from_payload(text.as_bytes())) {
        Some(number @ (Value::Int(_) | Value::Float(_))) => number,
        _ => wire.clone(),
    }
}

fn percent(raw: f64, low: f64, high: f64, has_least: bool) -> Option<Value> {
    let span = high - low;
    if span == 0.0 {
        return None;
    }
    let part = ((raw - low) * 100.0 / span).clamp(0.0, 100.0);
    let rounded = half_up(part);
    Some(whole(if has_least && part > 0.0 { rounded.max(1.0) } else { rounded }))
}

/// Rounds half up.
fn half_up(number: f64) -> f64 {
    (number + 0.5).floor()
}

/// Returns the kelvin that a range in mired takes: what is rounded to one of its ends is within.
pub(in crate::devices) fn kelvin_range(least: Option<f64>, most: Option<f64>) -> Range {
    let kelvin = |mired: f64| 1_000_000.0 / mired;
    let min = most.filter(|most| *most > 0.0).map(|most| kelvin(most + 0.5).ceil());
    let max = least.filter(|least| *least > 0.5).map(|least| kelvin(least - 0.5).floor());
    Range { min, max, step: None, is_whole: true }
}

/// Returns a number as the nearest whole one.
pub(in crate::devices) fn whole(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates, which is what a number beyond all bounds should do"
    )]
    Value::Int(half_up(number) as i64)
}

/// Returns a number without the noise of its conversion, and whole where it is.
pub(in crate::devices) fn tidy(number: f64) -> Value {
    let rounded = (number * 10_000.0).round() / 10_000.0;
    tidy_exact(if rounded.is_finite() { rounded } else { number })
}

/// Returns a number, whole where it is.
fn tidy_exact(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e15 { whole(number) } else { Value::Float(number) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Value {
        Value::from_payload(text.as_bytes())
    }

    #[test]
    fn what_a_device_says_is_read_into_the_words_of_rules() {
        let brightness = Codec::Percent { low: 0.0, high: 254.0, has_least: true };
        let fahrenheit = Codec::conversion(crate::devices::codec::units::conversion("°F").unwrap());
        for (codec, wire, value) in [
            (&Codec::on_off(), "ON", Some("true")),
            (&Codec::on_off(), "off", None),
            (&Codec::Boolean { yes: "True".into(), no: "False".into() }, "true", Some("true")),
            (&Codec::Boolean { yes: "1".into(), no: "0".into() }, "0", Some("false")),
            (&brightness, "254", Some("100")),
            (&brightness, "1", Some("1")),
            (&brightness, "0", Some("0")),
            (&brightness, "102", Some("40")),
            (&brightness, "765", Some("100")),
            (&brightness, "\"bright\"", None),
            (&Codec::Mired, "370", Some("2703")),
            (&Codec::Mired, "0", None),
            (&fahrenheit, "68", Some("20")),
            (&fahrenheit, "70", Some("21.1111")),
            (&Codec::Linear { factor: 0.001, offset: 0.0 }, "2985", Some("2.985")),
            (&Codec::Number, "\"21.5\"", Some("21.5")),
            (&Codec::Number, "1e999", None),
            (&Codec::Event, "\"\"", None),
            (&Codec::Plain, "null", None),
        ] {
            assert_eq!(codec.decode(&read(wire)), value.map(read), "{codec:?} {wire}");
        }
    }

    #[test]
    fn what_a_device_rounds_is_the_same() {
        assert!(Codec::Mired.is_same(&Value::Int(2700), &Value::Int(2703)));
        assert!(!Codec::Mired.is_same(&Value::Int(2700), &Value::Int(2720)));
        let color = Codec::Color(ColorForm::Zigbee);
        assert!(
            color.is_same(&"#804000".into(), &"#ff8100".into()) == color.is_same(&"#ff8100".into(), &"#804000".into())
        );
        assert!(
            color.is_same(&"#FF0000".into(), &"#ff0000".into()) && !color.is_same(&"#ff0000".into(), &"#00ff00".into())
        );
    }

    #[test]
    fn the_least_that_is_on_is_never_off() {
        let three_steps = Codec::Percent { low: 0.0, high: 3.0, has_least: true };
        assert_eq!(three_steps.encode(&Value::Int(1)), Some(Value::Int(1)));
        assert_eq!(three_steps.encode(&Value::Int(0)), Some(Value::Int(0)));
        let inverted = Codec::Percent { low: 100.0, high: 0.0, has_least: false };
        assert_eq!(inverted.encode(&Value::Int(30)), Some(Value::Int(70)));
        assert_eq!(inverted.decode(&Value::Int(70)), Some(Value::Int(30)));
    }

    proptest! {
        #[test]
        fn a_percentage_comes_back(part in 0i64..=100, high in 100u16..=1023, has_least in any::<bool>()) {
            let codec = Codec::Percent { low: 0.0, high: high.into(), has_least };
            let wire = codec.encode(&Value::Int(part)).unwrap();
            prop_assert_eq!(codec.decode(&wire), Some(Value::Int(part)));
        }

        #[test]
        fn kelvin_is_the_same_after_a_round_trip(kelvin in 1500i64..=9000) {
            let back = Codec::Mired.decode(&Codec::Mired.encode(&Value::Int(kelvin)).unwrap()).unwrap();
            prop_assert!(Codec::Mired.is_same(&back, &Value::Int(kelvin)));
        }
    }
}
