//! A call in a script that is about a topic, as far as its tokens tell: `publish("home/tv/set", #{ state: "ON" })`.

use std::ops::Range;

use crate::model::{Map, Value};

use super::piece::Piece;

/// The functions that read a topic, or those of a filter, which is their first argument: those of the table of functions whose rows
/// say so.
pub(in crate::script) const TOPIC_READERS: [&str; 21] = [
    "state", "last", "age", "exists", "states", "any", "all", "count", "known", "average", "median", "lowest",
    "highest", "change", "rise", "fall", "changes", "times", "duration", "integral", "at",
];

/// The functions that read devices.
pub(in crate::script) const DEVICE_READERS: [&str; 2] = ["device", "devices"];

/// A call whose first argument is a text that is written out: `state("home/tv")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiteralCall {
    /// The function.
    pub function: String,
    /// The text.
    pub text: String,
    /// Where the text stands, in bytes of the file, without its quotes.
    pub at: Range<usize>,
}

/// A call of a script that is about a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicCall {
    /// The function.
    pub function: String,
    /// The text of the topic, or of a filter; of `scene` and `set`, the name.
    pub topic: Vec<Piece>,
    /// The second argument, where all of it is written out.
    pub value: Option<Value>,
}

/// Returns whether the first two arguments of calls of `function` are kept.
pub(in crate::script) fn is_about_topic(function: &str) -> bool {
    matches!(function, "publish" | "scene" | "set") || TOPIC_READERS.contains(&function)
}

impl TopicCall {
    /// Returns whether it reads topics, rather than commanding something.
    #[must_use]
    pub fn reads(&self) -> bool {
        TOPIC_READERS.contains(&self.function.as_str())
    }

    /// Returns what a call of `function` with these arguments, their tokens parted by spaces, says.
    pub(in crate::script) fn of(function: &str, written: &[String]) -> Option<TopicCall> {
        let topic = text(written.first().filter(|_| is_about_topic(function))?);
        let value = written.get(1).and_then(|second| literal(second));
        Some(TopicCall { function: function.to_owned(), topic, value })
    }
}

/// Returns what a text is made of.
fn text(written: &str) -> Vec<Piece> {
    if let Some(inner) = quoted(written, '"') {
        return vec![Piece::Text(inner.to_owned())];
    }
    let Some(inner) = quoted(written, '`') else { return vec![Piece::Unknown] };
    let mut pieces = Vec::new();
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Unknown);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

fn quoted(written: &str, quote: char) -> Option<&str> {
    let inner = written.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\'])).then_some(inner)
}

/// Returns the value of a literal: a scalar, or a map of scalars.
fn literal(written: &str) -> Option<Value> {
    let Some(inner) = written.strip_prefix("#{") else { return scalar(written) };
    let mut map = Map::default();
    for entry in inner.strip_suffix('}')?.split(" , ").filter(|entry| !entry.trim().is_empty()) {
        let (key, value) = entry.split_once(" : ")?;
        let key = key.trim();
        let key = quoted(key, '"').unwrap_or(key);
        map.insert(key.into(), scalar(value.trim().trim_end_matches(',').trim())?);
    }
    Some(Value::Map(map.into()))
}

fn scalar(written: &str) -> Option<Value> {
    match written {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        "()" => return Some(Value::Null),
        _ => {}
    }
    if let Ok(number) = written.parse::<i64>() {
        return Some(Value::Int(number));
    }
    if let Ok(number) = written.parse::<f64>() {
        return Some(Value::Float(number));
    }
    quoted(written, '"').or_else(|| quoted(written, '`').filter(|text| !text.contains("${"))).map(Value::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_is_known_and_the_rest_is_whatever() {
        let call = TopicCall::of(
            "publish",
            &["`home/${e.room}/set`".to_owned(), "#{ state : \"ON\" , brightness : 40 }".to_owned()],
        );
        let call = call.unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(call.topic, [text("home/"), Piece::Unknown, text("/set")]);
        assert_eq!(call.value.unwrap().to_json().to_string(), r#"{"state":"ON","brightness":40}"#);
        assert_eq!(TopicCall::of("publish", &["f(x)".to_owned()]).unwrap().topic, [Piece::Unknown]);
        assert_eq!(TopicCall::of("log", &["\"a\"".to_owned()]), None);
    }
}
