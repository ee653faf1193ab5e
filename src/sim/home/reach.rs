//! Which invariants a test holds: those of which all rules are loaded that publish to what they read.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Topic, TopicFilter};
use crate::rules::{ActionKind, Condition, ConditionKind, InvariantForm, Rule, RuleEntry, Ruleset};
use crate::script::Expression;

/// The functions whose first argument is a topic or a filter that is read.
const READERS: [&str; 21] = [
    "state", "last", "age", "exists", "states", "any", "all", "count", "known", "average", "median", "lowest",
    "highest", "change", "rise", "fall", "changes", "times", "duration", "integral", "at",
];

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
        let reads = reads(&invariant);
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

/// Returns the topics that an invariant reads, as far as its text tells.
fn reads(invariant: &Rule) -> Vec<TopicFilter> {
    let mut found: Vec<TopicFilter> =
        invariant.triggers().iter().filter_map(|trigger| trigger.filter().cloned()).collect();
    let form = invariant.invariant.as_ref().map(|invariant| &invariant.form);
    if let Some(condition) = form.and_then(InvariantForm::condition) {
        for condition in condition.with_inner() {
            of_condition(condition, &mut found);
        }
    }
    for (_, template) in &invariant.variables {
        template.expressions().into_iter().for_each(|expression| of_expression(expression, &mut found));
    }
    found
}

fn of_condition(condition: &Condition, found: &mut Vec<TopicFilter>) {
    match &condition.kind {
        ConditionKind::Expression(expression) => of_expression(expression, found),
        ConditionKind::State(state) => found.extend(state.topic.filter()),
        ConditionKind::Device(_)
        | ConditionKind::All(_)
        | ConditionKind::Any(_)
        | ConditionKind::Not(_)
        | ConditionKind::Time(_)
        | ConditionKind::Sun { .. } => {}
    }
}

/// Adds the topics that stand in the calls of an expression.
fn of_expression(expression: &Expression, found: &mut Vec<TopicFilter>) {
    let text = expression.text();
    for name in READERS {
        for (at, _) in text.match_indices(&format!("{name}(")) {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                continue;
            }
            let rest = text.get(at + name.len() + 1..).unwrap_or_default().trim_start();
            let Some(quote) = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"' | '`')) else { continue };
            let inner = rest.get(1..).unwrap_or_default();
            let topic = inner.split(quote).next().unwrap_or_default();
            let level = |level: &str| if level.contains("${") { "+".to_owned() } else { level.to_owned() };
            let pattern: Vec<String> = topic.split('/').map(level).collect();
            found.extend(TopicFilter::parse(&pattern.join("/")).ok());
        }
    }
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
