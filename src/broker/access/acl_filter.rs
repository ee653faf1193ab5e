//! A topic filter as it stands in an ACL file: matched against topics, and against what others subscribe to.

use std::sync::Arc;

/// A topic filter (MQTT 5.0, 4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AclFilter {
    levels: Vec<Level>,
    /// Whether it ends with `#`, which is not among the levels.
    has_rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Name(Arc<str>),
    /// `+`
    Any,
}

/// A name that no filter has: U+0000 can't be in one.
const UNNAMED: &str = "\0";

impl AclFilter {
    /// Returns the filter that `text` writes; `None` when it isn't one.
    pub(super) fn parse(text: &str) -> Option<AclFilter> {
        if text.is_empty() || text.len() > usize::from(u16::MAX) || text.contains('\0') {
            return None;
        }
        let (text, has_rest) = match text.strip_suffix('#') {
            Some("") => return Some(AclFilter { levels: Vec::new(), has_rest: true }),
            Some(before) => (before.strip_suffix('/')?, true),
            None => (text, false),
        };
        let level = |level| match level {
            "+" => Some(Level::Any),
            name if name.contains(['+', '#']) => None,
            name => Some(Level::Name(name.into())),
        };
        Some(AclFilter { levels: text.split('/').map(level).collect::<Option<_>>()?, has_rest })
    }

    /// Returns whether it matches `topic`. A wildcard in the first level matches no topic that begins with `$`.
    pub(super) fn matches(&self, topic: &str) -> bool {
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Name(_))) {
            return false;
        }
        let mut names = topic.split('/');
        for level in &self.levels {
            let Some(name) = names.next() else { return false };
            match level {
                Level::Name(wanted) if **wanted != *name => return false,
                Level::Name(_) | Level::Any => {}
            }
        }
        self.has_rest || names.next().is_none()
    }

    /// Returns the filter of the topics that both match; `None` when there is no such topic.
    pub(super) fn intersection(&self, other: &AclFilter) -> Option<AclFilter> {
        let mut levels = Vec::with_capacity(self.levels.len().max(other.levels.len()));
        let (mut ours, mut theirs) = (self.levels.iter(), other.levels.iter());
        let has_rest = loop {
            let level = match (ours.next(), theirs.next()) {
                (None, None) => break self.has_rest && other.has_rest,
                (Some(Level::Name(name)), Some(Level::Name(other))) if name != other => return None,
                (Some(Level::Name(name)), Some(_)) | (Some(Level::Any), Some(Level::Name(name))) => {
                    Level::Name(Arc::clone(name))
                }
                (Some(Level::Any), Some(Level::Any)) => Level::Any,
                (Some(level), None) if other.has_rest => level.clone(),
                (None, Some(level)) if self.has_rest => level.clone(),
                (Some(_), None) | (None, Some(_)) => return None,
            };
            levels.push(level);
        };
        let both = AclFilter { levels, has_rest };
        let is_wild = |filter: &AclFilter| !matches!(filter.levels.first(), Some(Level::Name(_)));
        let begins_with_dollar = matches!(both.levels.first(), Some(Level::Name(name)) if name.starts_with('$'));
        (!begins_with_dollar || !(is_wild(self) || is_wild(other))).then_some(both)
    }

    /// Returns whether it matches a topic that none of `others` does.
    ///
    /// A name that stands in none of them is matched by the fewest. So it is enough to try the topics with such names in
    /// place of each `+`, and with as many of them in place of `#` as the longest of `others` has levels, and one more.
    pub(super) fn exceeds(&self, others: &[AclFilter]) -> bool {
        let names = self.levels.iter().map(|level| match level {
            Level::Name(name) => &**name,
            Level::Any => UNNAMED,
        });
        let mut names: Vec<&str> = names.collect();
        let longest = others.iter().map(|other| other.levels.len()).max().unwrap_or(0);
        loop {
            // No topic is empty: `#` alone needs a level.
            if !names.is_empty() && !others.iter().any(|other| other.matches(&names.join("/"))) {
                return true;
            }
            if !self.has_rest || names.len() > longest {
                return false;
            }
            names.push(UNNAMED);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(text: &str) -> AclFilter {
        AclFilter::parse(text).expect(text)
    }

    #[test]
    fn a_wildcard_stands_alone_in_its_level_and_a_rest_at_the_end() {
        for wrong in ["", "a+", "+a/b", "a#", "#/a", "a/#/b", "a/b#", "##", "a\0"] {
            assert_eq!(AclFilter::parse(wrong), None, "{wrong:?}");
        }
        for right in ["a", "/", "+", "#", "a/#", "/#", "+/+/#", "$SYS/#", " "] {
            assert!(AclFilter::parse(right).is_some(), "{right:?}");
        }
    }

    #[test]
    fn topics_are_matched_as_the_standard_says() {
        for (text, topic, matches) in [
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+", "/", false),
            ("+/+", "/", true),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/d", false),
        ] {
            assert_eq!(filter(text).matches(topic), matches, "{text} {topic}");
        }
    }

    #[test]
    fn two_filters_meet_in_a_third() {
        for (one, other, both) in [
            ("#", "a/+", Some("a/+")),
            ("a/#", "+/b", Some("a/b")),
            ("a/#", "a", Some("a")),
            ("a/#", "a/#", Some("a/#")),
            ("a/b", "a/c", None),
            ("a", "a/+", None),
            ("#", "$SYS/#", None),
            ("+/x", "$SYS/x", None),
            ("$SYS/#", "$SYS/+", Some("$SYS/+")),
        ] {
            assert_eq!(filter(one).intersection(&filter(other)), both.map(filter), "{one} {other}");
            assert_eq!(filter(other).intersection(&filter(one)), both.map(filter), "{other} {one}");
        }
    }

    /// All topics of up to four levels over three names, one of which no generated filter has.
    fn topics() -> Vec<String> {
        let names = ["a", "b", "c"];
        let mut all: Vec<String> = names.map(str::to_owned).into();
        let mut last = all.clone();
        for _ in 0..3 {
            last = last.iter().flat_map(|topic| names.map(|name| format!("{topic}/{name}"))).collect();
            all.extend(last.clone());
        }
        all
    }

    fn any_filter() -> impl Strategy<Value = String> {
        let levels = prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("+")], 0..3);
        (levels, any::<bool>()).prop_filter_map("not empty", |(mut levels, has_rest)| {
            levels.extend(has_rest.then_some("#"));
            (!levels.is_empty()).then(|| levels.join("/"))
        })
    }

    proptest! {
        #[test]
        fn intersections_and_differences_agree_with_all_topics(
            one in any_filter(),
            other in any_filter(),
            denied in prop::collection::vec(any_filter(), 0..4),
        ) {
            let (one, other) = (filter(&one), filter(&other));
            let denied: Vec<AclFilter> = denied.iter().map(|text| filter(text)).collect();
            let both = one.intersection(&other);
            for topic in topics() {
                let matches = both.as_ref().is_some_and(|both| both.matches(&topic));
                prop_assert_eq!(matches, one.matches(&topic) && other.matches(&topic), "{}", topic);
            }
            let left = |topic: &String| one.matches(topic) && !denied.iter().any(|denied| denied.matches(topic));
            prop_assert_eq!(one.exceeds(&denied), topics().iter().any(left));
        }
    }
}
