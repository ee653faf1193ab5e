//! What a topic said over time.

use std::collections::{BTreeMap, BTreeSet};

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
    let stretch = Stretch { topics: BTreeSet::from([wish.topic.clone()]), from: wish.from, to: wish.to };
    let make = move |mut said: Said| answer(wish.clone(), said.remove(&wish.topic).unwrap_or_default());
    stretch.said(shared, make).await
}

/// What topics said over a time, each with its messages, oldest first.
pub(super) type Said = BTreeMap<Topic, Vec<(Timestamp, Payload)>>;

/// Topics, and a time.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) topics: BTreeSet<Topic>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Stretch {
    /// Returns what `make` makes, beside the loop, of what was recorded and, where nothing was, of what is in memory.
    pub(super) async fn said<T: Send + 'static>(
        self,
        shared: &Shared,
        make: impl FnOnce(Said) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let wanted = self.clone();
        let question = move |home: &mut HomeView<'_>| {
            let before = wanted.from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(wanted.from);
            let mut heard = Said::new();
            for one in home.heard.within(before, wanted.to, &wanted.topics) {
                heard.entry(one.message.topic).or_default().push((one.at, one.message.payload));
            }
            let recorder = home.settings.recorder.as_ref();
            let is_recorded =
                recorder.is_some_and(|recorder| wanted.topics.iter().any(|topic| recorder.includes(topic)));
            // Memory may hold all of that time.
            let is_enough = home.heard.since() < wanted.from;
            (heard, (is_recorded && !is_enough).then(|| home.recorder.search()))
        };
        let (mut heard, search) = shared.link.ask(question).await?;
        let Some(search) = search else { return super::beside(move || make(heard)).await };
        let found = search.run(move |past| {
            heard.extend(self.recorded(past));
            make(heard)
        });
        let failed = || Problem::internal("the search in the recordings failed; please report this with the log");
        found.await.ok_or_else(failed)
    }

    fn recorded(&self, past: &Past) -> Said {
        let mut said = Said::new();
        let Some(wanted) = Wanted::new(self.topics.iter(), std::iter::empty(), None) else { return said };
        let before = self.from.checked_sub(SignedDuration::from_micros(1)).unwrap_or(self.from);
        for recorded in past.within(before, self.to, &wanted) {
            let message = recorded.message;
            if self.topics.contains(&message.topic) && message.origin != Origin::Restored {
                said.entry(message.topic).or_default().push((recorded.at, message.payload));
            }
        }
        said
    }
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
    let (found, points) = points(&messages, value, wish.points);
    History { topic: wish.topic.to_string(), field: wish.field_text, from: wish.from, to: wish.to, found, points }
}

/// Returns how many values messages have, and at most `most` of these.
pub(super) fn points(
    messages: &[(Timestamp, Payload)],
    value: impl Fn(&Payload) -> Option<serde_json::Value>,
    most: usize,
) -> (usize, Vec<Point>) {
    let points =
        messages.iter().filter_map(|(at, payload)| Some(Point { at: as_recorded(*at), value: value(payload)? }));
    let points: Vec<Point> = points.collect();
    (points.len(), thin_out(points, most))
}
