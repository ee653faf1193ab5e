//! Steps of a trace: what a run did or asked, and what came of it.
//!
//! Each message that fires a rule makes some, and hardly any is ever read: what they say is kept as what it is made of.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Label, Origin, Payload, Place, Topic, Value};

/// One thing that a run did or asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The place in the rule: `when[0]`, `if`, `then[1].else[0]`.
    pub path: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What it is: `trigger`, `condition`, `publish`, `delay`, …
    pub what: Cow<'static, str>,
    /// What came of it.
    pub result: StepResult,
    /// The values that it read, by what was read.
    pub values: Vec<(Label, Value)>,
    /// Of a condition that is an expression: what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
    /// Of what a closure does: where in its script it asks for it. Few steps have one, so it takes little room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Box<Place>>,
}

impl Step {
    /// Returns a step that read nothing.
    pub(super) fn new(path: &Arc<str>, at: Timestamp, what: &'static str, result: impl Into<StepResult>) -> Step {
        let path = Arc::clone(path);
        Step { path, at, what: what.into(), result: result.into(), values: Vec::new(), source: None, place: None }
    }

    /// Returns the topics that a condition read and that had no value then: perhaps others were meant.
    #[must_use]
    pub fn topics_without_value(&self) -> Vec<Topic> {
        // A name without levels may be a variable's.
        let null = self.values.iter().filter(|(_, value)| value.is_null()).map(|(label, _)| label.to_string());
        let read = null.filter(|name| name.contains('/'));
        let unknown = match &self.result {
            StepResult::Unknown(topic) => Some(topic.clone()),
            StepResult::Text(_) | StepResult::Heard(..) | StepResult::Published(..) => None,
        };
        read.filter_map(|topic| Topic::parse(&topic).ok()).chain(unknown).collect()
    }
}

/// What is said of a topic that never had a value.
const UNKNOWN: &str = " has no value yet";

/// What came of a step, in words: `true`, `home/hall/light/set ON`, `failed: …`. The words are made when somebody reads
/// them.
#[derive(Clone)]
pub enum StepResult {
    /// Just this.
    Text(Cow<'static, str>),
    /// A message came.
    Heard(Topic, Origin),
    /// A message was published.
    Published(Topic, Payload),
    /// A condition can't be told yet: this topic never had a value.
    Unknown(Topic),
}

impl StepResult {
    /// Returns it in words.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            StepResult::Text(text) => Cow::Borrowed(text),
            StepResult::Heard(..) | StepResult::Published(..) | StepResult::Unknown(_) => Cow::Owned(self.to_string()),
        }
    }

    /// Returns about how many bytes its words have.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            StepResult::Text(text) => text.len(),
            StepResult::Heard(topic, origin) => topic.as_str().len() + origin.as_str().len(),
            StepResult::Published(topic, payload) => topic.as_str().len() + payload.bytes().len(),
            StepResult::Unknown(topic) => topic.as_str().len() + UNKNOWN.len(),
        }
    }
}

impl fmt::Debug for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepResult::Text(text) => f.pad(text),
            StepResult::Heard(topic, origin) => write!(f, "{topic} ({})", origin.as_str()),
            StepResult::Published(topic, payload) => write!(f, "{topic} {}", payload.text().unwrap_or("(binary)")),
            StepResult::Unknown(topic) => write!(f, "unknown: `{topic}`{UNKNOWN}"),
        }
    }
}

impl PartialEq for StepResult {
    fn eq(&self, other: &StepResult) -> bool {
        self.text() == other.text()
    }
}

impl PartialEq<str> for StepResult {
    fn eq(&self, other: &str) -> bool {
        self.text() == other
    }
}

impl PartialEq<&str> for StepResult {
    fn eq(&self, other: &&str) -> bool {
        self.text() == *other
    }
}

impl From<&'static str> for StepResult {
    fn from(text: &'static str) -> StepResult {
        StepResult::Text(Cow::Borrowed(text))
    }
}

impl From<String> for StepResult {
    fn from(text: String) -> StepResult {
        StepResult::Text(Cow::Owned(text))
    }
}

impl Serialize for StepResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StepResult, D::Error> {
        String::deserialize(deserializer).map(StepResult::from)
    }
}

/// Returns what came of a condition, `result`, with what it says, where that is an expression: `` false: msg == 'ON' ``,
/// `` unknown: state('lux') < 3: `lux` has no value yet ``.
#[must_use]
pub fn result_with_source(result: &str, source: Option<&str>) -> String {
    let Some(source) = source else { return result.to_owned() };
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    match result.split_once(": ") {
        Some((verdict, why)) => format!("{verdict}: {source}: {why}"),
        None => format!("{result}: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_its_words_also_after_a_restart() {
        let topic = Topic::parse("home/tv").unwrap();
        for (result, words) in [
            (StepResult::from("true"), "true"),
            (StepResult::Heard(topic.clone(), Origin::Live), "home/tv (live)"),
            (StepResult::Published(topic.clone(), Payload::from_bytes("ON")), "home/tv ON"),
            (StepResult::Published(topic.clone(), Payload::from_bytes(&b"\xff"[..])), "home/tv (binary)"),
            (StepResult::Unknown(topic), "unknown: `home/tv` has no value yet"),
        ] {
            assert_eq!(result, words);
            let kept = serde_json::to_string(&result).unwrap();
            assert_eq!(serde_json::from_str::<StepResult>(&kept).unwrap(), result);
        }
    }
}
