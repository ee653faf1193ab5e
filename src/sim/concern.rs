//! Which rules a failed expectation concerns: those that published, and those that might have.

use std::collections::BTreeSet;

use crate::engine::{Outcome, Trace};
use crate::lang::test_file::ExpectedMessage;
use crate::model::{RuleId, Topic, Value};
use crate::rules::{ActionKind, Publish, Rule, RuleEntry, Ruleset, Start, TriggerKind};
use crate::script::{Template, TextPart};

use super::report::{LineKind, Report};
use super::test_home::{nearest, without_instance};
use super::{Comparison, Published, Row, VirtualHome, traces};

/// Explains the rows that are not as expected by what the rules concerned did since trace `first_trace`.
pub(super) fn explain(
    expected: &[ExpectedMessage],
    published: &[Published],
    comparison: &Comparison,
    world: &mut VirtualHome,
    first_trace: usize,
) -> Report {
    let rules = world.rules().clone();
    let ended = world.traces.len();
    let mut concerned: BTreeSet<RuleId> = BTreeSet::new();
    let mut missing: Vec<&Topic> = Vec::new();
    for row in &comparison.rows {
        match *row {
            Row::Same { .. } => {}
            Row::Differs { expected: _, actual } | Row::Unexpected { actual } => {
                concerned.extend(published.get(actual).map(|published| published.publication.rule.clone()));
            }
            Row::Missing { expected: index } => missing.extend(expected.get(index).map(|expected| &expected.topic)),
        }
    }
    // What is still under way leaves its trace only when it ends.
    world.end();
    let may = |rule: &RuleId| missing.iter().any(|topic| may_publish(&rules, rule, topic));
    // A run that failed may have been about to publish what is missing, whatever its rule seems to publish.
    let is_failed = |trace: &Trace| !missing.is_empty() && matches!(trace.outcome, Outcome::Failed(_));
    let told = |trace: &&Trace| concerned.contains(&trace.rule) || may(&trace.rule) || is_failed(trace);
    let past: Vec<&Trace> =
        world.traces.get(first_trace..ended).unwrap_or_default().iter().map(|trace| &**trace).filter(told).collect();
    let open: Vec<&Trace> =
        world.traces.get(ended..).unwrap_or_default().iter().map(|trace| &**trace).filter(told).collect();
    let mut report = Report::default();
    if !past.is_empty() {
        report.add(LineKind::Plain, "");
        report.add(LineKind::Heading, "what the rules did:");
        report.append(traces::write(past.iter().copied(), world));
    }
    if !open.is_empty() {
        report.add(LineKind::Plain, "");
        report.add(LineKind::Heading, "what was still under way:");
        report.append(traces::write_open(open.iter().copied(), world));
    }
    let has_trace = |id: &RuleId| past.iter().chain(&open).any(|trace| same_rule(&trace.rule, id));
    let silent: Vec<String> = missing.iter().flat_map(|topic| silence(&rules, topic, &has_trace)).collect();
    if !silent.is_empty() {
        report.add(LineKind::Plain, "");
        for line in silent {
            report.add(LineKind::Plain, line);
        }
    }
    report
}

/// Returns why nothing was published to `topic`, where no trace tells it.
fn silence(rules: &Ruleset, topic: &Topic, has_trace: &dyn Fn(&RuleId) -> bool) -> Vec<String> {
    let publishers: Vec<&RuleEntry> = rules.entries.iter().filter(|entry| entry_publishes(entry, topic)).collect();
    if publishers.is_empty() {
        let scripts: Vec<&RuleId> = rules.entries.iter().filter(|entry| is_script(entry)).map(RuleEntry::id).collect();
        if scripts.iter().any(|id| has_trace(id)) {
            return Vec::new();
        }
        if !scripts.is_empty() {
            let scripts: Vec<String> = scripts.iter().map(|id| format!("`{id}`")).collect();
            let scripts = scripts.join(", ");
            return vec![format!("only a script may publish to `{topic}`, and nothing triggered one: {scripts}")];
        }
        let known: BTreeSet<String> = rules.entries.iter().flat_map(constant_topics).collect();
        let near = nearest(topic.as_str(), known.iter().map(String::as_str));
        let hint = near.map_or(String::new(), |near| format!("; one publishes to `{near}`"));
        return vec![format!("no rule publishes to `{topic}`{hint}")];
    }
    if publishers.iter().any(|entry| has_trace(entry.id())) {
        return Vec::new();
    }
    let publishers = publishers.iter();
    publishers
        .map(|entry| format!("`{}` publishes to `{topic}`, and nothing triggered it{}", entry.id(), waits_for(entry)))
        .collect()
}

fn waits_for(entry: &RuleEntry) -> String {
    let RuleEntry::Rule(rule) = entry else { return String::new() };
    match &rule.start {
        Start::While(_) => format!(": its `while` at {} did not change", rule.place),
        Start::When(triggers) => {
            let texts: Vec<String> = triggers.iter().map(|trigger| trigger_text(&trigger.kind)).collect();
            if texts.is_empty() { String::new() } else { format!(": it waits for {}", texts.join(" or ")) }
        }
    }
}

fn trigger_text(trigger: &TriggerKind) -> String {
    match trigger {
        TriggerKind::Topic { filter, .. } => format!("a message of `{filter}`"),
        TriggerKind::State(state) => format!("a change of `{}`", state.filter),
        TriggerKind::Silent { filter, .. } => format!("the silence of `{filter}`"),
        TriggerKind::Schedule { .. } | TriggerKind::AtExpression { .. } => "its time".to_owned(),
        TriggerKind::Client { pattern, .. } => format!("the client `{pattern}`"),
        TriggerKind::Event(_) => "an event of the daemon".to_owned(),
        TriggerKind::Webhook(name) => format!("the webhook `{name}`"),
    }
}

/// Returns whether the rule `id` may publish to `topic`.
pub(super) fn may_publish(rules: &Ruleset, id: &RuleId, topic: &Topic) -> bool {
    let entry = rules.entries.iter().find(|entry| same_rule(entry.id(), id));
    entry.is_some_and(|entry| is_script(entry) || entry_publishes(entry, topic))
}

/// Returns whether two ids mean one rule, instances aside.
fn same_rule(one: &RuleId, other: &RuleId) -> bool {
    one == other || without_instance(one.as_str()) == without_instance(other.as_str())
}

/// Returns whether the rule calls a script, which may publish to any topic.
fn is_script(entry: &RuleEntry) -> bool {
    let RuleEntry::Rule(rule) = entry else { return false };
    rule.actions().any(|action| matches!(action.kind, ActionKind::Script(_)))
}

/// Returns whether an action of the rule may publish to `topic`.
fn entry_publishes(entry: &RuleEntry, topic: &Topic) -> bool {
    match entry {
        RuleEntry::Rule(rule) => publishes(rule).any(|publish| may_be(&publish.topic, topic.as_str())),
        // Its topics are known only once it is made for one.
        RuleEntry::EachTopic(_) => true,
    }
}

fn constant_topics(entry: &RuleEntry) -> Vec<String> {
    let RuleEntry::Rule(rule) = entry else { return Vec::new() };
    publishes(rule).filter_map(|publish| publish.topic.as_constant().map(Value::to_string)).collect()
}

/// Returns all that a rule may publish.
fn publishes(rule: &Rule) -> impl Iterator<Item = &Publish> {
    rule.actions().flat_map(|action| action.kind.messages())
}

/// Returns whether a template may give `text`: each of its expressions may give anything.
fn may_be(template: &Template, text: &str) -> bool {
    match template {
        Template::Constant(value) => value.to_string() == text,
        Template::Expression(_) => true,
        Template::Text(parts) => parts_may_be(parts, text),
        Template::List(_) | Template::Map(_) => false,
    }
}

fn parts_may_be(parts: &[TextPart], text: &str) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((TextPart::Literal(literal), rest)) => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| parts_may_be(rest, text))
        }
        Some((TextPart::Expression(_), rest)) => match rest.first() {
            None => true,
            Some(TextPart::Expression(_)) => parts_may_be(rest, text),
            Some(TextPart::Literal(literal)) => text
                .match_indices(literal.as_str())
                .any(|(at, _)| text.get(at..).is_some_and(|text| parts_may_be(rest, text))),
        },
    }
}
