//! What a topic said over time.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::api::view::{History, Point, thin_out};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::disk::recorded::{Past, Wanted};
use crate::explain::History as _;
use crate::model::{Origin, Payload, Topic, ValuePath};

use super::time;

/// How far back it goes unless told.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

/// How many points are given unless told.
const POINTS: usize = 500;

/// The most that are given, however many are asked for.
const MOST_POINTS: usize = 20_000;

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub(in crate::daemon::web) struct Asked {
    pub(in crate::daemon::web) topic: Option<String>,
    pub(in crate::daemon::web) field: Option<String>,
    pub(in crate::daemon::web) from: Option<String>,
    pub(in crate::daemon::web) to: Option<String>,
    pub(in crate::daemon::web) points: Option<usize>,
}

/// What is asked for, read.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) topic: Topic,
    pub(super) field: Option<ValuePath>,
    pub(super) field_text: Option<String>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) points: usize,
}

/// `GET /api/history?topic=&field=&from=&to=&points=`
pub(in crate::daemon::web) async fn history(
    State(shared): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<History>, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::bad_request(error.body_text()))?;
    gather(&shared, asked).await.map(Json)
}

/// Returns what a topic said.
pub(in crate::daemon::web) async fn gather(shared: &Shared, asked: Asked) -> Result<History, Problem> {
    let (now, zone) = shared.link.ask(|home| (home.now, home.engine.calendar().zone.clone())).await?;
    let text = asked.topic.as_deref().filter(|topic| !topic.is_empty());
    let text = text.ok_or_else(|| Problem::bad_request("`topic` is missing: `/api/history?topic=home/hall/lux`"))?;
    let topic =
        Topic::parse(text).map_err(|error| Problem::bad_request(format!("`{text}` isn't a valid topic: {error}")))?;
    let field_text = asked.field.filter(|field| !field.is_empty());
    let field = field_text.as_deref().map(ValuePath::parse).transpose();
    let field = field.map_err(|error| Problem::bad_request(format!("`field` isn't a valid path: {error}")))?;
    let to = time(asked.to.as_deref(), now, &zone)?.unwrap_or(now);
    let usual = to.checked_sub(USUAL).unwrap_or(to);
    let from = time(asked.from.as_deref(), now, &zone)?.unwrap_or(usual);
    if from > to {
        return Err(Problem::bad_request("`from` is after `to`"));
    }
    let points = asked.points.unwrap_or(POINTS).min(MOST_POINTS);
    if points == 0 {
        return Err(Problem::bad_request("`points` must be at least 1"));
    }
    look(shared, Wish { topic, field, field_text, from, to, points }).await
}

/// Returns what a topic said, from what was recorded and, where nothing was, from memory.
pub(super) async fn look(shared: &Shared, wish: Wish) -> Result<History, Problem> {
    let wanted = wish.clone();
    let question = move |home: &mut HomeView<'_>| {
        let topics = BTreeSet::from([wanted.topic.clone()]);
        let before = wanted.from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(wanted.from);
        let heard: Vec<(Timestamp, Payload)> = home
            .heard
            .within(before, wanted.to, &topics)
            .into_iter()
            .map(|heard| (heard.at, heard.message.payload))
            .collect();
        let is_recorded = home.settings.recorder.as_ref().is_some_and(|recorder| recorder.includes(&wanted.topic));
        // Memory may hold all of that time.
        let is_enough = home.heard.since() < wanted.from;
        (heard, (is_recorded && !is_enough).then(|| home.recorder.search()))
    };
    let (heard, search) = shared.link.ask(question).await?;
    let Some(search) = search else { return super::beside(move || answer(wish, heard)).await };
    let found = search.run(move |past| {
        let recorded = recorded(past, &wish);
        answer(wish, if recorded.is_empty() { heard } else { recorded })
    });
    found.await.ok_or_else(|| Problem::internal("the search in the recordings failed; please report this with the log"))
}

fn recorded(past: &Past, wish: &Wish) -> Vec<(Timestamp, Payload)> {
    let Some(wanted) = Wanted::new([&wish.topic].into_iter(), std::iter::empty(), None) else { return Vec::new() };
    let before = wish.from.checked_sub(SignedDuration::from_micros(1)).unwrap_or(wish.from);
    let found = past.within(before, wish.to, &wanted).into_iter();
    let of_topic =
        found.filter(|recorded| recorded.message.topic == wish.topic && recorded.message.origin != Origin::Restored);
    of_topic.map(|recorded| (recorded.at, recorded.message.payload)).collect()
}

/// Returns a time as recordings have it: the same message has the same time, wherever it's found.
fn as_recorded(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn answer(wish: Wish, messages: Vec<(Timestamp, Payload)>) -> History {
    let value = |payload: &Payload| {
        let whole = payload.value();
        let value = match &wish.field {
            Some(field) => whole.at(field)?,
            None => whole,
        };
        (!value.is_null()).then(|| value.to_json())
    };
    let points =
        messages.iter().filter_map(|(at, payload)| Some(Point { at: as_recorded(*at), value: value(payload)? }));
    let points: Vec<Point> = points.collect();
    let found = points.len();
    History {
        topic: wish.topic.to_string(),
        field: wish.field_text,
        from: wish.from,
        to: wish.to,
        found,
        points: thin_out(points, wish.points),
    }
}
