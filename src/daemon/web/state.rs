//! The state of topics.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::api::StateAnswer;
use crate::model::{Devices, TopicFilter};

use super::Shared;
use super::problem::Problem;

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    filter: Option<String>,
}

/// `GET /api/state?filter=home/#`: all topics without a filter.
pub(super) async fn state(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<StateAnswer>>, Problem> {
    let filter = asked.filter.filter(|filter| !filter.is_empty()).map(|filter| parse(&filter)).transpose()?;
    let (topics, devices) = shared
        .link
        .ask(move |home| {
            let wanted = home.engine.states().iter().filter(|(topic, _)| match &filter {
                Some(filter) => filter.matches(topic),
                None => true,
            });
            // The answer is made out of these beside the loop.
            let topics: Vec<_> = wanted.map(|(topic, state)| (topic.clone(), state.clone())).collect();
            (topics, Devices::new(&home.settings.devices))
        })
        .await?;
    Ok(Json(topics.iter().map(|(topic, state)| StateAnswer::new(topic, state, &devices)).collect()))
}

fn parse(filter: &str) -> Result<TopicFilter, Problem> {
    TopicFilter::parse(filter).map_err(|error| Problem::bad_request(format!("`{filter}` is no topic filter: {error}")))
}
