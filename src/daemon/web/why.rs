//! Why something was published, and why a rule didn't run.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{ObstacleAnswer, chain_answer};
use crate::daemon::home::view::HomeView;
use crate::daemon::why::{self, Recordings, asked_time};
use crate::explain::{Chain, Extent, Incident, LocalTime, Obstacle};
use crate::model::Topic;

use super::Shared;
use super::problem::Problem;
use super::rules::{find_one, unknown};

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
    /// As [`asked_time`] reads it.
    at: Option<String>,
}

/// `GET /api/why?topic=`: what published it last, the outermost cause first; an empty list if nobody did.
pub(super) async fn why(
    State(shared): State<Shared>,
    Query(asked): Query<Published>,
) -> Result<Json<Vec<Value>>, Problem> {
    let topic = parse(&asked.topic)?;
    let time = shared.link.ask(|home| home.local_time()).await?;
    Ok(Json(chain_answer(&complete_chain(&shared, topic).await?, &time)))
}

/// Returns the chain of causes, with what the recorder knows where memory doesn't reach back.
pub(super) async fn complete_chain(shared: &Shared, topic: Topic) -> Result<Chain, Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let chain = why::chain(home, &topic);
        let search = (!chain.is_complete()).then(|| home.recorder.search());
        (chain, search)
    };
    let (mut chain, search) = shared.link.ask(question).await?;
    let Some(search) = search else { return Ok(chain) };
    let completed = search.run(move |past| {
        chain.complete(&Recordings(past));
        chain
    });
    completed.await.ok_or_else(search_failed)
}

fn search_failed() -> Problem {
    Problem::internal("the search in the recordings failed; please report this with the log")
}

/// `GET /api/why-not?rule=&at=`: what blocked it first when it last might have run.
pub(super) async fn why_not(
    State(shared): State<Shared>,
    Query(asked): Query<Rested>,
) -> Result<Json<ObstacleAnswer>, Problem> {
    let (found, time) = obstacle(&shared, asked.rule, asked.at).await?;
    Ok(Json(ObstacleAnswer::new(&found, &time)))
}

/// Returns what kept a rule from running, and how times are written.
pub(super) async fn obstacle(
    shared: &Shared,
    rule: String,
    at: Option<String>,
) -> Result<(Obstacle, LocalTime), Problem> {
    let question = move |home: &mut HomeView<'_>| {
        let at = at.as_deref().map(|at| asked_time(at, home.now, &home.engine.calendar().zone));
        let at = at.transpose().map_err(Problem::bad_request)?;
        let id = find_one(home, &rule)?;
        let found = why::obstacle(home, &id, at);
        let (found, beyond) = found.ok_or_else(|| unknown(home, &rule))?;
        let beyond = beyond.map(|beyond| (beyond, home.recorder.search()));
        Ok::<_, Problem>((found, beyond, home.local_time()))
    };
    let (mut found, beyond, time) = shared.link.ask(question).await??;
    if let Some((beyond, search)) = beyond {
        let looked = search.run(move |past| {
            beyond.look(&Recordings(past), &mut found);
            found
        });
        found = looked.await.ok_or_else(search_failed)?;
    }
    Ok((found.finish(), time))
}

/// `GET /api/incident?topic=&all=`: what the last publication depended on; 404 if no rule published it.
pub(super) async fn incident(
    State(shared): State<Shared>,
    Query(asked): Query<Published>,
) -> Result<Json<Incident>, Problem> {
    let topic = parse(&asked.topic)?;
    let extent = if asked.all { Extent::Everything } else { Extent::Read };
    complete_incident(&shared, topic, extent).await.map(Json)
}

/// Returns what the last publication to `topic` depended on, with what the recorder knows where memory doesn't reach back.
pub(super) async fn complete_incident(shared: &Shared, topic: Topic, extent: Extent) -> Result<Incident, Problem> {
    let chain = complete_chain(shared, topic).await?;
    let question = move |home: &mut HomeView<'_>| {
        let (incident, gaps) = why::incident(home, &chain, extent)?;
        let search = (!gaps.is_empty()).then(|| home.recorder.search());
        Ok::<_, String>((incident, gaps, search))
    };
    let found = shared.link.ask(question).await?;
    let (mut incident, gaps, search) = found.map_err(Problem::not_found)?;
    if let Some(search) = search {
        let filled = search.run(move |past| {
            gaps.fill(&mut incident, &Recordings(past));
            incident
        });
        incident = filled.await.ok_or_else(search_failed)?;
    }
    Ok(incident)
}

fn parse(topic: &str) -> Result<Topic, Problem> {
    Topic::parse(topic).map_err(|error| Problem::bad_request(format!("`{topic}` isn't a valid topic: {error}")))
}
