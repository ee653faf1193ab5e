//! A text for a rule file, replayed over what was recorded beside the rules in force.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::api::view::Difference;
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::page::{asks_for_page, fragment, fragment_with};
use crate::daemon::web::problem::Problem;
use crate::daemon::web::view::{beside, past};
use crate::daemon::why::asked_time;
use crate::disk::RecordedSince;
use crate::model::parse_duration;
use crate::page::Look;
use crate::sim::{Divergence, Replay};

use super::check::Candidate;
use super::file::rule_file;

/// How long a replay goes on.
const LONGEST: Duration = Duration::from_mins(1);

/// The most publications of each side that are told.
const MOST: usize = 1000;

/// How far back it goes unless told.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

/// What is tried.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::daemon::web) struct Asked {
    file: String,
    text: String,
    since: Option<String>,
}

/// `POST /api/try`: what only that text, and what only the rules in force, would have published.
pub(in crate::daemon::web) async fn attempt(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(asked) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let file = asked.file.clone();
    let question = move |home: &mut HomeView<'_>| {
        rule_file(&home.settings.rules, &file)?;
        let since = since(asked.since.as_deref(), home)?;
        let is_on = home.recorder.status().is_on;
        let (search, options) = (home.recorder.replay(), past::options(home));
        let (zone, has_shadow) = (home.engine.calendar().zone.clone(), home.shadow.is_some());
        let look = Look { now: home.now, zone, has_shadow };
        let rules = home.ruleset();
        Ok::<_, Problem>((home.sources.clone(), since, is_on, search, options, look, rules))
    };
    let (sources, since, is_on, search, options, look, rules) = shared.link.ask(question).await??;
    let is_page = asks_for_page(&headers);
    let (file, text) = (asked.file, asked.text);
    let checked = file.clone();
    let candidate = beside(move || Candidate::new(sources, &checked, &text)).await?;
    if !candidate.loads() {
        return Ok(refused(&candidate, &file, is_page));
    }
    if !is_on {
        return Err(Problem::conflict(
            "the recorder is off, so there's nothing to replay: `recorder: {}` in homerule.yaml switches it on",
        ));
    }
    let here = Replay::new(candidate.home.ruleset, options.clone());
    let there = Replay::new(rules, options);
    let replayed =
        Box::pin(search.run_in(move |folder, is_given_up| replay(folder, is_given_up, since, here, there))).await;
    let found = replayed.ok_or_else(|| Problem::internal("the replay failed; please report this with the log"))?;
    let difference = found.map_err(Problem::conflict)?;
    Ok(if is_page {
        fragment(crate::page::difference(&look, &difference).into_string())
    } else {
        Json(difference).into_response()
    })
}

/// Returns that a text doesn't load, and why.
pub(super) fn refused(candidate: &Candidate, file: &str, is_page: bool) -> Response {
    if is_page {
        let html = crate::page::findings(&candidate.findings(), file).into_string();
        return fragment_with(StatusCode::UNPROCESSABLE_ENTITY, html);
    }
    let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`{file}` doesn't load with this text"));
    if let Some(report) = candidate.json().as_object() {
        for (key, value) in report {
            problem = problem.with(key, value.clone());
        }
    }
    problem.into_response()
}

/// Reads since when: a duration, or a time.
fn since(text: Option<&str>, home: &HomeView<'_>) -> Result<Timestamp, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(home.now.checked_sub(USUAL).unwrap_or(home.now));
    };
    if let Ok(length) = parse_duration(text) {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        return Ok(home.now.checked_sub(length).unwrap_or(Timestamp::MIN));
    }
    asked_time(text, home.now, &home.engine.calendar().zone).map_err(|_| {
        Problem::bad_request(format!("`{text}` isn't a valid `since`: write `1d` or `2024-06-01T20:10:00`"))
    })
}

/// Feeds both with what was recorded.
fn replay(
    folder: &Path,
    is_given_up: &Arc<AtomicBool>,
    since: Timestamp,
    mut here: Replay,
    mut there: Replay,
) -> Result<Difference, String> {
    let end = Instant::now() + LONGEST;
    let nothing = || "nothing has been recorded in that time".to_owned();
    let recorded =
        RecordedSince::open(folder, since).map_err(|error| format!("the recordings can't be read: {error}"))?;
    let recorded = recorded.ok_or_else(nothing)?;
    let (mut divergence, mut last, mut messages, mut is_cut) = (Divergence::default(), None, 0, false);
    for one in recorded {
        if is_given_up.load(Ordering::Relaxed) || Instant::now() >= end {
            is_cut = true;
            break;
        }
        last = Some(one.at);
        messages += 1;
        here.feed(one.clone());
        there.feed(one);
        divergence.add(here.published(), there.published());
    }
    let last = last.ok_or_else(nothing)?;
    here.end(last);
    there.end(last);
    divergence.add(here.published(), there.published());
    let only_here = here.failures().iter().filter(|(rule, _)| !there.failures().contains_key(*rule));
    let failed: BTreeMap<String, String> =
        only_here.map(|(rule, failures)| (rule.to_string(), failures.reason.clone())).collect();
    Ok(Difference { messages, failed, is_cut, ..Difference::new(&divergence, MOST) })
}
