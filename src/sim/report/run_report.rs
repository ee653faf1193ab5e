//! Whether a rule ran as often as a test expects, and what it did instead.

use crate::engine::{BlockedBy, Outcome, StoppedBy, Trace};
use crate::explain::{LineKind, Report, trace_lines, traces_under_way};
use crate::lang::test_file::ExpectedRun;
use crate::model::{RuleId, Topic, nearest};

use crate::sim::home::{VirtualHome, without_instance};

use super::silence::Standings;

/// Returns why a rule's runs are not what was expected; `None` where they are.
pub(in crate::sim) fn check(expected: &ExpectedRun, world: &mut VirtualHome) -> Option<(String, Report)> {
    let rule = match find(&expected.rule, world) {
        Ok(rule) => rule,
        Err(message) => return Some((message, Report::default())),
    };
    let of_rule = |trace: &&Trace| trace.rule.as_str() == rule || without_instance(trace.rule.as_str()) == rule;
    let ended = world.traces.len();
    let ran = world.traces.iter().map(|trace| &**trace).filter(of_rule);
    let count = ran.filter(|trace| is_meant(expected, trace)).count();
    // One that goes on has no outcome yet, but is a run.
    let under_way = world.engine().runs_under_way(world.now());
    let count = count + under_way.iter().filter(of_rule).filter(|trace| is_meant(expected, trace)).count();
    let count = match &expected.publishes {
        Some(topic) => published(&rule, topic, world),
        None => count,
    };
    let is_few = expected.at_most.is_none_or(|most| count <= most);
    let least = usize::from(expected.at_most.is_none());
    if is_few && expected.times.map_or(count >= least, |times| count == times) {
        return None;
    }
    let wanted = match (expected.times, expected.at_most) {
        (Some(count), _) => times(count),
        (None, Some(most)) => format!("at most {}", times(most)),
        (None, None) => "at least once".to_owned(),
    };
    let what = match (&expected.publishes, expected.outcome, expected.by) {
        (Some(topic), _, _) => format!("published to `{topic}`"),
        (None, Some(outcome), Some(by)) => format!("{outcome} by {by}"),
        (None, Some(outcome), None) => outcome.to_owned(),
        (None, None, _) => "ran".to_owned(),
    };
    let happened = if count == 0 { format!("never {what}") } else { format!("{what} {}", times(count)) };
    let message = format!("`{rule}` {happened}, expected {wanted}");
    let standings = Standings::of(world, |id| id.belongs_to(&rule));
    // What is still under way leaves its trace only when it ends.
    world.end();
    let (past, open) = world.traces.split_at_checked(ended).unwrap_or_default();
    let past: Vec<&Trace> = past.iter().map(|trace| &**trace).filter(of_rule).collect();
    let open: Vec<&Trace> = open.iter().map(|trace| &**trace).filter(of_rule).collect();
    let mut report = Report::default();
    let is_silent = past.is_empty() && open.is_empty();
    let mut views = standings.instances(&RuleId::from_text(&rule));
    if is_silent && views.is_empty() {
        report.add(LineKind::Plain, format!("nothing triggered `{rule}` since the test's start"));
    }
    views.retain(|view| is_silent || (count == 0 && view.has_more_to_tell()));
    let standing = standings.explain(&views, "is in force", world);
    if !past.is_empty() {
        report.add(LineKind::Heading, "what it did:");
        report.append(trace_lines(past, world.clock().time()));
    }
    if !open.is_empty() {
        report.add(LineKind::Heading, "what was still under way:");
        report.append(traces_under_way(open, world.clock().time()));
    }
    report.append(standing);
    Some((message, report))
}

/// Returns how often a rule published to a topic since the test's start.
fn published(rule: &str, topic: &Topic, world: &VirtualHome) -> usize {
    let is_its = |by: &RuleId| by.as_str() == rule || without_instance(by.as_str()) == rule;
    let publications = world.published.iter().map(|published| &published.publication);
    publications.filter(|publication| publication.message.topic == *topic && is_its(&publication.rule)).count()
}

fn times(count: usize) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn is_meant(expected: &ExpectedRun, trace: &Trace) -> bool {
    let outcome = expected.outcome.map_or(trace.outcome.word() != "skipped", |word| trace.outcome.word() == word);
    let by = expected.by.is_none_or(|by| match &trace.outcome {
        Outcome::Skipped(blocked_by) => blocked_by.word() == by,
        Outcome::Cancelled(StoppedBy::Override) => by == BlockedBy::Override.word(),
        Outcome::Finished | Outcome::Stopped(_) | Outcome::Cancelled(_) | Outcome::Failed(_) | Outcome::Running => {
            false
        }
    });
    outcome && by
}

/// Returns the id of the rule that a test names, instances aside unless it names one.
pub(in crate::sim) fn find(text: &str, world: &VirtualHome) -> Result<String, String> {
    let ids: Vec<&RuleId> = world.rules().entries.iter().map(crate::rules::RuleEntry::id).collect();
    let traced = world.traces.iter().map(|trace| &trace.rule);
    let known: Vec<&RuleId> = ids.iter().copied().chain(traced).collect();
    let is_meant = |id: &&&RuleId| {
        let texts = [id.as_str(), id.key()];
        texts.iter().any(|known| *known == text || without_instance(known) == text)
    };
    let mut found: Vec<&str> = known.iter().filter(is_meant).map(|id| id.as_str()).collect();
    if !text.contains('[') {
        found = found.into_iter().map(without_instance).collect();
    }
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => {
            let near = nearest(text, ids.iter().flat_map(|id| [id.as_str(), id.key()]));
            let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(format!("there is no rule `{text}`{hint}"))
        }
        several => Err(format!("`{text}` may be {}: write which", several.join(" or "))),
    }
}
