//! How a rule stands, and its text.

use std::sync::Arc;

use axum::Json;
use jiff::Timestamp;

use crate::api::view::{SourceAnswer, VerdictAnswer, VerdictSubject, Waiting};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::rules::{find_one, unknown};
use crate::engine::Engine;
use crate::explain::LocalTime;
use crate::lang::{Source, Sources};
use crate::model::{Place, RuleId};
use crate::rules::RuleEntry;

use super::{past, time};

/// `GET /api/rules/{id}/verdict?at=`
pub(in crate::daemon::web) async fn verdict(
    shared: &Shared,
    id: String,
    at: Option<String>,
) -> Result<Json<VerdictAnswer>, Problem> {
    let (rule, now, zone) = shared
        .link
        .ask(move |home| {
            let rule = find_one(home, &id)?;
            Ok::<_, Problem>((rule, home.now, home.engine.calendar().zone.clone()))
        })
        .await??;
    match time(at.as_deref(), now, &zone)?.filter(|at| *at < now) {
        Some(at) => past::verdict(shared, rule, at).await.map(Json),
        None => verdict_now(shared, rule).await.map(Json),
    }
}

/// Returns how a rule stands now.
pub(in crate::daemon::web) async fn verdict_now(shared: &Shared, rule: RuleId) -> Result<VerdictAnswer, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let (sources, time) = (home.sources, home.local_time());
        let found = verdict_of(home.engine, &rule, home.now, sources, &time);
        found.ok_or_else(|| unknown(home, rule.as_str()))
    };
    shared.link.ask(question).await?
}

/// Returns how a rule of an engine stands; `None` where it has none of this id.
pub(super) fn verdict_of(
    engine: &mut Engine,
    rule: &RuleId,
    at: Timestamp,
    sources: &Sources,
    time: &LocalTime,
) -> Option<VerdictAnswer> {
    let view = engine.view(rule, at)?;
    let judged = engine.judge(rule, at)?;
    let mut waits = engine.waits(at);
    waits.retain(|waits| waits.rule == *rule);
    let line = |place: &Place| line_of(sources, place);
    Some(VerdictAnswer::new(&VerdictSubject {
        view: &view,
        judged: &judged,
        waits: &waits,
        states: engine.states(),
        secrets: engine.secrets(),
        at,
        time,
        line: &line,
    }))
}

/// Returns the line of a file at a place.
fn line_of(sources: &Sources, place: &Place) -> Option<String> {
    let text = text_of(sources, &place.file)?;
    let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
    Some(text.lines().nth(index)?.trim().trim_start_matches("- ").to_owned())
}

fn text_of<'s>(sources: &'s Sources, file: &Arc<str>) -> Option<&'s str> {
    match sources.get(file)? {
        Source::Content(bytes) => std::str::from_utf8(bytes).ok(),
        Source::Unreadable(_) => None,
    }
}

/// `GET /api/rules/{id}/source`
pub(in crate::daemon::web) async fn source(shared: &Shared, id: String) -> Result<Json<SourceAnswer>, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let rule = super::super::rules::find(home, &id)?;
        source_of(home, &rule).ok_or_else(|| unknown(home, &id))
    };
    shared.link.ask(question).await?.map(Json)
}

/// Returns the text of a rule's file; `None` where there's none.
pub(in crate::daemon::web) fn source_of(home: &mut HomeView<'_>, rule: &RuleId) -> Option<SourceAnswer> {
    let others: Vec<Place> = home.rules().iter().map(|entry| entry.place().clone()).collect();
    let entry = home.rules().iter().find(|entry| entry.id() == rule || rule.belongs_to(entry.id().as_str())).cloned();
    let (place, found) = match entry {
        Some(RuleEntry::Rule(found)) => (found.place.clone(), Some(found)),
        Some(RuleEntry::EachTopic(each)) => {
            let now = home.now;
            (each.place.clone(), home.engine.view(rule, now).map(|view| view.rule))
        }
        None => return None,
    };
    let text = text_of(home.sources, &place.file)?.to_owned();
    let stale = home.is_stale(&place);
    let answer = match found {
        Some(rule) => SourceAnswer::new(&rule, text, others.into_iter()),
        None => SourceAnswer {
            file: place.file.to_string(),
            line: place.line,
            text,
            stale: false,
            parts: Vec::new(),
            end: others
                .into_iter()
                .filter(|other| other.file == place.file && other.line > place.line)
                .map(|o| o.line)
                .min(),
        },
    };
    Some(SourceAnswer { stale, ..answer })
}

/// Returns what of a rule waits, what ends first before the rest.
pub(in crate::daemon::web) fn waiting(home: &HomeView<'_>, rule: &RuleId) -> Vec<Waiting> {
    let mut waits = home.engine.waits(home.now);
    waits.retain(|waits| waits.rule == *rule);
    super::now::sort(&mut waits);
    waits.iter().take(100).map(Waiting::new).collect()
}
