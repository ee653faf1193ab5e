//! `homerule why-not`: the first gate that stopped a rule.

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::daemon_client::DaemonArguments;
use super::trace_text::{local, show, text};
use super::{Exit, Failure, print};

/// Shows what kept a rule from running when it last might have.
#[derive(Debug, Args)]
pub(super) struct WhyNot {
    /// The rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: String,
    /// The last time up to this: `20:10`, `2024-06-01T20:10:00`.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl WhyNot {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let until = self.at.as_deref().map(instant).transpose()?.map(|at| at.to_string());
        let mut query = vec![("rule", self.rule.as_str())];
        query.extend(until.as_deref().map(|until| ("at", until)));
        let answer = self.daemon.client()?.get("/api/why-not", &query)?;
        if self.json {
            print::json(&answer)?;
        } else {
            tell(&answer);
        }
        Ok(if answer.get("by").is_some_and(Value::is_null) { Exit::No } else { Exit::Well })
    }
}

fn tell(answer: &Value) {
    print::line(&format!("{}: {}", text(answer, "rule"), text(answer, "message")));
    let near = answer.get("near").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !near.is_empty() {
        print::line("messages that came near, the newest first:");
    }
    for near in near {
        let value = near.get("value").map(ToString::to_string).unwrap_or_default();
        let (at, topic) = (local(&text(near, "at")), text(near, "topic"));
        print::line(&format!("    {at} {topic} {value}   {}: {}", text(near, "path"), text(near, "why")));
    }
    if let Some(trace) = answer.get("trace").filter(|trace| !trace.is_null()) {
        show(trace);
    }
}

/// Returns the instant that `time` means: an instant, a local time, or a time of this day. The whole of its last
/// second, or minute, is meant.
fn instant(time: &str) -> Result<Timestamp, Failure> {
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    if let Ok(instant) = time.parse() {
        return Ok(instant);
    }
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    let local = time.parse().or_else(|_| time.parse().map(|time| today.to_datetime(time)));
    let has_seconds = time.split('T').next_back().unwrap_or(time).split(':').count() > 2;
    let rest = jiff::SignedDuration::from_millis(if has_seconds { 999 } else { 59_999 });
    local
        .and_then(|local: jiff::civil::DateTime| local.to_zoned(zone))
        .map(|zoned| zoned.timestamp() + rest)
        .map_err(|_| Failure::new(format!("`{time}` is no time: write `20:10` or `2024-06-01T20:10:00`")))
}
