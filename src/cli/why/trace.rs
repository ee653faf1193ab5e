//! `homerule trace`: the last runs, step by step, and what did not run.

use clap::Args;

use super::trace_text::show;
use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::{Exit, Failure, print};

/// Shows the last runs step by step, and what did not run; the newest last.
#[derive(Debug, Args)]
pub(in crate::cli) struct Trace {
    /// Only this rule.
    rule: Option<String>,
    /// How many.
    #[arg(short = 'n', long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Write one JSON document, the newest first.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Trace {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let limit = self.limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(self.rule.as_deref().map(|rule| ("rule", rule)));
        let (answer, zone) = self.daemon.client()?.get_dated("/api/traces", &query)?;
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let traces = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        traces.iter().rev().for_each(|trace| show(trace, &zone));
        if traces.is_empty() {
            print::line("nothing ran yet, and nothing was kept from running");
        } else {
            print::line(&zone.note());
        }
        Ok(Exit::Well)
    }
}
