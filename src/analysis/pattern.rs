//! Patterns of topics: what a filter hears, or what a text that is put together may name.

use std::fmt;
use std::sync::Arc;

use crate::model::{Level as FilterLevel, Topic, TopicFilter};

/// Which topics something may be about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    levels: Vec<Level>,
}

/// A level of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// This text.
    Text(Arc<str>),
    /// Any text.
    One,
    /// Any levels, or none.
    Many,
}

impl Pattern {
    /// Returns the pattern of these levels.
    #[must_use]
    pub fn new(levels: Vec<Level>) -> Pattern {
        Pattern { levels }
    }

    /// Returns the pattern of what `filter` matches.
    #[must_use]
    pub fn of_filter(filter: &TopicFilter) -> Pattern {
        let level = |level: &FilterLevel| match level {
            FilterLevel::Literal(text) => Level::Text(Arc::clone(text)),
            FilterLevel::One(_) => Level::One,
            FilterLevel::Rest(_) => Level::Many,
        };
        Pattern { levels: filter.levels().iter().map(level).collect() }
    }

    /// Returns the pattern of this topic alone.
    #[must_use]
    pub fn of_topic(topic: &Topic) -> Pattern {
        Pattern { levels: topic.as_str().split('/').map(|level| Level::Text(level.into())).collect() }
    }

    /// Returns its levels.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Returns the one topic that it names; `None` where it names several.
    #[must_use]
    pub fn as_topic(&self) -> Option<Topic> {
        let texts: Option<Vec<&str>> = self.levels.iter().map(Level::as_text).collect();
        Topic::parse(&texts?.join("/")).ok()
    }

    /// Returns whether it says nothing at all: any topic may be meant.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.levels.iter().all(|level| *level == Level::Many)
    }

    /// Returns whether some topic fits both.
    #[must_use]
    pub fn meets(&self, other: &Pattern) -> bool {
        meet(&self.levels, &other.levels)
    }

    /// Returns whether `topic` fits.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.meets(&Pattern::of_topic(topic))
    }
}

impl Level {
    /// Returns its text, where it has one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Level::Text(text) => Some(text),
            Level::One | Level::Many => None,
        }
    }
}

fn meet(one: &[Level], other: &[Level]) -> bool {
    match (one.split_first(), other.split_first()) {
        (None, None) => true,
        (Some((Level::Many, rest)), _) => {
            meet(rest, other) || other.split_first().is_some_and(|(_, tail)| meet(one, tail))
        }
        (_, Some((Level::Many, rest))) => {
            meet(one, rest) || one.split_first().is_some_and(|(_, tail)| meet(tail, other))
        }
        (Some((left, one)), Some((right, other))) => {
            let fits = match (left, right) {
                (Level::Text(left), Level::Text(right)) => left == right,
                _ => true,
            };
            fits && meet(one, other)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, level) in self.levels.iter().enumerate() {
            let slash = if index == 0 { "" } else { "/" };
            let text = match level {
                Level::Text(text) => text,
                Level::One => "+",
                Level::Many => "#",
            };
            write!(f, "{slash}{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let level = |level: &str| match level {
            "+" => Level::One,
            "#" => Level::Many,
            text => Level::Text(text.into()),
        };
        Pattern::new(text.split('/').map(level).collect())
    }

    #[test]
    fn patterns_meet_where_a_topic_fits_both() {
        for (one, other, meets) in [
            ("a/b", "a/b", true),
            ("a/+", "+/b", true),
            ("a/#", "a", true),
            ("#/set", "a/b/set", true),
            ("#/set", "a/b/state", false),
            ("a/+/c", "a/b", false),
            ("#", "x", true),
            ("a/#/set", "+/b/+", true),
        ] {
            assert_eq!(pattern(one).meets(&pattern(other)), meets, "{one} {other}");
            assert_eq!(pattern(other).meets(&pattern(one)), meets, "{other} {one}");
        }
    }
}
