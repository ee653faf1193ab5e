//! `homerule why-not`: what kept a rule from running.

use clap::Args;
use serde_json::Value;

use super::trace_text::{show, text};
use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::link::home_zone::HomeZone;
use crate::cli::{Exit, Failure, print};

/// Shows what kept a rule from running when it last might have.
#[derive(Debug, Args)]
pub(in crate::cli) struct WhyNot {
    /// The rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: String,
    /// The last time up to this, of the home's zone: `20:10`, `2024-06-01T20:10:00`.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl WhyNot {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let mut query = vec![("rule", self.rule.as_str())];
        query.extend(self.at.as_deref().map(|at| ("at", at)));
        let (answer, zone) = self.daemon.client()?.get_dated("/api/why-not", &query)?;
        if self.json {
            print::json(&answer)?;
        } else {
            tell(&answer, &zone);
            if answer.get("at").is_some_and(|at| !at.is_null()) {
                print::line(&zone.note());
            }
        }
        Ok(if answer.get("by").is_some_and(Value::is_null) { Exit::No } else { Exit::Well })
    }
}

fn tell(answer: &Value, zone: &HomeZone) {
    print::line(&format!("{}: {}", text(answer, "rule"), text(answer, "message")));
    let near = answer.get("near").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !near.is_empty() {
        print::line("messages that came near, the newest first:");
    }
    for near in near {
        let value = near.get("value").map(ToString::to_string).unwrap_or_default();
        let (at, topic) = (zone.local(&text(near, "at")), text(near, "topic"));
        print::line(&format!("    {at} {topic} {value}   {}: {}", text(near, "path"), text(near, "why")));
    }
    if let Some(trace) = answer.get("trace").filter(|trace| !trace.is_null()) {
        show(trace, zone);
    }
}
