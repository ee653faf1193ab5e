//! Which filters are covered by others: a broker may send a message once for each filter that matches it.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Returns whether all topics that `inner` matches are matched by `outer` too.
#[must_use]
pub fn covers(outer: &str, inner: &str) -> bool {
    // MQTT 5.0, 4.7.2-1: a wildcard in front doesn't match `$SYS`.
    if inner.starts_with('$') && outer.starts_with(['+', '#']) {
        return false;
    }
    let (mut outer, mut inner) = (outer.split('/'), inner.split('/'));
    loop {
        match (outer.next(), inner.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(ours), Some(theirs)) if ours == theirs => {}
            _ => return false,
        }
    }
}

/// Returns whether a filter names one topic.
pub(super) fn is_literal(filter: &str) -> bool {
    !filter.contains(['+', '#'])
}

/// Returns the filters without those that others cover.
#[must_use]
pub fn without_covered(filters: &BTreeSet<Arc<str>>) -> BTreeSet<Arc<str>> {
    let wide: Vec<&Arc<str>> = filters.iter().filter(|filter| !is_literal(filter)).collect();
    let is_covered = |filter: &&Arc<str>| wide.iter().any(|outer| outer != filter && covers(outer, filter));
    filters.iter().filter(|filter| !is_covered(filter)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::broker::filter::Filter;

    #[test]
    fn what_is_covered_is_not_asked_for_again() {
        for (outer, inner, covered) in [
            ("home/#", "home", true),
            ("home/#", "home/+/tv", true),
            ("home/+", "home/#", false),
            ("home/+/tv", "home/a/tv", true),
            ("home/+", "home", false),
            ("#", "$SYS/#", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/broker/+", true),
            ("home/+", "home/+", true),
        ] {
            assert_eq!(covers(outer, inner), covered, "{outer} {inner}");
        }
        let filters = ["home/#", "home/a", "garden/+", "garden/+/x", "garden/y"].map(Arc::from).into();
        let left: Vec<String> = without_covered(&filters).iter().map(ToString::to_string).collect();
        assert_eq!(left, ["garden/+", "garden/+/x", "home/#"]);
    }

    proptest! {
        #[test]
        fn what_a_covered_filter_matches_the_covering_one_matches(
            outer in "([ab+]/){0,2}([ab+#])", inner in "([ab+]/){0,2}([ab+#])", topic in "([ab]/){0,3}[ab]"
        ) {
            let matches = |filter: &str| Filter::parse(filter).unwrap().matches(&topic);
            if covers(&outer, &inner) && matches(&inner) {
                prop_assert!(matches(&outer));
            }
        }
    }
}
