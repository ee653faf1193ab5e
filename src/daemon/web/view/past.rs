//! How a rule stood at a past moment: the recorder's messages are replayed up to it, beside the loop.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::api::view::VerdictAnswer;
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::disk::RecordedSince;
use crate::engine::Options;
use crate::model::RuleId;
use crate::sim::{Replay, engine_options};

use super::rule::verdict_of;

/// How long before the moment the replay begins: holds and cooldowns of that time are known.
const BEFORE: SignedDuration = SignedDuration::from_hours(6);

/// The most messages that are replayed.
const MOST: u64 = 500_000;

/// Returns what decides in a replay.
pub(in crate::daemon::web) fn options(home: &HomeView<'_>) -> Options {
    engine_options(home.settings, home.engine.calendar().clone(), home.engine.device_options(), 0)
}

/// Returns how `rule` stood at `at`.
pub(super) async fn verdict(shared: &Shared, rule: RuleId, at: Timestamp) -> Result<VerdictAnswer, Problem> {
    let question = |home: &mut HomeView<'_>| {
        let ruleset = home.ruleset();
        (
            ruleset,
            options(home),
            home.sources.clone(),
            home.local_time(),
            home.recorder.replay(),
            home.recorder.status(),
        )
    };
    let (rules, options, sources, time, search, recorder) = shared.link.ask(question).await?;
    if !recorder.is_on {
        return Err(Problem::conflict(
            "the recorder is off, so a past moment isn't known: `recorder: {}` in homerule.yaml switches it on",
        ));
    }
    let id = rule.clone();
    let found = search
        .run_in(move |folder, is_given_up| {
            let replay = replayed(folder, is_given_up, Replay::new(rules, options), at)?;
            let mut home = replay.into_home(at);
            let found = verdict_of(home.engine_mut(), &rule, at, &sources, &time);
            Some(VerdictAnswer { at, ..found? })
        })
        .await;
    let found = found.ok_or_else(|| Problem::internal("the replay failed; please report this with the log"))?;
    found.ok_or_else(|| Problem::not_found(format!("nothing was recorded of `{id}` by that time")))
}

/// Feeds what was recorded before `at`; `None` where nothing was, or nobody waits any more.
fn replayed(folder: &Path, is_given_up: &Arc<AtomicBool>, mut replay: Replay, at: Timestamp) -> Option<Replay> {
    let begin = at.checked_sub(BEFORE).unwrap_or(at);
    let recorded = RecordedSince::open(folder, begin).ok()??;
    if recorded.begin() > at {
        return None;
    }
    let mut count = 0;
    for recorded in recorded.take_while(|recorded| recorded.at <= at) {
        count += 1;
        if count > MOST || is_given_up.load(Ordering::Relaxed) {
            return None;
        }
        replay.feed(recorded);
        // What is published isn't wanted, and would pile up.
        drop(replay.published());
    }
    Some(replay)
}
