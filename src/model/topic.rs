//! Topics and topic filters, with the standard's rules (MQTT 5.0, 4.7).
//!
//! A wildcard of a filter may be named (`home/+room/tv`, `zigbee2mqtt/#rest`); it matches as the plain
//! wildcard does, and the name is for what it matched.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Name;

/// The longest topic or filter in bytes (MQTT 5.0, 1.5.4: a two-byte length).
const LONGEST: usize = 65_535;

/// The most levels of a topic or filter; mosquitto draws the line there too. The topic index recurses by level.
const DEEPEST: usize = 200;

/// A topic that a message can be published to: not empty, without wildcards, at most 65,535 bytes and 200 levels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Topic(Arc<str>);

/// Why a text is no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TopicError {
    /// MQTT 5.0, 4.7.3-1.
    #[error("a topic can't be empty")]
    Empty,
    /// MQTT 5.0, 3.3.2-2.
    #[error("a topic can't contain a wildcard (`+` or `#`)")]
    Wildcard,
    /// MQTT 5.0, 4.7.3-2.
    #[error("a topic can't contain a NUL character")]
    Nul,
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
    /// When it is empty, too long, too deep, or contains a wildcard or a NUL.
    pub fn parse(text: &str) -> Result<Topic, TopicError> {
        Topic::from_shared(text.into())
    }

    /// Returns `text` as a topic, without a copy of it.
    ///
    /// # Errors
    /// As [`Topic::parse`].
    pub fn from_shared(text: Arc<str>) -> Result<Topic, TopicError> {
        if text.is_empty() {
            return Err(TopicError::Empty);
        }
        if text.contains(['+', '#']) {
            return Err(TopicError::Wildcard);
        }
        if text.contains('\0') {
            return Err(TopicError::Nul);
        }
        if text.len() > LONGEST {
            return Err(TopicError::TooLong);
        }
        if is_too_deep(&text) {
            return Err(TopicError::TooDeep);
        }
        Ok(Topic(text))
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

/// One level of a filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Matches just this text.
    Literal(Arc<str>),
    /// `+`: matches any one level.
    One(Option<Name>),
    /// `#`: matches all levels that follow, and none.
    Rest(Option<Name>),
}

/// A topic filter, its wildcards named or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter {
    text: Arc<str>,
    levels: Arc<[Level]>,
}

/// Why a text is no topic filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FilterError {
    /// MQTT 5.0, 4.7.3-1.
    #[error("a topic filter can't be empty")]
    Empty,
    /// MQTT 5.0, 4.7.3-2.
    #[error("a topic filter can't contain a NUL character")]
    Nul,
    /// MQTT 5.0, 4.7.3-3.
    #[error("a topic filter can't be longer than 65,535 bytes")]
    TooLong,
    /// Beyond what any broker routes.
    #[error("a topic filter can't have more than 200 levels")]
    TooDeep,
    /// MQTT 5.0, 4.7.1-1.
    #[error("`#` must be the last level of a topic filter")]
    RestNotLast,
    /// MQTT 5.0, 4.7.1-1 and 4.7.1-2.
    #[error("a wildcard must be a whole level: `{0}` mixes it with text")]
    MixedLevel(String),
    /// A name is a letter or `_`, then letters, digits and `_`.
    #[error("`{0}` can't name a wildcard: a name is letters, digits and `_`, and doesn't begin with a digit")]
    BadName(String),
    /// Two wildcards of one name.
    #[error("two wildcards are named `{0}`")]
    NameTwice(String),
}

impl TopicFilter {
    /// Returns `text` as a filter. `+name` and `#name` are wildcards with a name.
    ///
    /// # Errors
    /// When the standard or the naming of wildcards forbids it.
    pub fn parse(text: &str) -> Result<TopicFilter, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        if text.contains('\0') {
            return Err(FilterError::Nul);
        }
        if text.len() > LONGEST {
            return Err(FilterError::TooLong);
        }
        if is_too_deep(text) {
            return Err(FilterError::TooDeep);
        }
        let mut levels = Vec::new();
        let mut names: Vec<Name> = Vec::new();
        for part in text.split('/') {
            if matches!(levels.last(), Some(Level::Rest(_))) {
                return Err(FilterError::RestNotLast);
            }
            let level = parse_level(part)?;
            if let Level::One(Some(name)) | Level::Rest(Some(name)) = &level {
                if names.contains(name) {
                    return Err(FilterError::NameTwice(name.to_string()));
                }
                names.push(Arc::clone(name));
            }
            levels.push(level);
        }
        Ok(TopicFilter { text: text.into(), levels: levels.into() })
    }

    /// Returns the filter as it was written, names included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the filter as a broker reads it, without names.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut plain = String::with_capacity(self.text.len());
        for (index, level) in self.levels.iter().enumerate() {
            if index > 0 {
                plain.push('/');
            }
            match level {
                Level::Literal(text) => plain.push_str(text),
                Level::One(_) => plain.push('+'),
                Level::Rest(_) => plain.push('#'),
            }
        }
        plain
    }

    /// Returns the filter's levels, from the first.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Returns the names of the named wildcards, in order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.levels.iter().filter_map(|level| match level {
            Level::One(name) | Level::Rest(name) => name.as_ref(),
            Level::Literal(_) => None,
        })
    }

    /// Returns the one topic that the filter matches, where it has no wildcard.
    #[must_use]
    pub fn as_topic(&self) -> Option<Topic> {
        let literal = self.levels.iter().all(|level| matches!(level, Level::Literal(_)));
        literal.then(|| Topic(Arc::clone(&self.text)))
    }

    /// Returns whether the filter matches `topic` (MQTT 5.0, 4.7.1 and 4.7.2-1).
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut parts = topic.as_str().split('/');
        if topic.as_str().starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return false;
        }
        for level in self.levels.iter() {
            match level {
                Level::Rest(_) => return true,
                Level::One(_) => {
                    if parts.next().is_none() {
                        return false;
                    }
                }
                Level::Literal(text) => {
                    if parts.next() != Some(text) {
                        return false;
                    }
                }
            }
        }
        parts.next().is_none()
    }

    /// Returns whether a rule's filter matches `topic`: as [`TopicFilter::matches`], but homerule's own
    /// topics only where the first level names them.
    #[must_use]
    pub fn matches_in_rules(&self, topic: &Topic) -> bool {
        let literal = matches!(self.levels.first(), Some(Level::Literal(_)));
        (literal || !topic.is_internal()) && self.matches(topic)
    }

    /// Returns what each wildcard matches of `topic`, in order; `#` on its parent level gives `""`.
    /// `None` where the filter doesn't match.
    #[must_use]
    pub fn captures(&self, topic: &Topic) -> Option<Vec<Arc<str>>> {
        if !self.matches(topic) {
            return None;
        }
        let mut rest = Some(topic.as_str());
        let mut captures = Vec::new();
        for level in self.levels.iter() {
            if let Level::Rest(_) = level {
                captures.push(rest.unwrap_or_default().into());
                break;
            }
            let (part, after) = match rest?.split_once('/') {
                Some((part, after)) => (part, Some(after)),
                None => (rest?, None),
            };
            if let Level::One(_) = level {
                captures.push(part.into());
            }
            rest = after;
        }
        Some(captures)
    }

    /// Returns the captures that have a name, with it. `captures` is what [`TopicFilter::captures`] gave.
    pub fn named<'a>(&'a self, captures: &'a [Arc<str>]) -> impl Iterator<Item = (&'a Name, &'a Arc<str>)> {
        self.levels
            .iter()
            .filter_map(|level| match level {
                Level::One(name) | Level::Rest(name) => Some(name.as_ref()),
                Level::Literal(_) => None,
            })
            .zip(captures)
            .filter_map(|(name, capture)| Some((name?, capture)))
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_too_deep(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'/').count() >= DEEPEST
}

fn parse_level(part: &str) -> Result<Level, FilterError> {
    let name = |text: &str| -> Result<Option<Name>, FilterError> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.contains(['+', '#']) {
            return Err(FilterError::MixedLevel(part.to_owned()));
        }
        let mut letters = text.chars();
        let begins_well = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if begins_well && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            Ok(Some(text.into()))
        } else {
            Err(FilterError::BadName(text.to_owned()))
        }
    };
    if let Some(after) = part.strip_prefix('+') {
        return Ok(Level::One(name(after)?));
    }
    if let Some(after) = part.strip_prefix('#') {
        return Ok(Level::Rest(name(after)?));
    }
    if part.contains(['+', '#']) {
        return Err(FilterError::MixedLevel(part.to_owned()));
    }
    Ok(Level::Literal(part.into()))
}
