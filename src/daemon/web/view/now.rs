//! What is wrong, what waits, and what happened of late.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;

use crate::api::UndeliveredNotification;
use crate::api::view::{Now, Recent, RecentKind, Waiting, Wrong, WrongKind};
use crate::daemon::home::view::HomeView;
use crate::daemon::observers::traces::Kept;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::engine::{Outcome, StepKind, WaitKind, Waits};
use crate::explain::{HeardMessage, Speaker, stop_reason};
use crate::model::Told;

/// How many things that wait are told.
const MOST_WAITING: usize = 300;

/// How many things that happened are told.
const MOST_RECENT: usize = 80;

/// How many notifications that weren't delivered are told one by one.
const MOST_NOTIFICATIONS: usize = 10;

/// How many devices that are away or can't be read are told one by one.
const MOST_DEVICES: usize = 20;

/// The most characters of a payload.
const LONGEST: usize = 400;

/// `GET /api/now`
pub(in crate::daemon::web) async fn now(State(shared): State<Shared>) -> Result<Json<Now>, Problem> {
    gather(&shared).await.map(Json)
}

/// Returns how the home is now.
pub(in crate::daemon::web) async fn gather(shared: &Shared) -> Result<Now, Problem> {
    let (at, mut wrong, mut waits, time) =
        shared.link.ask(|home| (home.now, wrong(home), home.engine.waits(home.now), home.local_time())).await?;
    let recent = shared
        .link
        .ask(|home| {
            let heard: Vec<HeardMessage> = home.heard.recent().take(MOST_RECENT).cloned().collect();
            (heard, home.traces.last(None, MOST_RECENT))
        })
        .await?;
    wrong.extend(waits.iter().filter(|waits| waits.kind == WaitKind::Rest).map(|rest| Wrong::of_rest(rest, &time)));
    sort(&mut waits);
    let waiting_left_out = waits.len().saturating_sub(MOST_WAITING);
    let waiting = waits.iter().take(MOST_WAITING).map(Waiting::new).collect();
    Ok(Now { at, wrong, waiting, waiting_left_out, recent: merge(&recent.0, &recent.1) })
}

/// Puts first what ends first; what has no end comes last, the longest first.
pub(super) fn sort(waits: &mut [Waits]) {
    waits.sort_by_key(|waits| (waits.until.is_none(), waits.until, waits.since));
}

fn wrong(home: &HomeView<'_>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let store = home.store_status();
    wrong.extend(store.failing.map(|reason| Wrong::new(WrongKind::Store, reason)));
    let recorder = home.recorder.status();
    wrong.extend(recorder.failing.map(|reason| Wrong::new(WrongKind::Recorder, reason)));
    wrong.extend(home.engine.invariants().iter().filter_map(Wrong::of_invariant));
    wrong.extend(home.findings.iter().filter(|finding| finding.is_error()).map(Wrong::of_finding));
    let is_told = |file: &str| home.findings.iter().any(|finding| finding.is_error() && finding.file == file);
    let stale = home.stale.iter().filter(|(file, _)| !is_told(file));
    wrong.extend(stale.map(|(file, stale)| Wrong::of_stale(file, stale.has_last_good)));
    wrong.extend(home.rule_topics.failing(home.engine).iter().map(Wrong::of_failing));
    wrong.extend(notifications(home));
    wrong.extend(devices(home));
    wrong
}

/// Returns which devices are away, and what of any can't be read.
fn devices(home: &HomeView<'_>) -> Vec<Wrong> {
    let registry = home.engine.registry();
    let away = registry.devices().filter(|device| registry.available(&device.id) == Some(false));
    let away = away.map(|device| format!("`{}` isn't available", registry.label(device)));
    let faults = registry.faults().map(|fault| {
        let label = registry.device(&fault.about).map_or(fault.about, |device| registry.label(device));
        format!("`{label}` can't be read: {}", fault.text)
    });
    let mut all: Vec<String> = away.chain(faults).collect();
    let more = all.len().saturating_sub(MOST_DEVICES);
    all.truncate(MOST_DEVICES);
    if more > 0 {
        all.push(format!("{more} more: see Devices"));
    }
    all.into_iter().map(|message| Wrong::new(WrongKind::Device, message)).collect()
}

fn notifications(home: &HomeView<'_>) -> Vec<Wrong> {
    let undelivered = UndeliveredNotification::all(home.engine);
    let mut wrong: Vec<Wrong> = undelivered.iter().take(MOST_NOTIFICATIONS).map(Wrong::of_undelivered).collect();
    let more = undelivered.len().saturating_sub(MOST_NOTIFICATIONS);
    if more > 0 {
        wrong.push(Wrong::new(WrongKind::Notification, format!("{more} more: see Inputs")));
    }
    wrong
}

/// Returns messages and runs in one order, the newest first: before each run what led to it.
fn merge(heard: &[HeardMessage], traces: &[Kept]) -> Vec<Recent> {
    let runs = traces.iter().filter_map(run);
    let mut recent: Vec<(u8, Recent)> = heard.iter().map(message).chain(runs).collect();
    recent.sort_by_key(|(rank, recent)| Reverse((recent.at, *rank)));
    recent.into_iter().take(MOST_RECENT).map(|(_, recent)| recent).collect()
}

fn empty(kind: RecentKind, at: jiff::Timestamp) -> Recent {
    Recent {
        kind,
        at,
        topic: None,
        payload: None,
        bytes: None,
        retained: false,
        client: None,
        rule: None,
        run: None,
        outcome: None,
        message: None,
    }
}

fn message(heard: &HeardMessage) -> (u8, Recent) {
    let message = &heard.message;
    let shorten = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let (kind, client, rule) = match &heard.speaker {
        Speaker::Client(client) => (RecentKind::Message, client.as_ref().map(ToString::to_string), None),
        Speaker::Rule(rule, _) => (RecentKind::Publish, None, Some(rule.to_string())),
    };
    let recent = Recent {
        topic: Some(message.topic.to_string()),
        payload: message.payload.text().map(shorten),
        bytes: match message.payload.told() {
            Told::Bytes(bytes) | Told::TooLarge(bytes) => Some(bytes),
            Told::Empty | Told::Text(_) => None,
        },
        retained: message.retain,
        client,
        rule,
        ..empty(kind, heard.at)
    };
    (u8::from(kind == RecentKind::Publish), recent)
}

/// Returns a run that ended, if there's more to say of it than what it published.
fn run(kept: &Kept) -> Option<(u8, Recent)> {
    let trace = &kept.trace;
    let published = trace.steps.iter().any(|step| step.kind == StepKind::Publish);
    let message = match &trace.outcome {
        Outcome::Skipped(_) | Outcome::Running => return None,
        Outcome::Finished if published => return None,
        Outcome::Finished | Outcome::Cancelled(_) => None,
        Outcome::Stopped(reason) => Some(stop_reason(reason).to_owned()),
        Outcome::Failed(fault) => Some(fault.to_string()),
    };
    let recent = Recent {
        rule: Some(trace.rule.to_string()),
        run: trace.run.map(|run| run.0),
        outcome: Some(trace.outcome.word().to_owned()),
        message,
        ..empty(RecentKind::Run, trace.ended_at)
    };
    Some((2, recent))
}
