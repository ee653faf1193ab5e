//! Which invariants a test holds: those of which all rules are loaded that publish to what they read.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::Needs;
use crate::model::{Topic, TopicFilter};
use crate::rules::{ActionKind, Rule, RuleEntry, Ruleset};

/// Returns those invariants of `home` that may be judged where only the rules `loaded` are in force.
pub(in crate::sim) fn invariants_of(home: &Ruleset, loaded: &Ruleset) -> Vec<RuleEntry> {
    if home.invariants.is_empty() {
        return Vec::new();
    }
    let loaded: BTreeSet<&str> = loaded.entries.iter().map(|entry| entry.id().as_str()).collect();
    let missing: Vec<Vec<TopicFilter>> = home
        .entries
        .iter()
        .filter(|entry| !loaded.contains(entry.id().as_str()))
        .filter_map(|entry| example(entry).map(|rule| writes(&rule)))
        .collect();
    let may_be_judged = |invariant: &&RuleEntry| {
        let Some(invariant) = example(invariant) else { return false };
        let needs = Needs::of_rule(&invariant).filters;
        let reads: Vec<TopicFilter> = needs.iter().filter_map(|filter| TopicFilter::parse(filter).ok()).collect();
        !missing.iter().flatten().any(|written| reads.iter().any(|read| read.overlaps(written)))
    };
    home.invariants.iter().filter(may_be_judged).cloned().collect()
}

/// Returns a rule, or one as it's made for a topic.
fn example(entry: &RuleEntry) -> Option<Arc<Rule>> {
    match entry {
        RuleEntry::Rule(rule) => Some(Arc::clone(rule)),
        RuleEntry::EachTopic(each) => {
            let topic = Topic::parse(&each.filter.plain().replace(['+', '#'], "x")).ok()?;
            (each.make)(&topic).ok().map(Arc::new)
        }
    }
}

/// Returns the topics to which a rule publishes, as far as its text tells.
fn writes(rule: &Rule) -> Vec<TopicFilter> {
    let mut found: Vec<TopicFilter> =
        rule.actions().flat_map(|action| action.kind.messages()).filter_map(|message| message.topic.filter()).collect();
    for action in rule.actions() {
        if let ActionKind::Script(closure) = &action.kind {
            let published = closure.literal_calls().iter().filter(|call| call.function == "publish");
            found.extend(published.filter_map(|call| TopicFilter::parse(&call.text).ok()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_filters_overlap_where_a_topic_may_match_both() {
        let overlaps =
            |one: &str, other: &str| TopicFilter::parse(one).unwrap().overlaps(&TopicFilter::parse(other).unwrap());
        assert!(overlaps("a/+/set", "a/b/+"));
        assert!(overlaps("a/#", "a"));
        assert!(overlaps("+x/#", "a/b/c"));
        assert!(!overlaps("a/+/set", "a/b/state"));
        assert!(!overlaps("a/b", "a/b/c"));
        assert!(!overlaps("a/+", "a/b/c"));
    }
}
