//! Traces as people read them: what started a rule, what it asked and did, and what blocked it.

use jiff::Timestamp;

use crate::engine::{Step, Trace};

use super::report::{LineKind, Report};
use super::words::{LocalTime, cause_in_short, ended, step_result_with_source, value_text};

/// The most traces that a report shows.
const MOST: usize = 10;

/// Returns these traces, the last ones if there are many.
pub fn trace_lines<'a>(traces: impl IntoIterator<Item = &'a Trace>, time: &LocalTime) -> Report {
    lines(traces, time, |trace| ended(&trace.outcome))
}

/// Returns the traces of runs that hadn't ended.
pub fn traces_under_way<'a>(traces: impl IntoIterator<Item = &'a Trace>, time: &LocalTime) -> Report {
    lines(traces, time, |_| "still running".to_owned())
}

fn lines<'a>(traces: impl IntoIterator<Item = &'a Trace>, time: &LocalTime, outcome: fn(&Trace) -> String) -> Report {
    let traces: Vec<&Trace> = traces.into_iter().collect();
    let mut report = Report::default();
    let left_out = traces.len().saturating_sub(MOST);
    match left_out {
        0 => {}
        1 => report.add(LineKind::Plain, "  (1 earlier one is left out)"),
        more => report.add(LineKind::Plain, format!("  ({more} earlier ones are left out)")),
    }
    for trace in traces.into_iter().skip(left_out) {
        report.append(one(trace, time, &outcome(trace)));
    }
    report
}

/// Returns one trace: a line for the whole, a line for each step.
fn one(trace: &Trace, time: &LocalTime, outcome: &str) -> Report {
    let mut report = Report::default();
    let (at, cause) = (time.text(trace.at), cause_in_short(&trace.cause, time));
    report.add(LineKind::Plain, format!("  {at} {}, by {cause}: {outcome}", trace.rule));
    for line in step_lines(&trace.steps, Some(trace.at), time) {
        report.add(LineKind::Plain, line);
    }
    report
}

/// Returns a line for each step; with its time, unless all are of the instant `of`.
#[must_use]
pub fn step_lines(steps: &[Step], of: Option<Timestamp>, time: &LocalTime) -> Vec<String> {
    let width = |pick: fn(&Step) -> usize| steps.iter().map(pick).max().unwrap_or(0);
    let path_width = width(|step| step.path.chars().count());
    let what_width = width(|step| step.kind.word().chars().count());
    let time_width = steps.iter().map(|step| time.text(step.at).chars().count()).max().unwrap_or(0);
    let is_instant = of.is_none_or(|of| steps.iter().all(|step| step.at == of));
    let mut last = None;
    let line = |step: &Step| {
        let when = match last.replace(step.at) {
            _ if is_instant => String::new(),
            Some(last) if last == step.at => format!("{:time_width$}  ", ""),
            _ => format!("{:time_width$}  ", time.text(step.at)),
        };
        let values: Vec<String> =
            step.values.iter().map(|(name, value)| format!("{name} = {}", value_text(value))).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let (path, what) = (&step.path, step.kind.word());
        let result = step_result_with_source(step, time);
        let line = format!("    {when}{path:path_width$}  {what:what_width$}  {result}{values}");
        line.trim_end().to_owned()
    };
    steps.iter().map(line).collect()
}
