//! What expressions ask: comparisons of one reading with a constant, told apart by their text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;

/// Something that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reading {
    /// A topic, with a path in its payload.
    State(String, Option<String>),
    /// A device's property.
    Device(String, String),
    Input(String),
    /// The message that triggers, with a path.
    Message(Option<String>),
}

/// A comparison: what is read, how, and with what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) reading: Reading,
    pub(super) sign: String,
    pub(super) value: Json,
}

/// What stands for a reading.
const READING: &str = r"(?:(?:ha::)?states?\('(?P<topic>[^']+)'(?:, '(?P<path>[^']+)')?\)|device\('(?P<device>[^']+)'\)\.(?P<property>\w+)|inputs\.(?P<input>\w+)|(?P<message>payload|msg)(?P<inner>(?:\??\.\w+)*))";

#[expect(clippy::expect_used, reason = "a fixed pattern, which a test compiles")]
static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
    let value = r"(?P<value>'[^']*'|-?\d+(?:\.\d+)?|true|false)";
    Regex::new(&format!(
        r"(?P<not>not )?(?:ha::\w+\(|number\(|to_float\(|\()*{READING}(?:(?:, [^()]*)?\))*(?: (?P<sign>==|!=|>=|<=|>|<) {value})?"
    ))
    .expect("the pattern is fixed")
});

/// Returns what an expression reads, with what it's compared with where that is a constant.
pub(super) fn asked(expression: &str) -> Vec<(Reading, Option<Asked>)> {
    let mut found = Vec::new();
    for captures in COMPARISON.captures_iter(expression) {
        let text = |name: &str| captures.name(name).map(|found| found.as_str().to_owned());
        let reading = if let Some(topic) = text("topic") {
            Reading::State(topic, text("path"))
        } else if let Some((device, property)) = text("device").zip(text("property")) {
            Reading::Device(device, property)
        } else if let Some(input) = text("input") {
            Reading::Input(input)
        } else {
            let path = text("inner").unwrap_or_default().replace('?', "");
            Reading::Message(Some(path.trim_start_matches('.').to_owned()).filter(|path| !path.is_empty()))
        };
        let value = text("value").and_then(|value| constant(&value));
        let asked = text("sign").zip(value).map(|(sign, value)| {
            let sign = if text("not").is_some() { opposite(&sign) } else { &sign };
            Asked { reading: reading.clone(), sign: sign.to_owned(), value }
        });
        found.push((reading, asked));
    }
    found
}

fn constant(text: &str) -> Option<Json> {
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(text) => Some(Json::from(text)),
        None => serde_json::from_str(text).ok(),
    }
}

fn opposite(sign: &str) -> &'static str {
    match sign {
        "==" => "!=",
        ">" => "<=",
        ">=" => "<",
        "<" => ">=",
        "<=" => ">",
        _ => "==",
    }
}

impl Asked {
    /// Returns a value for which it holds.
    pub(super) fn fulfilled(&self) -> Json {
        let number = self.value.as_f64();
        match (&*self.sign, number) {
            (">", Some(number)) => near(number + 1.0),
            ("<", Some(number)) => near(number - 1.0),
            ("!=", _) => other(&self.value),
            _ => self.value.clone(),
        }
    }
}

/// Returns a value that isn't this one.
pub(super) fn other(value: &Json) -> Json {
    match value {
        Json::Bool(value) => (!value).into(),
        Json::Number(number) => near(number.as_f64().unwrap_or_default() + 1.0),
        Json::String(text) => match text.as_str() {
            "on" => "off".into(),
            "home" => "not_home".into(),
            "open" => "closed".into(),
            "off" | "unavailable" | "unknown" => "on".into(),
            _ => "before".into(),
        },
        _ => "before".into(),
    }
}

/// Returns a number, whole where it is.
pub(super) fn near(number: f64) -> Json {
    #[expect(clippy::cast_possible_truncation, reason = "whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e15 { (number as i64).into() } else { number.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_with_constants_are_told_apart() {
        let found =
            asked("number(state('a/b', 'c.d'), 0) > 5 and not ha::states('x/y') == 'on' and msg?.action == 'single'");
        let first = Reading::State("a/b".to_owned(), Some("c.d".to_owned()));
        assert_eq!(
            found.iter().map(|(reading, _)| reading.clone()).collect::<Vec<_>>(),
            [first, Reading::State("x/y".to_owned(), None), Reading::Message(Some("action".to_owned())),]
        );
        let values: Vec<Json> = found.into_iter().filter_map(|(_, asked)| Some(asked?.fulfilled())).collect();
        assert_eq!(values, [Json::from(6), Json::from("off"), Json::from("single")]);
    }

    #[test]
    fn devices_and_inputs_are_read_too() {
        let found = asked("device('Hall lamp').on == true or inputs.guests or device('Meter').power < 2.5");
        assert_eq!(found.len(), 3);
        assert_eq!(
            found.first().map(|(reading, _)| reading.clone()),
            Some(Reading::Device("Hall lamp".to_owned(), "on".to_owned()))
        );
        assert_eq!(
            found.last().and_then(|(_, asked)| asked.clone()).map(|asked| asked.fulfilled()),
            Some(Json::from(1.5))
        );
    }
}
