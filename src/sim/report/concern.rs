//! Which rules a failed expectation concerns: those that published, and those that might have.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::{BlockedBy, Outcome, RuleView, Trace};
use crate::explain::{LineKind, Report, meant_topics, trace_lines, traces_under_way};
use crate::lang::test_file::ExpectedMessage;
use crate::model::{RuleId, Topic, Value, nearest};
use crate::rules::{ActionKind, Publish, Rule, RuleEntry, Ruleset};
use crate::script::{Template, TextPart};

use crate::sim::home::{Published, VirtualHome, without_instance};

use super::comparison::{Comparison, Row};
use super::silence::Standings;

/// Up to so many traces, none is overlooked.
const FEW: usize = 3;

/// What a failed expectation is about.
#[derive(Debug, Default)]
pub(in crate::sim) struct Concern<'a> {
    /// Rules that published what wasn't expected.
    rules: BTreeSet<RuleId>,
    /// Topics to which something was to be published.
    topics: Vec<&'a Topic>,
    /// What was to be asked of the outside.
    call: Option<Outside>,
    /// Only traces from this one on tell of it.
    first_trace: usize,
}

/// What rules ask of the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Outside {
    /// Requests.
    Http,
    /// Programs.
    Exec,
    /// Notifications.
    Notify,
}

impl<'a> Concern<'a> {
    /// Returns the concern of the rows that are not as expected; traces before `first_trace` were told before.
    pub(in crate::sim) fn of_rows(
        expected: &'a [ExpectedMessage],
        published: &[Published],
        comparison: &Comparison,
        first_trace: usize,
    ) -> Concern<'a> {
        let mut concern = Concern { first_trace, ..Concern::default() };
        for row in &comparison.rows {
            match *row {
                Row::Same { .. } => {}
                Row::Differs { expected: _, actual } | Row::Unexpected { actual } => {
                    concern.rules.extend(published.get(actual).map(|published| published.publication.rule.clone()));
                }
                Row::Missing { expected: index } => {
                    concern.topics.extend(expected.get(index).map(|expected| &expected.topic));
                }
            }
        }
        concern
    }

    /// Returns the concern of topics whose state is not as expected.
    pub(in crate::sim) fn of_topics(topics: Vec<&'a Topic>) -> Concern<'a> {
        Concern { topics, ..Concern::default() }
    }

    /// Returns the concern of requests, programs or notifications that are not as expected.
    pub(in crate::sim) fn of_calls(call: Outside) -> Concern<'a> {
        Concern { call: Some(call), ..Concern::default() }
    }

    /// Explains it by what the rules concerned did, and why others did nothing.
    pub(in crate::sim) fn explain(&self, world: &mut VirtualHome) -> Report {
        let rules = world.rules().clone();
        let ended = world.traces.len();
        let may = |rule: &RuleId| {
            self.topics.iter().any(|topic| may_publish(&rules, rule, topic))
                || self.call.is_some_and(|call| may_call(&rules, rule, call))
        };
        let standings = Standings::of(world, may);
        // What is still under way leaves its trace only when it ends.
        world.end();
        // A run that failed may have been about to publish what is missing, whatever its rule seems to publish.
        let is_failed = |trace: &Trace| !self.topics.is_empty() && matches!(trace.outcome, Outcome::Failed(_));
        // What couldn't be told before is told as it stands now.
        let is_past = |trace: &Trace| {
            trace.outcome == Outcome::Skipped(BlockedBy::Unknown)
                && standings.view(&trace.rule).is_some_and(RuleView::has_more_to_tell)
        };
        let told = |trace: &&Trace| {
            (self.rules.contains(&trace.rule) || may(&trace.rule) || is_failed(trace)) && !is_past(trace)
        };
        let within = |range: Option<&'_ [Arc<Trace>]>| range.unwrap_or_default().to_vec();
        let past = within(world.traces.get(self.first_trace..ended));
        let open = within(world.traces.get(ended..));
        let past: Vec<&Trace> = past.iter().map(|trace| &**trace).filter(told).collect();
        let open: Vec<&Trace> = open.iter().map(|trace| &**trace).filter(told).collect();
        let mut report = what_they_did(&past, &open, world);
        let told = Told { traces: past.iter().chain(&open).copied().collect(), standings };
        let mut silent = Report::default();
        for topic in &self.topics {
            silent.append(told.silence(&rules, topic, world));
        }
        silent.append(told.meant(world));
        if let Some(call) = self.call.filter(|_| told.traces.is_empty()) {
            silent.append(told.silence_of_call(call, world));
        }
        if !silent.lines.is_empty() {
            report.add(LineKind::Plain, "");
            report.append(silent);
        }
        report
    }
}

/// Writes the traces of runs that ended, and of those that had not.
fn what_they_did(past: &[&Trace], open: &[&Trace], world: &VirtualHome) -> Report {
    let mut report = Report::default();
    let failures: BTreeSet<String> = past.iter().filter_map(|trace| failure(trace)).collect();
    if past.len() > FEW && !failures.is_empty() {
        // Among many, they would be overlooked.
        report.add(LineKind::Plain, "");
        for failure in failures {
            report.add(LineKind::Heading, failure);
        }
    }
    if !past.is_empty() {
        report.add(LineKind::Plain, "");
        report.add(LineKind::Heading, "what the rules did:");
        report.append(trace_lines(past.iter().copied(), world.clock().time()));
    }
    if !open.is_empty() {
        report.add(LineKind::Plain, "");
        report.add(LineKind::Heading, "what was still under way:");
        report.append(traces_under_way(open.iter().copied(), world.clock().time()));
    }
    report
}

/// Returns why a run failed, in words; `None` where it didn't.
fn failure(trace: &Trace) -> Option<String> {
    match &trace.outcome {
        Outcome::Failed(why) => Some(format!("`{}` failed: {why}", trace.rule)),
        _ => None,
    }
}

/// What is told of the rules concerned.
struct Told<'a> {
    traces: Vec<&'a Trace>,
    standings: Standings,
}

impl Told<'_> {
    /// Says why nothing was published to `topic`, where no trace tells it.
    fn silence(&self, rules: &Ruleset, topic: &Topic, world: &VirtualHome) -> Report {
        let mut report = Report::default();
        let may = |view: &&RuleView| publishes(&view.rule).any(|publish| may_be(&publish.topic, topic.as_str()));
        let of_entry = |entry: &RuleEntry| self.standings.instances(entry.id()).into_iter().filter(may);
        let mut publishers: Vec<&RuleView> = rules.entries.iter().flat_map(of_entry).collect();
        if publishers.is_empty() {
            let lines = silence_of_none(rules, topic, &|id| self.has_trace(id));
            for line in lines {
                report.add(LineKind::Plain, line);
            }
            let scripts = rules.entries.iter().filter(|entry| is_script(entry)).map(RuleEntry::id);
            let scripts: Vec<&RuleView> = scripts.flat_map(|id| self.standings.instances(id)).collect();
            if !scripts.iter().any(|view| self.has_trace(&view.rule.id)) {
                report.append(self.standings.explain(&scripts, "may publish to any topic", world));
            }
            return report;
        }
        if publishers.iter().any(|view| self.tells_all(view)) {
            return report;
        }
        // Those that name the topic itself come first.
        let names_it = |view: &RuleView| {
            publishes(&view.rule)
                .any(|publish| publish.topic.as_constant().is_some_and(|known| known.to_string() == topic.as_str()))
        };
        publishers.sort_by_key(|view| !names_it(view));
        publishers.retain(|view| !self.has_trace(&view.rule.id) || view.has_more_to_tell());
        report.append(self.standings.explain(&publishers, &format!("publishes to `{topic}`"), world));
        report
    }

    /// Says why nothing was asked of the outside, where no rule that does so left a trace.
    fn silence_of_call(&self, call: Outside, world: &VirtualHome) -> Report {
        let (action, does_what) = match call {
            Outside::Http => ("http", "may send a request"),
            Outside::Exec => ("exec", "may run a program"),
            Outside::Notify => ("notify", "may notify somebody"),
        };
        let views = self.standings.all();
        if views.is_empty() {
            let mut report = Report::default();
            report.add(LineKind::Plain, format!("no rule that is in force has an `{action}` action"));
            return report;
        }
        self.standings.explain(&views, does_what, world)
    }

    /// Names the topics that were probably meant by those that conditions read and that nothing spoke on.
    fn meant(&self, world: &VirtualHome) -> Report {
        let mut report = Report::default();
        let views = self.standings.all();
        let judged = views.iter().flat_map(|view| &view.judged);
        let skipped = self.traces.iter().filter(|trace| matches!(trace.outcome, Outcome::Skipped(_)));
        let steps = skipped.flat_map(|trace| &trace.steps).chain(judged);
        let speaks = |topic: &Topic| world.heard.topics().any(|heard| heard == topic);
        // What rules publish is seldom what their conditions read.
        for (topic, near) in meant_topics(steps, speaks, &world.heard.topics_of_devices()) {
            let text =
                format!("nothing spoke on `{topic}`, which is read, but `{near}` did: is one of them misspelled?");
            report.add(LineKind::Plain, text);
        }
        report
    }

    fn has_trace(&self, rule: &RuleId) -> bool {
        self.traces.iter().any(|trace| same_rule(&trace.rule, rule))
    }

    /// Returns whether the traces of a rule tell why it didn't publish; what kept it from running may do so no more.
    fn tells_all(&self, view: &RuleView) -> bool {
        let ran =
            |trace: &&Trace| same_rule(&trace.rule, &view.rule.id) && !matches!(trace.outcome, Outcome::Skipped(_));
        self.traces.iter().any(ran) || (self.has_trace(&view.rule.id) && !view.has_more_to_tell())
    }
}

/// Returns what is told where no rule names `topic` as one to which it publishes.
fn silence_of_none(rules: &Ruleset, topic: &Topic, has_trace: &dyn Fn(&RuleId) -> bool) -> Vec<String> {
    let made_for_topics = rules.entries.iter().filter_map(|entry| match entry {
        RuleEntry::EachTopic(each) => Some(each),
        RuleEntry::Rule(_) => None,
    });
    let unmade: Vec<String> = made_for_topics
        .filter(|each| !has_trace(&each.id))
        .map(|each| {
            format!(
                "`{}` makes a rule for each topic of `{}`; none that spoke made one that publishes to `{topic}`",
                each.id, each.filter
            )
        })
        .collect();
    let scripts: Vec<&RuleId> = rules.entries.iter().filter(|entry| is_script(entry)).map(RuleEntry::id).collect();
    if scripts.iter().any(|id| has_trace(id)) {
        return unmade;
    }
    if !scripts.is_empty() {
        let scripts: Vec<String> = scripts.iter().map(|id| format!("`{id}`")).collect();
        let scripts = scripts.join(", ");
        let only = format!("only a script may publish to `{topic}`, and nothing triggered one: {scripts}");
        return unmade.into_iter().chain([only]).collect();
    }
    if !unmade.is_empty() {
        return unmade;
    }
    let known: BTreeSet<String> = rules.entries.iter().flat_map(constant_topics).collect();
    let near = nearest(topic.as_str(), known.iter().map(String::as_str));
    let hint = near.map_or(String::new(), |near| format!("; one publishes to `{near}`"));
    vec![format!("no rule publishes to `{topic}`{hint}")]
}

/// Returns whether a rule names `topic` as one to which it publishes.
pub(in crate::sim) fn has_publisher(rules: &Ruleset, topic: &Topic) -> bool {
    rules.entries.iter().any(|entry| entry_publishes(entry, topic))
}

/// Returns whether the rule `id` may publish to `topic`.
pub(in crate::sim) fn may_publish(rules: &Ruleset, id: &RuleId, topic: &Topic) -> bool {
    let entry = rules.entries.iter().find(|entry| same_rule(entry.id(), id));
    entry.is_some_and(|entry| is_script(entry) || entry_publishes(entry, topic))
}

/// Returns whether the rule `id` may ask this of the outside; what a script asks isn't known before.
fn may_call(rules: &Ruleset, id: &RuleId, call: Outside) -> bool {
    let entry = rules.entries.iter().find(|entry| same_rule(entry.id(), id));
    entry.is_some_and(|entry| match entry {
        RuleEntry::Rule(rule) => rule.actions().any(|action| match action.kind {
            ActionKind::Http(_) => call == Outside::Http,
            ActionKind::Exec(_) => call == Outside::Exec,
            ActionKind::Notify(_) => call == Outside::Notify,
            ActionKind::Script(_) => call != Outside::Exec,
            _ => false,
        }),
        RuleEntry::EachTopic(_) => true,
    })
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
