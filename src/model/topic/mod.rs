//! Topics, with the standard's rules (MQTT 5.0, 4.7).

mod filter;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use filter::{FilterError, Level, TopicFilter};
#[cfg(test)]
pub(crate) use {filter::tests::any_filter, tests::any_topic};

/// The longest topic or filter in bytes (MQTT 5.0, 1.5.4: a two-byte length).
const LONGEST: usize = 65_535;

/// The most levels of a topic or filter; mosquitto draws the line there too. The topic index recurses by level.
const DEEPEST: usize = 200;

/// A topic that a message can be published to: not empty, without wildcards and control characters, at most 65,535 bytes and
/// 200 levels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>")]
pub struct Topic(Arc<str>);

/// Why a text isn't a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TopicError {
    /// MQTT 5.0, 4.7.3-1.
    #[error("a topic can't be empty")]
    Empty,
    /// MQTT 5.0, 3.3.2-2.
    #[error("a topic can't contain a wildcard (`+` or `#`)")]
    Wildcard,
    /// MQTT 5.0, 4.7.3-2 and 1.5.4: clients may close the connection on which they read one.
    #[error("a topic can't contain a control character")]
    Control,
    /// MQTT 5.0, 4.7.3-3.
    #[error("a topic can't be longer than 65,535 bytes")]
    TooLong,
    /// Beyond what any broker routes.
    #[error("a topic can't have more than 200 levels")]
    TooDeep,
}

impl Topic {
    /// Returns `text` as a topic.
    ///
    /// # Errors
    /// When it is empty, too long, too deep, or contains a wildcard or a control character.
    pub fn parse(text: &str) -> Result<Topic, TopicError> {
        Topic::from_shared(text.into())
    }

    /// Returns `text` as a topic, without a copy of it.
    ///
    /// # Errors
    /// As [`Topic::parse`].
    pub fn from_shared(text: Arc<str>) -> Result<Topic, TopicError> {
        if is_plain(&text) {
            return Ok(Topic(text));
        }
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        if text.contains(['+', '#']) {
            return Err(TopicError::Wildcard);
        }
        if has_control(&text) {
            return Err(TopicError::Control);
        }
        if text.len() > LONGEST {
            return Err(TopicError::TooLong);
        }
        if is_too_deep(&text) {
            return Err(TopicError::TooDeep);
        }
        Ok(Topic(text))
    }

    /// Returns a topic of a text that a filter has checked.
    fn from_checked(text: Arc<str>) -> Topic {
        Topic(text)
    }

    /// Returns the topic's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the topic's text, shared.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Returns whether it is one of homerule's own topics, which rules hear only when they name them.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.0.strip_prefix("homerule").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl TryFrom<Arc<str>> for Topic {
    type Error = TopicError;

    fn try_from(text: Arc<str>) -> Result<Topic, TopicError> {
        Topic::parse(&text)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Returns the first level of a topic, and what follows; `None` where nothing does.
#[must_use]
pub fn first_level(topic: &str) -> (&str, Option<&str>) {
    // Levels are short: looking at each byte is sooner done than a search that is made for long texts.
    match topic.as_bytes().iter().position(|byte| *byte == b'/').and_then(|slash| topic.split_at_checked(slash)) {
        Some((level, rest)) => (level, rest.get(1..)),
        None => (topic, None),
    }
}

/// Returns whether one look at each byte tells that a text is a topic: nearly all are of that kind.
fn is_plain(text: &str) -> bool {
    let mut is_plain = !text.is_empty() && text.len() <= LONGEST;
    let mut slashes = 0_usize;
    for byte in text.bytes() {
        is_plain &= (0x20..0x7f).contains(&byte) && byte != b'+' && byte != b'#';
        slashes += usize::from(byte == b'/');
    }
    is_plain && slashes < DEEPEST
}

/// Returns whether a topic may contain `letter`.
#[must_use]
pub fn is_in_topic(letter: char) -> bool {
    !matches!(letter, '+' | '#') && !has_control(letter.encode_utf8(&mut [0; 4]))
}

/// Returns whether a topic or filter has more levels than may be.
fn is_too_deep(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'/').count() >= DEEPEST
}

/// Returns whether a topic or filter has a character that MQTT asks to leave out: a control character, or one that Unicode
/// keeps for itself.
#[must_use]
pub fn has_control(text: &str) -> bool {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    let is_noncharacter =
        |letter: char| matches!(u32::from(letter), 0xfdd0..=0xfdef) || u32::from(letter) & 0xfffe == 0xfffe;
    !text.bytes().all(is_plain) && text.chars().any(|letter| letter.is_control() || is_noncharacter(letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_topic_is_refused() {
        for (text, error) in [
            (String::new(), TopicError::Empty),
            ("a/+".to_owned(), TopicError::Wildcard),
            ("a/b#".to_owned(), TopicError::Wildcard),
            ("a\0b".to_owned(), TopicError::Control),
            ("a\nb".to_owned(), TopicError::Control),
            ("a\u{85}b".to_owned(), TopicError::Control),
            ("a\u{1fffe}b".to_owned(), TopicError::Control),
            ("a".repeat(65_536), TopicError::TooLong),
            ("/".repeat(200), TopicError::TooDeep),
        ] {
            assert_eq!(Topic::parse(&text), Err(error));
        }
        for text in [
            "/",
            "//",
            "Übergang/licht",
            "\u{1f600}/\u{feff}",
            "$SYS/broker",
            " ",
            &"a".repeat(65_535),
            &"/".repeat(199),
        ] {
            assert_eq!(Topic::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_was_kept_is_checked_again() {
        assert_eq!(serde_json::from_str::<Topic>("\"a/b\"").unwrap().as_str(), "a/b");
        assert!(serde_json::from_str::<Topic>("\"a/+\"").is_err());
    }

    #[test]
    fn homerules_own_topics_are_known() {
        for (text, is_internal) in
            [("homerule", true), ("homerule/status", true), ("homerules", false), ("a/homerule", false)]
        {
            assert_eq!(Topic::parse(text).unwrap().is_internal(), is_internal, "{text}");
        }
    }

    /// Returns any topic, of few levels so that filters often match; some are the broker's or homerule's own.
    pub(crate) fn any_topic() -> impl Strategy<Value = Topic> {
        let level = prop_oneof![5 => "[ab]", 1 => Just(String::new()), 1 => r"[^+#/\p{Cc}]{0,3}"];
        let first = prop_oneof![6 => "[ab]", 1 => Just("$SYS".to_owned()), 2 => Just("homerule".to_owned()), 1 => r"[^+#/\p{Cc}]{0,3}"];
        (first, proptest::collection::vec(level, 0..5)).prop_filter_map("a topic can't be empty", |(first, rest)| {
            Topic::parse(&[vec![first], rest].concat().join("/")).ok()
        })
    }
}
