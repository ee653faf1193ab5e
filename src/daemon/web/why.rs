//! Why something was published, and why a rule didn't run.

use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::daemon::why::{self, Incident, Link, Obstacle};
use crate::model::Topic;

use super::Shared;
use super::problem::Problem;
use super::rules::find;

/// What was published.
#[derive(Debug, Deserialize)]
pub(super) struct Published {
    topic: String,
    /// Of `/api/incident`: whatever might have mattered.
    #[serde(default)]
    all: bool,
}

/// What didn't run.
#[derive(Debug, Deserialize)]
pub(super) struct Rested {
    rule: String,
    at: Option<Timestamp>,
}

/// `GET /api/why?topic=`: what published it last, the outermost cause first; an empty list where nobody did.
pub(super) async fn why(
    State(shared): State<Shared>,
    Query(asked): Query<Published>,
) -> Result<Json<Vec<Value>>, Problem> {
    let topic = parse(&asked.topic)?;
    let chain = shared.link.ask(move |home| why::chain(home, &topic)).await?;
    Ok(Json(chain.iter().map(Link::to_json).collect()))
}

/// `GET /api/why-not?rule=&at=`: the first gate that stopped it when it last might have run.
pub(super) async fn why_not(
    State(shared): State<Shared>,
    Query(asked): Query<Rested>,
) -> Result<Json<Obstacle>, Problem> {
    let question = move |home: &mut crate::daemon::event_loop::EventLoop| {
        let rule = find(home, &asked.rule)?;
        why::obstacle(home, &rule, asked.at).ok_or_else(|| {
            Problem::bad_request(format!("`{rule}` makes rules, one for each topic: name one of them, as `{rule}[…]`"))
        })
    };
    shared.link.ask(question).await?.map(Json)
}

/// `GET /api/incident?topic=&all=`: what the last publication depended on; 404 where no rule published it.
pub(super) async fn incident(
    State(shared): State<Shared>,
    Query(asked): Query<Published>,
) -> Result<Json<Incident>, Problem> {
    let topic = parse(&asked.topic)?;
    let found = shared.link.ask(move |home| why::incident(home, &topic, asked.all)).await?;
    found.map(Json).ok_or_else(|| {
        Problem::not_found(format!("no rule published `{}`, as far back as the daemon remembers", asked.topic))
    })
}

fn parse(topic: &str) -> Result<Topic, Problem> {
    Topic::parse(topic).map_err(|error| Problem::bad_request(format!("`{topic}` is no topic: {error}")))
}
