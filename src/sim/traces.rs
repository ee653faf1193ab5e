//! Traces as people read them: what started a rule, what it asked and did, and the gate that stopped it.

use jiff::Timestamp;

use crate::engine::{CauseKind, Gate, Outcome, Step, StoppedBy, Trace, result_with_source};

use super::VirtualHome;
use super::local_clock::LocalClock;
use super::report::{LineKind, Report, value_text};

/// The most traces that a report shows.
const MOST: usize = 10;

/// Writes these traces, the last ones where they are many.
pub(super) fn write<'a>(traces: impl IntoIterator<Item = &'a Trace>, world: &VirtualHome) -> Report {
    write_with(traces, world, outcome)
}

/// Writes the traces of runs that had not ended.
pub(super) fn write_open<'a>(traces: impl IntoIterator<Item = &'a Trace>, world: &VirtualHome) -> Report {
    write_with(traces, world, |_| "still running".to_owned())
}

fn write_with<'a>(
    traces: impl IntoIterator<Item = &'a Trace>,
    world: &VirtualHome,
    outcome: fn(&Trace) -> String,
) -> Report {
    let traces: Vec<&Trace> = traces.into_iter().collect();
    let mut report = Report::default();
    let left_out = traces.len().saturating_sub(MOST);
    if left_out > 0 {
        report.add(LineKind::Plain, format!("  ({left_out} earlier ones are left out)"));
    }
    for trace in traces.into_iter().skip(left_out) {
        report.append(one(trace, world, &outcome(trace)));
    }
    report
}

/// Writes one trace: a line for the whole, a line for each step.
fn one(trace: &Trace, world: &VirtualHome, outcome: &str) -> Report {
    let clock = world.clock();
    let mut report = Report::default();
    let time = clock.text(trace.at);
    report.add(LineKind::Plain, format!("  {time} {}, by {}: {outcome}", trace.rule, cause(trace, &clock)));
    for line in step_lines(&trace.steps, Some(trace.at), &clock) {
        report.add(LineKind::Plain, line);
    }
    report
}

/// Writes a line for each step; with its time, where they are not all of the instant `of`.
pub(super) fn step_lines(steps: &[Step], of: Option<Timestamp>, clock: &LocalClock) -> Vec<String> {
    let width = |pick: fn(&Step) -> usize| steps.iter().map(pick).max().unwrap_or(0);
    let path_width = width(|step| step.path.chars().count());
    let what_width = width(|step| step.what.chars().count());
    let time_width = steps.iter().map(|step| clock.text(step.at).chars().count()).max().unwrap_or(0);
    let is_instant = of.is_none_or(|of| steps.iter().all(|step| step.at == of));
    let mut last = None;
    let line = |step: &Step| {
        let when = match last.replace(step.at) {
            _ if is_instant => String::new(),
            Some(last) if last == step.at => format!("{:time_width$}  ", ""),
            _ => format!("{:time_width$}  ", clock.text(step.at)),
        };
        let values: Vec<String> =
            step.values.iter().map(|(name, value)| format!("{name} = {}", value_text(value))).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let (path, what) = (&step.path, &step.what);
        let result = result_with_source(&step.result.text(), step.source.as_deref());
        let line = format!("    {when}{path:path_width$}  {what:what_width$}  {result}{values}");
        line.trim_end().to_owned()
    };
    steps.iter().map(line).collect()
}

/// Returns what led to it, in words.
fn cause(trace: &Trace, clock: &LocalClock) -> String {
    match &trace.cause.kind {
        CauseKind::Message { topic, .. } => format!("`{topic}`"),
        CauseKind::Time { due, late } => {
            format!("the time {}{}", clock.text(*due), if *late { ", late" } else { "" })
        }
        CauseKind::Condition => "its `while`".to_owned(),
        CauseKind::Client(id) => format!("the client `{id}`"),
        CauseKind::Event(word) => format!("the event `{word}`"),
        CauseKind::Webhook(name) => format!("the webhook `{name}`"),
        CauseKind::Rule(rule) => format!("`run` of {rule}"),
        CauseKind::Person => "a person".to_owned(),
    }
}

/// Returns how it ended, in words.
fn outcome(trace: &Trace) -> String {
    match &trace.outcome {
        Outcome::Finished => "finished".to_owned(),
        Outcome::Stopped(reason) => format!("stopped: {reason}"),
        Outcome::Cancelled(by) => format!("cancelled {}", cancelled(*by)),
        Outcome::Failed(error) => format!("failed: {error}"),
        Outcome::Running => "still running".to_owned(),
        Outcome::Skipped(gate) => format!("did not run: {}", gate_text(*gate)),
    }
}

fn cancelled(by: StoppedBy) -> &'static str {
    match by {
        StoppedBy::Cancel => "by `cancel`",
        StoppedBy::Restart => "by a new run",
        StoppedBy::WhileEnded => "by the end of its `while`",
        StoppedBy::Reload => "by a reload",
        StoppedBy::Loop => "as part of a loop",
        StoppedBy::Caller => "by the end of its caller",
    }
}

/// Returns what kept a rule from running, in words.
fn gate_text(gate: Gate) -> &'static str {
    match gate {
        Gate::Condition => "its condition is false",
        Gate::Unknown => "its condition can't be told",
        Gate::Mode => "its mode dropped it",
        Gate::Cooldown => "its cooldown isn't over",
        Gate::Disabled => "it is disabled",
        Gate::Resting => "it rests after a loop",
        Gate::Hold => "its `for` was broken",
    }
}
