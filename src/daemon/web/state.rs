//! The state of topics.

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

use crate::api::StateAnswer;
use crate::model::{Devices, TopicFilter, is_inner};
use crate::page::encoded;

use super::Shared;
use super::problem::Problem;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    filter: Option<String>,
    /// The most topics; without it all.
    limit: Option<NonZeroUsize>,
    /// The topics after this one.
    after: Option<String>,
}

/// `GET /api/state?filter=home/#&limit=&after=`: all topics without a filter. Where there are more than `limit`, `Link` leads to
/// the next.
pub(super) async fn state(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Json<Vec<StateAnswer>>), Problem> {
    let limit = asked.limit.map_or(usize::MAX, NonZeroUsize::get);
    let after = asked.after.clone();
    let text = asked.filter.clone();
    let filter = asked.filter.filter(|filter| !filter.is_empty()).map(|filter| parse(&filter)).transpose()?;
    let (topics, devices) = shared
        .link
        .ask(move |home| {
            let wanted = home.engine.states().iter().filter(|(topic, _)| {
                // Those of the engine itself are shown as what they are: devices and inputs.
                filter.as_ref().map_or_else(|| !is_inner(topic.as_str()), |filter| filter.matches(topic))
                    && after.as_deref().is_none_or(|after| topic.as_str() > after)
            });
            // The answer is made out of these beside the loop.
            let wanted = wanted.take(limit.saturating_add(1));
            let topics: Vec<_> = wanted.map(|(topic, state)| (topic.clone(), state.clone())).collect();
            (topics, Devices::new(&home.settings.devices))
        })
        .await?;
    let mut headers = HeaderMap::new();
    if topics.len() > limit
        && let Some((last, _)) = topics.get(limit - 1)
        && let Ok(next) = HeaderValue::from_str(&next(text.as_deref(), limit, last.as_str()))
    {
        headers.insert(header::LINK, next);
    }
    let answers = topics.iter().take(limit).map(|(topic, state)| StateAnswer::new(topic, state, &devices));
    Ok((headers, Json(answers.collect())))
}

/// Returns where the topics after `last` are.
fn next(filter: Option<&str>, limit: usize, last: &str) -> String {
    let filter = filter.filter(|filter| !filter.is_empty());
    let filter = filter.map_or(String::new(), |filter| format!("filter={}&", encoded(filter)));
    format!("</api/state?{filter}limit={limit}&after={}>; rel=\"next\"", encoded(last))
}

fn parse(filter: &str) -> Result<TopicFilter, Problem> {
    TopicFilter::parse(filter).map_err(|error| Problem::bad_request(format!("`{filter}` is no topic filter: {error}")))
}
