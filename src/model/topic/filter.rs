//! Topic filters, with the standard's rules (MQTT 5.0, 4.7).
//!
//! A wildcard of a filter may be named (`home/+room/tv`, `zigbee2mqtt/#rest`); it matches as the plain
//! wildcard does, and the name is for what it matched.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::model::Name;
use crate::model::value::shared_text::shared_text;

use super::{LONGEST, Topic, first_level, has_control, is_too_deep};

/// A topic filter, its wildcards named or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter {
    text: Arc<str>,
    levels: Arc<[Level]>,
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

/// Why a text isn't a valid topic filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
    /// Beyond what any broker routes.
    #[error("a topic filter can't have more than 200 levels")]
    TooDeep,
    /// MQTT 5.0, 4.7.1-1.
    #[error("`#` must be the last level of a topic filter")]
    RestNotLast,
    /// MQTT 5.0, 4.7.1-1 and 4.7.1-2.
    #[error("a wildcard must be a whole level, but `{0}` mixes it with text")]
    MixedLevel(String),
    /// A name is a letter or `_`, then letters, digits and `_`.
    #[error("`{0}` isn't a valid name for a wildcard; use letters, digits and `_`, and don't start with a digit")]
    BadName(String),
    /// Two wildcards of one name.
    #[error("two wildcards have the name `{0}`")]
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
        if has_control(text) {
            return Err(FilterError::Control);
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

    /// Returns the text as it was written, shared.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
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
        literal.then(|| Topic::from_checked(Arc::clone(&self.text)))
    }

    /// Returns the levels before the first wildcard, with `/` between them: what each topic that the filter
    /// matches begins with.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        let mut end = 0;
        for (index, level) in self.levels.iter().enumerate() {
            match level {
                Level::Literal(text) => end += text.len() + usize::from(index > 0),
                Level::One(_) | Level::Rest(_) => break,
            }
        }
        self.text.get(..end).unwrap_or_default()
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

    /// Returns whether a topic may match both.
    #[must_use]
    pub fn overlaps(&self, other: &TopicFilter) -> bool {
        let (mut left, mut right) = (self.levels.iter(), other.levels.iter());
        loop {
            match (left.next(), right.next()) {
                (Some(Level::Rest(_)), _) | (_, Some(Level::Rest(_))) | (None, None) => return true,
                (None, Some(_)) | (Some(_), None) => return false,
                (Some(Level::Literal(left)), Some(Level::Literal(right))) if left != right => return false,
                (Some(_), Some(_)) => {}
            }
        }
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
        if topic.as_str().starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return None;
        }
        let mut rest = Some(topic.as_str());
        let wildcards = self.levels.iter().filter(|level| !matches!(level, Level::Literal(_))).count();
        let mut captures = Vec::with_capacity(wildcards);
        for level in self.levels.iter() {
            if let Level::Rest(_) = level {
                captures.push(rest.unwrap_or_default().into());
                return Some(captures);
            }
            let (part, after) = first_level(rest?);
            match level {
                Level::Literal(text) if **text != *part => return None,
                Level::Literal(_) => {}
                Level::One(_) | Level::Rest(_) => captures.push(part.into()),
            }
            rest = after;
        }
        rest.is_none().then_some(captures)
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
    // Most come again: `zigbee2mqtt`, `set`.
    Ok(Level::Literal(shared_text(part)))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::super::any_topic;
    use super::*;

    fn topic(text: &str) -> Topic {
        Topic::parse(text).unwrap()
    }

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(text).unwrap()
    }

    fn captures(filter_text: &str, topic_text: &str) -> Option<Vec<String>> {
        let captures = filter(filter_text).captures(&topic(topic_text))?;
        Some(captures.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_no_filter_is_told_why() {
        for (text, message) in [
            ("", "a topic filter can't be empty"),
            ("a\0", "a topic filter can't contain a control character"),
            ("a/#/b", "`#` must be the last level of a topic filter"),
            ("a+/b", "a wildcard must be a whole level, but `a+` mixes it with text"),
            ("a/b#", "a wildcard must be a whole level, but `b#` mixes it with text"),
            ("++/b", "a wildcard must be a whole level, but `++` mixes it with text"),
            (
                "+1/b",
                "`1` isn't a valid name for a wildcard; use letters, digits and `_`, and don't start with a digit",
            ),
            (
                "+a b/b",
                "`a b` isn't a valid name for a wildcard; use letters, digits and `_`, and don't start with a digit",
            ),
            ("+room/+room", "two wildcards have the name `room`"),
            ("+room/#room", "two wildcards have the name `room`"),
        ] {
            assert_eq!(TopicFilter::parse(text).unwrap_err().to_string(), message, "{text}");
        }
        assert_eq!(TopicFilter::parse(&"a".repeat(70_000)), Err(FilterError::TooLong));
        assert_eq!(TopicFilter::parse(&"+/".repeat(200)), Err(FilterError::TooDeep));
    }

    #[test]
    fn a_filter_matches_by_the_standards_rules() {
        for (filter_text, topic_text, matches) in [
            ("home/+/tv", "home/living/tv", true),
            ("home/+room/tv", "home/living/tv", true),
            ("home/+/tv", "home//tv", true),
            ("home/+/tv", "home/a/b/tv", false),
            ("home/+", "home", false),
            ("home/+", "home/", true),
            ("home/#", "home", true),
            ("home/#", "home/a/b", true),
            ("home/#", "homework", false),
            ("#", "a", true),
            ("#", "/", true),
            ("+", "/", false),
            ("+/+", "/", true),
            ("/+", "/a", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS", true),
            ("$SYS/+", "$SYS/uptime", true),
            ("a/#", "a/$b", true),
            ("Home", "home", false),
            ("+rest/#all", "a", true),
        ] {
            assert_eq!(filter(filter_text).matches(&topic(topic_text)), matches, "{filter_text} {topic_text}");
        }
    }

    #[test]
    fn homerules_own_topics_match_only_where_they_are_named() {
        for (filter_text, topic_text, matches) in [
            ("#", "homerule/status", false),
            ("+/status", "homerule/status", false),
            ("+", "homerule", false),
            ("homerule/#", "homerule/status", true),
            ("homerule/#", "homerule", true),
            ("#", "homerules/status", true),
            ("#", "home/status", true),
        ] {
            assert_eq!(filter(filter_text).matches_in_rules(&topic(topic_text)), matches, "{filter_text} {topic_text}");
        }
    }

    #[test]
    fn wildcards_capture_what_they_match_in_order() {
        for (filter_text, topic_text, expected) in [
            ("home/+room/+", "home/living/tv", Some(vec!["living", "tv"])),
            ("home/#", "home/a/b", Some(vec!["a/b"])),
            ("home/#", "home", Some(vec![""])),
            ("home/#", "home/", Some(vec![""])),
            ("+/#", "a", Some(vec!["a", ""])),
            ("+/+", "/", Some(vec!["", ""])),
            ("a/b", "a/b", Some(vec![])),
            ("a/+", "b/c", None),
        ] {
            let expected = expected.map(|texts| texts.into_iter().map(str::to_owned).collect());
            assert_eq!(captures(filter_text, topic_text), expected, "{filter_text} {topic_text}");
        }
    }

    #[test]
    fn named_wildcards_give_their_captures_by_name() {
        let filter = filter("home/+room/+/#rest");
        let captures = filter.captures(&topic("home/hall/lamp/a/b")).unwrap();
        let named: Vec<(&str, &str)> = filter.named(&captures).map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(named, [("room", "hall"), ("rest", "a/b")]);
        assert_eq!(filter.plain(), "home/+/+/#");
        assert_eq!(filter.to_string(), "home/+room/+/#rest");
        assert_eq!(filter.literal_prefix(), "home");
    }

    #[test]
    fn a_filter_without_wildcards_is_a_topic() {
        assert_eq!(filter("home/tv").as_topic(), Some(topic("home/tv")));
        assert_eq!(filter("home/+").as_topic(), None);
        assert_eq!(filter("home/tv").literal_prefix(), "home/tv");
        assert_eq!(filter("+/tv").literal_prefix(), "");
    }

    /// Returns any filter, of few levels so that it often matches.
    pub(crate) fn any_filter() -> impl Strategy<Value = TopicFilter> {
        let level =
            prop_oneof![4 => "[ab]", 3 => Just("+".to_owned()), 1 => Just(String::new()), 1 => r"[^+#/\x00]{0,3}"];
        let first = prop_oneof![4 => "[ab]", 3 => Just("+".to_owned()), 1 => Just("$SYS".to_owned()), 1 => Just("homerule".to_owned())];
        let last = prop_oneof![2 => Just(None), 1 => Just(Some("#".to_owned()))];
        let parts = (proptest::option::weighted(0.9, first), proptest::collection::vec(level, 0..5), last);
        parts.prop_filter_map("a filter can't be empty", |(first, levels, last)| {
            let levels: Vec<String> = first.into_iter().chain(levels).chain(last).collect();
            TopicFilter::parse(&levels.join("/")).ok()
        })
    }

    /// The standard's rules, as simply as they can be said.
    fn matches_naively(filter: &[&str], topic: &[&str], is_first: bool) -> bool {
        let is_hidden = is_first && topic.first().is_some_and(|level| level.starts_with('$'));
        match (filter, topic) {
            ([], []) => true,
            (["#"], _) => !is_hidden,
            (["+", filter @ ..], [_, topic @ ..]) => !is_hidden && matches_naively(filter, topic, false),
            ([level, filter @ ..], [same, topic @ ..]) => level == same && matches_naively(filter, topic, false),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_filter_matches_as_the_simplest_matcher_does(filter in any_filter(), topic in any_topic()) {
            let plain = filter.plain();
            let (levels, parts): (Vec<_>, Vec<_>) = (plain.split('/').collect(), topic.as_str().split('/').collect());
            prop_assert_eq!(filter.matches(&topic), matches_naively(&levels, &parts, true));
        }

        #[test]
        fn captures_put_in_place_of_the_wildcards_give_the_topic(filter in any_filter(), topic in any_topic()) {
            let captures = filter.captures(&topic);
            prop_assert_eq!(captures.is_some(), filter.matches(&topic));
            let Some(captures) = captures else { return Ok(()) };
            let mut captured = captures.iter();
            let levels = filter.levels().iter().map(|level| match level {
                Level::Literal(text) => text.to_string(),
                Level::One(_) | Level::Rest(_) => captured.next().unwrap().to_string(),
            });
            let rebuilt = levels.collect::<Vec<_>>().join("/");
            prop_assert!(rebuilt == topic.as_str() || rebuilt == format!("{topic}/"), "{} {}", rebuilt, topic);
            prop_assert!(captured.next().is_none());
        }

        #[test]
        fn names_change_nothing_of_what_a_filter_matches(filter in any_filter(), topic in any_topic()) {
            let named: Vec<String> = filter
                .levels()
                .iter()
                .enumerate()
                .map(|(index, level)| match level {
                    Level::Literal(text) => text.to_string(),
                    Level::One(_) => format!("+name{index}"),
                    Level::Rest(_) => format!("#name{index}"),
                })
                .collect();
            let named = TopicFilter::parse(&named.join("/")).unwrap();
            prop_assert_eq!(named.captures(&topic), filter.captures(&topic));
            prop_assert_eq!(named.plain(), filter.plain());
        }

        #[test]
        fn a_topic_begins_with_the_literal_prefix_of_each_filter_that_matches(filter in any_filter(), topic in any_topic()) {
            prop_assert!(!filter.matches(&topic) || topic.as_str().starts_with(filter.literal_prefix()));
        }

        #[test]
        fn any_text_is_a_filter_or_an_error(text in ".{0,20}") {
            if let Ok(filter) = TopicFilter::parse(&text) {
                prop_assert_eq!(filter.as_str(), &text);
            }
            if let Ok(topic) = Topic::parse(&text) {
                prop_assert!(TopicFilter::parse(&text).is_ok_and(|filter| filter.matches(&topic)));
            }
        }
    }
}
