//! `homerule status`: how the daemon is.

use std::time::Duration;

use clap::Args;

use super::daemon_client::DaemonArguments;
use super::{Exit, Failure, print};
use crate::daemon::answer::Status as StatusAnswer;
use crate::model::format_duration;

/// Shows how the daemon is: what it listens on, its rules, and what is wrong with them.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Status {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let answer = self.daemon.client()?.get("/api/status", &[])?;
        let status: StatusAnswer = serde_json::from_value(answer.clone())
            .map_err(|error| Failure::new(format!("what answers there is no homerule of this version: {error}")))?;
        if self.json {
            print::json(&answer)?;
        } else {
            show(&status);
        }
        Ok(if status.healthy { Exit::Well } else { Exit::No })
    }
}

fn show(status: &StatusAnswer) {
    let uptime = Duration::try_from_secs_f64(status.uptime.floor()).unwrap_or_default();
    print::line(&format!("homerule {}, running for {}", status.version, format_duration(uptime)));
    print::line(&format!("listening on {}", status.listen.join(", ")));
    let rules = status.rules;
    print::line(&format!(
        "{} rules in force, {} switched on, {} failed last",
        rules.loaded, rules.enabled, rules.failed
    ));
    for found in &status.diagnostics {
        print::line(&format!("{}: {}[{}]: {}", found.place(), found.severity, found.code, found.message));
    }
    for lost in &status.store.lost {
        print::line(&format!("lost before the start: {lost}"));
    }
    if let Some(failing) = &status.recorder.failing {
        print::line(&format!("{failing}; the home goes on"));
    }
    if status.recorder.lost > 0 {
        print::line(&format!("{} messages were not recorded", status.recorder.lost));
    }
    if let Some(failing) = &status.store.failing {
        print::line(&format!("a restart would lose what changes: {failing}"));
    } else if !status.healthy {
        print::line("some files don't load: the rules that were in force before stay in force");
    }
}
