//! `homerule trace`: the last runs, step by step, and what did not run.

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::daemon_client::DaemonArguments;
use super::{Exit, Failure, print};

/// Shows the last runs step by step, and what did not run; the newest last.
#[derive(Debug, Args)]
pub(super) struct Trace {
    /// Only this rule.
    rule: Option<String>,
    /// How many.
    #[arg(short = 'n', long, default_value_t = 10)]
    limit: usize,
    /// Write one JSON document, the newest first.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Trace {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(self.rule.as_deref().map(|rule| ("rule", rule)));
        let answer = self.daemon.client()?.get("/api/traces", &query)?;
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let traces = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        traces.iter().rev().for_each(show);
        if traces.is_empty() {
            print::line("nothing ran yet, and nothing was kept from running");
        }
        Ok(Exit::Well)
    }
}

fn show(trace: &Value) {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut outcome = text(trace, "outcome");
    for (before, key) in [(" by ", "by"), (": ", "reason")] {
        let more = text(trace, key);
        if !more.is_empty() {
            outcome = format!("{outcome}{before}{more}");
        }
    }
    print::line(&format!("{} {} {outcome}", local(&text(trace, "at")), text(trace, "rule")));
    for step in trace.get("steps").and_then(Value::as_array).into_iter().flatten() {
        let values = step.get("values").and_then(Value::as_object).into_iter().flatten();
        let values: Vec<String> = values.map(|(name, value)| format!("{name} = {value}")).collect();
        let values = if values.is_empty() { String::new() } else { format!("   ({})", values.join(", ")) };
        let (path, what, result) = (text(step, "path"), text(step, "what"), text(step, "result"));
        print::line(&format!("    {path:12}  {what:10}  {result}{values}"));
    }
}

/// Returns an instant as the local time of this machine.
fn local(instant: &str) -> String {
    let instant: Option<Timestamp> = instant.parse().ok();
    let local = instant.map(|instant| instant.to_zoned(TimeZone::try_system().unwrap_or(TimeZone::UTC)));
    local.map_or(String::new(), |local| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
