//! The views of topics.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::SignedDuration;
use serde::Deserialize;

use crate::api::StateAnswer;
use crate::api::view::{History, why_links};
use crate::daemon::home::view::HomeView;
use crate::daemon::web::problem::Problem;
use crate::daemon::web::{Shared, view, why};
use crate::explain::Chain;
use crate::model::{Devices, Topic, TopicFilter, parse_duration};
use crate::page::{self, TopicPage, TopicsPage, View};

use super::reply::{Refused, Shown, Visit, look};

/// How many values of a topic are drawn.
const POINTS: usize = 600;

/// What is searched for among the topics.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    filter: String,
    #[serde(default)]
    under: String,
    #[serde(default)]
    after: Option<String>,
}

/// `GET /topics`
pub(super) async fn list(
    State(shared): State<Shared>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refused> {
    let filter = Some(wanted.filter.as_str()).filter(|filter| !filter.is_empty()).map(TopicFilter::parse).transpose();
    let (found, trouble) = match filter {
        Ok(Some(filter)) => (view::topics::matching(&shared, filter, wanted.after).await?, None),
        Ok(None) => (view::topics::below(&shared, wanted.under.clone()).await?, None),
        Err(error) => {
            let found = view::topics::below(&shared, String::new()).await?;
            (found, Some(format!("`{}` isn't a valid filter: {error}", wanted.filter)))
        }
    };
    let look = look(&shared).await?;
    visit
        .page(look, Shown::new(View::Topics, "Topics", "message publish"), move |look| {
            page::topics(
                look,
                &TopicsPage {
                    all: found.all,
                    under: &wanted.under,
                    branches: &found.branches,
                    states: &found.states,
                    filter: &wanted.filter,
                    trouble: trouble.as_deref(),
                    found: found.count,
                    next: found.next.as_deref(),
                },
            )
        })
        .await
}

/// What of a topic is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    field: Option<String>,
    #[serde(default)]
    last: String,
}

/// `GET /topics/{topic}`
pub(super) async fn one(
    State(shared): State<Shared>,
    visit: Visit,
    Path(text): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refused> {
    let topic =
        Topic::parse(&text).map_err(|error| Problem::bad_request(format!("`{text}` isn't a valid topic: {error}")))?;
    let stretch = if parse_duration(&asked.last).is_ok() { asked.last.clone() } else { "24h".to_owned() };
    let of = topic.clone();
    let question = move |home: &mut HomeView<'_>| {
        let state = home.engine.states().get(of.as_str()).cloned();
        let state = state
            .map(|state| StateAnswer::new(&of, &state, &Devices::new(&home.settings.devices), home.engine.secrets()));
        let mut heard = home.heard.recent().filter(|heard| heard.message.topic == of);
        let before = heard.nth(1).map(|heard| heard.message.payload.value().to_json());
        let is_recorded = home.settings.recorder.as_ref().is_some_and(|recorder| recorder.includes(&of));
        (state, before, is_recorded, home.now, home.local_time())
    };
    let (state, before, is_recorded, now, time) = shared.link.ask(question).await?;
    let field =
        asked.field.unwrap_or_else(|| state.as_ref().map(|state| usual_field(&state.value)).unwrap_or_default());
    let length = parse_duration(&stretch).ok().and_then(|length| SignedDuration::try_from(length).ok());
    let from = now.checked_sub(length.unwrap_or_default()).unwrap_or(now);
    let history: Option<History> = view::history::gather(
        &shared,
        view::history::Asked {
            topic: Some(text.clone()),
            field: Some(field.clone()),
            from: Some(from.to_string()),
            to: Some(now.to_string()),
            points: Some(POINTS),
        },
    )
    .await
    .ok();
    let chain: Option<Chain> = why::complete_chain(&shared, topic).await.ok();
    let look = look(&shared).await?;
    let shown = Shown::new(View::Topics, text.clone(), "message publish").of_topic(text.clone());
    visit
        .page(look, shown, move |look| {
            let why = chain.map(|chain| why_links(&chain, &time)).unwrap_or_default();
            page::topic(
                look,
                &TopicPage {
                    topic: &text,
                    state: state.as_ref(),
                    before: before.as_ref(),
                    history: history.as_ref(),
                    field: &field,
                    stretch: &stretch,
                    is_recorded,
                    why: &why,
                },
            )
        })
        .await
}

/// Returns the field that one wants to see first: the first number, or else the first value.
fn usual_field(value: &serde_json::Value) -> String {
    let serde_json::Value::Object(map) = value else { return String::new() };
    let is_plain = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let of_kind = |is_wanted: fn(&serde_json::Value) -> bool| {
        map.iter().find(|(name, value)| is_plain(name) && is_wanted(value)).map(|(name, _)| name.clone())
    };
    let first =
        of_kind(serde_json::Value::is_number).or_else(|| of_kind(|value| value.is_string() || value.is_boolean()));
    first.unwrap_or_default()
}
