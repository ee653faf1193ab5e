//! Why a test fails that breaks an invariant, or that doesn't break one that it says it does.

use crate::engine::{InvariantChange, InvariantNews, Outcome, Trace};
use crate::explain::{LineKind, Report, cause_in_short, step_lines, trace_lines};
use crate::model::{RuleId, nearest};
use crate::rules::{RuleEntry, Ruleset};

use crate::sim::home::{VirtualHome, without_instance};

/// Returns whether a test means the invariant `id` by `name`: by its id or its key, with an instance or without.
pub(super) fn is_named(id: &RuleId, name: &str) -> bool {
    [id.as_str(), id.key()].iter().any(|text| *text == name || without_instance(text) == name)
}

/// Returns what a test says that breaks an invariant: what was broken, how it was judged, and what led there.
pub(super) fn broken(news: &InvariantNews, world: &mut VirtualHome) -> (String, Report) {
    let clock = world.clock();
    let time = clock.time();
    let InvariantChange::Broken(breach) = &news.change else { return (String::new(), Report::default()) };
    let captures = if news.captures.is_empty() { String::new() } else { format!(" for {}", news.captures.join(", ")) };
    let message =
        format!("the invariant `{}` was broken{captures} at {}: {breach}", news.invariant, time.text(news.at));
    let mut report = Report::default();
    report.add(LineKind::Heading, format!("it was broken by {}:", cause_in_short(&news.cause, time)));
    for line in step_lines(&news.steps, Some(news.at), time) {
        report.add(LineKind::Plain, line);
    }
    let ran = |trace: &&Trace| !matches!(trace.outcome, Outcome::Skipped(_));
    let until = news.at;
    let traces: Vec<&Trace> = world.traces.iter().map(|trace| &**trace).filter(ran).collect();
    let before: Vec<&Trace> = traces.into_iter().filter(|trace| trace.at <= until).collect();
    if before.is_empty() {
        report.add(LineKind::Plain, "no rule ran before");
    } else {
        report.add(LineKind::Heading, "what ran before:");
        report.append(trace_lines(before, time));
    }
    (message, report)
}

/// Returns what a test says that doesn't break the invariant `name`.
pub(super) fn not_broken(name: &str, rules: &Ruleset) -> String {
    let ids: Vec<RuleId> = rules.invariants.iter().map(RuleEntry::invariant_id).collect();
    if ids.iter().any(|id| is_named(id, name)) {
        return format!("the invariant `{name}` wasn't broken");
    }
    let near = nearest(name, ids.iter().flat_map(|id| [id.as_str(), id.key()]));
    let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    format!("there is no invariant `{name}` here{hint}; a test has those whose rules are all loaded")
}
