//! `homerule status`: how the daemon is.

use std::time::Duration;

use clap::Args;

use super::link::daemon_client::DaemonArguments;
use super::link::home_zone::HomeZone;
use super::{Exit, Failure, print};
use crate::api::{LastRun, RuleAnswer, Status as StatusAnswer};
use crate::model::format_duration;

/// Shows how the daemon is: what it listens on, its rules, and what is wrong with them.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// List the rules: whether each is switched on, what it is doing, and how its last run ended.
    #[arg(long)]
    rules: bool,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Status {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if self.rules {
            return self.list();
        }
        let (answer, zone) = self.daemon.client()?.get_dated("/api/status", &[])?;
        let status: StatusAnswer = serde_json::from_value(answer.clone()).map_err(|error| other_version(&error))?;
        if self.json {
            print::json(&answer)?;
        } else {
            show(&status, &zone);
        }
        Ok(if status.healthy { Exit::Well } else { Exit::No })
    }

    /// Lists the rules.
    fn list(self) -> Result<Exit, Failure> {
        let (answer, zone) = self.daemon.client()?.get_dated("/api/rules", &[])?;
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let rules: Vec<RuleAnswer> = serde_json::from_value(answer).map_err(|error| other_version(&error))?;
        let width = rules.iter().map(|rule| rule.id.chars().count()).max().unwrap_or(0);
        let mut is_dated = false;
        for rule in &rules {
            let switch = if rule.enabled { "on " } else { "off" };
            let mut told = doing(rule, &zone);
            told.extend(rule.last_run.as_ref().map(|last| last_run(last, &zone)));
            is_dated |= !told.is_empty();
            let told = if told.is_empty() { "no run".to_owned() } else { told.join(", ") };
            let stale = if rule.stale { " (stale: its file isn't in force)" } else { "" };
            print::line(&format!("{:width$}  {switch}  {told}{stale}", rule.id));
        }
        if is_dated {
            print::line(&zone.note());
        } else if rules.is_empty() {
            print::line("no rule is in force");
        }
        Ok(Exit::Well)
    }
}

fn other_version(error: &serde_json::Error) -> Failure {
    Failure::new(format!("what answers there is no homerule of this version: {error}"))
}

/// Returns what a rule is doing now, in words.
fn doing(rule: &RuleAnswer, zone: &HomeZone) -> Vec<String> {
    rule.doing.parts().map(|(words, at)| format!("{words} {}", zone.local(&at.to_string()))).collect()
}

/// Returns how a run ended, in words.
fn last_run(last: &LastRun, zone: &HomeZone) -> String {
    let reason = last.reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
    format!("{} at {}{reason}", last.outcome, zone.local(&last.at.to_string()))
}

fn show(status: &StatusAnswer, zone: &HomeZone) {
    let uptime = Duration::try_from_secs_f64(status.uptime.floor()).unwrap_or_default();
    print::line(&format!("homerule {}, running for {}", status.version, format_duration(uptime)));
    print::line(&format!("listening on {}", status.listen.join(", ")));
    let rules = status.rules;
    print::line(&format!(
        "{} rules in force, {} switched on, {} failed last",
        rules.loaded, rules.enabled, rules.failed
    ));
    for failing in &status.failing {
        let at = failing.at.map_or(String::new(), |at| format!(" at {}", zone.local(&at.to_string())));
        let reason = failing.reason.as_deref().unwrap_or("before the daemon's start");
        print::line(&format!("    {} failed{at}: {reason}", failing.rule));
    }
    for file in &status.stale {
        print::line(&format!("{file} is NOT in force: its last good version is, if it had one"));
    }
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
    if !status.failing.is_empty() {
        print::line(&zone.note());
    }
    if let Some(failing) = &status.store.failing {
        print::line(&format!("a restart would lose what changes: {failing}"));
    } else if !status.healthy {
        print::line("some files aren't in force: `homerule check` shows what is wrong with them");
    }
}
