//! Traces of the daemon as people read them.

use serde_json::Value;

use crate::cli::link::home_zone::HomeZone;
use crate::cli::print;

/// Writes a trace: a line for the whole, a line for what led to it, a line for each step, with its time if they
/// aren't all of one instant.
pub(in crate::cli) fn show(trace: &Value, zone: &HomeZone) {
    let rule = trace.get("rule").and_then(Value::as_str);
    let Some(rule) = rule else { return print::line(&published(trace, zone)) };
    print::line(&format!("{} {rule} {}", zone.local(&text(trace, "at")), outcome(trace, zone)));
    if let Some(client) = trace.get("cause").and_then(|cause| sent(cause, zone)) {
        print::line(&format!("    {client}"));
    }
    let steps = trace.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let width = |key: &str| steps.iter().map(|step| text(step, key).chars().count()).max().unwrap_or(0);
    let (path_width, what_width) = (width("path"), width("what"));
    let times = step_times(trace, steps, zone);
    let time_width = times.iter().map(|time| time.chars().count()).max().unwrap_or(0);
    for (step, time) in steps.iter().zip(&times) {
        let values = step.get("values").and_then(Value::as_object).into_iter().flatten();
        let values: Vec<String> = values.map(|(name, value)| format!("{name} = {value}")).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let (path, what) = (text(step, "path"), text(step, "what"));
        let result = result(step);
        // The places of a run that's no longer remembered aren't known.
        let gap = if path_width == 0 { "" } else { "  " };
        let time = if time_width == 0 { String::new() } else { format!("{time:time_width$}  ") };
        print::line(format!("    {time}{path:path_width$}{gap}{what:what_width$}  {result}{values}").trim_end());
    }
}

/// Returns the time of each step; empty where it is that of the step before, and everywhere if all are of one instant.
fn step_times(trace: &Value, steps: &[Value], zone: &HomeZone) -> Vec<String> {
    let began = text(trace, "at");
    let is_instant = steps.iter().all(|step| text(step, "at") == began);
    let mut last = String::new();
    let time = |step: &Value| {
        let at = text(step, "at");
        if is_instant || at == last {
            return String::new();
        }
        last.clone_from(&at);
        zone.local_since(&at, &began)
    };
    steps.iter().map(time).collect()
}

/// Returns what came of a step; of a condition that's an expression, with what it says.
fn result(step: &Value) -> String {
    let (verdict, source) = (text(step, "verdict"), text(step, "source"));
    if verdict.is_empty() || source.is_empty() {
        return text(step, "result");
    }
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = step.get("why").and_then(Value::as_str).map_or(String::new(), |why| format!(": {why}"));
    format!("{verdict}: {source}{why}")
}

/// Returns what a client published itself.
fn published(trace: &Value, zone: &HomeZone) -> String {
    let cause = trace.get("cause").unwrap_or(&Value::Null);
    format!("{} {}, published by {}", zone.local(&text(trace, "at")), message(cause), client(cause))
}

/// Returns who sent the message that led to a run, where that is told.
fn sent(cause: &Value, zone: &HomeZone) -> Option<String> {
    cause.get("client").and(cause.get("at")).and(cause.get("topic"))?;
    Some(format!("{} was published at {} by {}", message(cause), zone.local(&text(cause, "at")), client(cause)))
}

/// Returns a message's topic and, where it is known, what it said.
fn message(cause: &Value) -> String {
    let value = cause.get("value").map_or(String::new(), |value| format!(" {value}"));
    format!("{}{value}", text(cause, "topic"))
}

fn client(cause: &Value) -> String {
    match cause.get("client").and_then(Value::as_str) {
        Some(client) => format!("the client `{client}`"),
        None => "an unknown client (over the web, or by its will)".to_owned(),
    }
}

/// Returns how a run ended, or what kept it from running.
fn outcome(trace: &Value, zone: &HomeZone) -> String {
    let mut outcome = text(trace, "outcome");
    if outcome == "published" {
        outcome.push_str("; what else its run did is no longer remembered");
    }
    for (before, key) in [(" by ", "by"), (": ", "reason")] {
        let more = text(trace, key);
        if !more.is_empty() {
            outcome = format!("{outcome}{before}{more}");
        }
    }
    if let Some(times) = trace.get("times").and_then(Value::as_u64) {
        outcome = format!("{outcome}, {times} times since {}", zone.local(&text(trace, "first_at")));
    }
    outcome
}

/// Returns the text at `key`; empty where there is none.
pub(in crate::cli) fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
