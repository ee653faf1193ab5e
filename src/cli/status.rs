//! `homerule status`: how the daemon is.

use std::time::Duration;

use clap::Args;

use super::link::daemon_client::DaemonArguments;
use super::link::home_zone::HomeZone;
use super::{Exit, Failure, print};
use crate::api::{
    BrokerStatus, ClientAnswer, LastRun, LinkStatus, NotificationStatus, RuleAnswer, Status as StatusAnswer,
};
use crate::model::{format_duration, one_line};

/// Shows how the daemon is: what it listens on, its rules, and what is wrong with them.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// List the rules: whether each is switched on, what it is doing, and how its last run ended.
    #[arg(long)]
    rules: bool,
    /// List the clients of the broker: who each is, where it came from, and what waits for it.
    #[arg(long, conflicts_with = "rules")]
    clients: bool,
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
        if self.clients {
            return self.list_clients();
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

    /// Lists the clients.
    fn list_clients(self) -> Result<Exit, Failure> {
        let (answer, zone) = self.daemon.client()?.get_dated("/api/clients", &[])?;
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let clients: Vec<ClientAnswer> = serde_json::from_value(answer).map_err(|error| other_version(&error))?;
        if clients.is_empty() {
            print::line("no client is known");
            return Ok(Exit::Well);
        }
        let rows: Vec<[String; 8]> = clients.iter().map(|client| row(client, &zone)).collect();
        for line in clients_table(&rows) {
            print::line(&line);
        }
        print::line(&zone.note());
        Ok(Exit::Well)
    }
}

/// What stands above each column of the clients.
const COLUMNS: [&str; 8] = ["client", "user", "address", "protocol", "since", "queued", "dropped", "last error"];

/// Returns what is shown of a client.
fn row(client: &ClientAnswer, zone: &HomeZone) -> [String; 8] {
    let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), one_line);
    let since = zone.local(&client.since.to_string());
    [
        one_line(&client.id),
        or_none(&client.user),
        client.address.clone().unwrap_or_else(|| "away".to_owned()),
        client.protocol.clone(),
        since,
        client.queued.to_string(),
        client.dropped.to_string(),
        or_none(&client.last_error),
    ]
}

/// Returns the lines of a table with these rows.
fn clients_table(rows: &[[String; 8]]) -> Vec<String> {
    let titles = COLUMNS.map(str::to_owned);
    let all: Vec<&[String; 8]> = std::iter::once(&titles).chain(rows).collect();
    let width = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &&[String; 8]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// Returns what to say where an answer can't be read.
pub(super) fn other_version(error: &serde_json::Error) -> Failure {
    Failure::new(format!("what answers there isn't a homerule of this version: {error}"))
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
    for broken in status.invariants.iter().filter(|it| it.broken_since.is_some()) {
        let since = broken.broken_since.map_or(String::new(), |at| format!(" since {}", zone.local(&at.to_string())));
        let name = broken.name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
        print::line(&format!("    the invariant {}{name} has been broken{since}", broken.invariant));
    }
    if let Some(notifications) = &status.notifications {
        show_notifications(notifications, zone);
    }
    if let Some(broker) = &status.broker {
        show_broker(broker);
    }
    if let Some(link) = &status.link {
        show_link(link, zone);
    }
    if let Some(instance) = &status.instance {
        let leader = instance.leader.as_deref().unwrap_or("nobody");
        print::line(&format!(
            "instance {}: {}; {leader} leads (epoch {})",
            instance.name, instance.role, instance.epoch
        ));
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
    let is_dated = status.notifications.as_ref().is_some_and(|notifications| !notifications.undelivered.is_empty());
    if !status.failing.is_empty() || is_dated {
        print::line(&zone.note());
    }
    if let Some(failing) = &status.store.failing {
        print::line(&format!("a restart would lose what changes: {failing}"));
    } else if !status.healthy && status.link.as_ref().is_none_or(|link| link.connected) {
        print::line("some files aren't in force: `homerule check` shows what is wrong with them");
    }
}

/// How many notifications that weren't delivered are listed.
const MOST_UNDELIVERED: usize = 5;

fn show_notifications(notifications: &NotificationStatus, zone: &HomeZone) {
    let NotificationStatus { waiting, delivered, undelivered, .. } = notifications;
    let noun = if *delivered == 1 { "notification" } else { "notifications" };
    print::line(&format!("{delivered} {noun} delivered, {waiting} waiting"));
    for one in undelivered.iter().take(MOST_UNDELIVERED) {
        let at = zone.local(&one.at.to_string());
        print::line(&format!(
            "    not delivered to {} at {at}: \"{}\": {}",
            one.target,
            one_line(&one.message),
            one.reason
        ));
    }
    let more = undelivered.len().saturating_sub(MOST_UNDELIVERED);
    if more > 0 {
        print::line(&format!("    {more} more weren't delivered; `homerule status --json` has all of them"));
    }
}

fn show_link(link: &LinkStatus, zone: &HomeZone) {
    let since = link.since.map(|since| format!(" since {}", zone.local(&since.to_string()))).unwrap_or_default();
    let filters = if link.subscriptions == 1 { "filter" } else { "filters" };
    match &link.protocol {
        Some(protocol) => print::line(&format!(
            "connected to the broker at {}{since}, MQTT {protocol}, {} {filters} subscribed",
            link.broker, link.subscriptions
        )),
        None => print::line(&format!("the broker at {} is away{since}", link.broker)),
    }
    if let Some(error) = link.last_error.as_ref().filter(|_| !link.connected) {
        print::line(&format!("    {error}"));
    }
    if let Some(next) = link.next_try {
        print::line(&format!("    next try at {}", zone.local(&next.to_string())));
    }
    if link.waiting > 0 || link.dropped > 0 {
        print::line(&format!("    {} messages wait to be published, {} were dropped", link.waiting, link.dropped));
    }
    for filter in &link.refused {
        print::line(&format!("    the broker refuses the subscription to `{filter}`"));
    }
    for lack in &link.lacks {
        print::line(&format!("    the broker has {lack}"));
    }
}

fn show_broker(broker: &BrokerStatus) {
    let clients = if broker.connected == 1 { "client" } else { "clients" };
    let messages = if broker.retained == 1 { "message" } else { "messages" };
    print::line(&format!("{} {clients} connected, {} {messages} retained", broker.connected, broker.retained));
    if broker.refused > 0 || broker.dropped > 0 {
        print::line(&format!(
            "{} connections refused, {} messages or subscriptions dropped: `homerule status --clients` and the log say whose",
            broker.refused, broker.dropped
        ));
    }
    for fault in &broker.faults {
        for line in fault.lines() {
            print::line(&format!("{line} (what the file said before is in force)"));
        }
    }
}
