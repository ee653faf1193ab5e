//! Filters as clients subscribe with them, shared subscriptions among them (MQTT 5.0, 4.7 and 4.8.2).
//!
//! Unlike in rules, wildcards have no names here: `home/+room` is an error.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::model::has_control;

/// The longest filter in bytes (MQTT 5.0, 1.5.4: a two-byte length).
const LONGEST: usize = 65_535;

/// What a level of a filter takes in the tree of all of them, about.
const LEVEL: usize = 200;

/// How a shared subscription begins.
const SHARE: &str = "$share/";

/// What a client subscribes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    text: Arc<str>,
    /// Where the topics' part begins.
    topics_at: usize,
}

/// Why a text isn't a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FilterError {
    /// MQTT 5.0, 4.7.3-1.
    #[error("a topic filter can't be empty")]
    Empty,
    /// MQTT 5.0, 4.7.3-2 and 1.5.4.
    #[error("a topic filter can't contain a control character")]
    Control,
    /// MQTT 5.0, 4.7.3-3.
    #[error("a topic filter can't be longer than 65,535 bytes")]
    TooLong,
    /// MQTT 5.0, 4.7.1-1 and 4.7.1-2.
    #[error("a wildcard must be a whole level, and `#` the last one")]
    Wildcard,
    /// MQTT 5.0, 4.8.2-1 and 4.8.2-2.
    #[error("a shared subscription is `$share/GROUP/FILTER`")]
    Share,
}

impl Filter {
    /// Returns `text` as a filter.
    ///
    /// # Errors
    /// When the standard forbids it.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        if text.len() > LONGEST {
            return Err(FilterError::TooLong);
        }
        if has_control(text) {
            return Err(FilterError::Control);
        }
        let topics_at = match text.strip_prefix(SHARE) {
            None => 0,
            Some(rest) => {
                let (group, topics) = rest.split_once('/').ok_or(FilterError::Share)?;
                if group.is_empty() || group.contains(['+', '#']) || topics.is_empty() {
                    return Err(FilterError::Share);
                }
                text.len() - topics.len()
            }
        };
        let filter = Filter { text: text.into(), topics_at };
        if filter.topics().is_empty() {
            return Err(FilterError::Empty);
        }
        let mut levels = filter.topics().split('/').peekable();
        while let Some(level) = levels.next() {
            let is_well_placed = match level {
                "+" => true,
                "#" => levels.peek().is_none(),
                text => !text.contains(['+', '#']),
            };
            if !is_well_placed {
                return Err(FilterError::Wildcard);
            }
        }
        Ok(filter)
    }

    /// Returns the filter as the client wrote it.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the filter of topics: what follows the group, where there is one.
    #[must_use]
    pub fn topics(&self) -> &str {
        self.text.get(self.topics_at..).unwrap_or_default()
    }

    /// Returns the name of the group that shares the messages.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let rest = self.text.get(SHARE.len()..self.topics_at)?;
        rest.strip_suffix('/')
    }

    /// Returns about how many bytes it takes where it is subscribed to.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.depth() * LEVEL
    }

    /// Returns how many levels the filter of topics has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.topics().split('/').count()
    }

    /// Returns whether it names one topic.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.topics().contains(['+', '#'])
    }

    /// Returns whether it matches `topic`.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        let mut levels = topic.split('/');
        if topic.starts_with('$') && self.topics().starts_with(['+', '#']) {
            return false;
        }
        for part in self.topics().split('/') {
            match (part, levels.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (part, Some(level)) if part == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_the_standards_rules() {
        for (text, error) in [
            ("", FilterError::Empty),
            ("a/#/b", FilterError::Wildcard),
            ("a#", FilterError::Wildcard),
            ("a/+b", FilterError::Wildcard),
            ("a\0", FilterError::Control),
            ("$share/", FilterError::Share),
            ("$share/g", FilterError::Share),
            ("$share/g/", FilterError::Share),
            ("$share//a", FilterError::Share),
            ("$share/g+/a", FilterError::Share),
            ("$share/g/a#", FilterError::Wildcard),
        ] {
            assert_eq!(Filter::parse(text), Err(error), "{text}");
        }
        assert_eq!(Filter::parse(&"a".repeat(65_536)), Err(FilterError::TooLong));
        for text in ["/", "#", "+", "+/#", "a//b", "$share", "$SYS/#", "Über/+"] {
            assert_eq!(Filter::parse(text).unwrap().topics(), text);
        }
    }

    #[test]
    fn a_shared_filter_has_a_group() {
        let filter = Filter::parse("$share/lamps/home/+").unwrap();
        assert_eq!((filter.group(), filter.topics(), filter.depth()), (Some("lamps"), "home/+", 2));
        assert_eq!(filter.to_string(), "$share/lamps/home/+");
        assert_eq!(Filter::parse("home/+").unwrap().group(), None);
    }

    #[test]
    fn a_filter_matches_by_the_standards_rules() {
        for (filter, topic, matches) in [
            ("home/+/tv", "home/a/tv", true),
            ("home/+/tv", "home/a/b/tv", false),
            ("home/#", "home", true),
            ("home/#", "home/a/b", true),
            ("home/#", "homework", false),
            ("home/+", "home", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$share/g/#", "a", true),
            ("+", "/", false),
            ("/+", "/a", true),
        ] {
            assert_eq!(Filter::parse(filter).unwrap().matches(topic), matches, "{filter} {topic}");
        }
    }
}
