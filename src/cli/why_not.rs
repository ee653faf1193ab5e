//! `homerule why-not`: the first gate that stopped a rule.

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::daemon_client::DaemonArguments;
use super::trace_text::{show, text};
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

/// How many traces are searched.
const SEARCHED: &str = "100000";

impl WhyNot {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let until = self.at.as_deref().map(instant).transpose()?;
        let query = [("rule", self.rule.as_str()), ("limit", SEARCHED)];
        let answer = self.daemon.client()?.get("/api/traces", &query)?;
        let traces = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let last = traces.iter().find(|trace| until.is_none_or(|until| began_by(trace, until)));
        if self.json {
            print::json(&last)?;
        }
        let is_skipped = last.is_some_and(|trace| text(trace, "outcome") == "skipped");
        match last {
            _ if self.json => {}
            None => print::line(&format!("nothing triggered `{}`, as far back as traces are kept", self.rule)),
            Some(trace) if is_skipped => show(trace),
            Some(trace) => {
                print::line("it ran:");
                show(trace);
            }
        }
        Ok(if last.is_none() || is_skipped { Exit::Well } else { Exit::No })
    }
}

fn began_by(trace: &Value, until: Timestamp) -> bool {
    text(trace, "at").parse().is_ok_and(|at: Timestamp| at <= until)
}

/// Returns the instant that `time` means: an instant, a local time, or a time of this day.
fn instant(time: &str) -> Result<Timestamp, Failure> {
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    if let Ok(instant) = time.parse() {
        return Ok(instant);
    }
    let today = Timestamp::now().to_zoned(zone.clone()).date();
    let local = time.parse().or_else(|_| time.parse().map(|time| today.to_datetime(time)));
    local
        .and_then(|local: jiff::civil::DateTime| local.to_zoned(zone))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| Failure::new(format!("`{time}` is no time: write `20:10` or `2024-06-01T20:10:00`")))
}
