//! The state of topics.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde::Deserialize;

use crate::api::StateAnswer;
use crate::model::{Devices, Secrets, States, Topic, TopicFilter, TopicState, is_inner};
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

/// So many topics are taken before others have their turn.
const PART: usize = 1000;

/// So many bytes of an answer are made before others have their turn.
const CHUNK: usize = 64 << 10;

/// `GET /api/state?filter=home/#&limit=&after=`: all topics without a filter. Where there are more than `limit`, `Link` leads to
/// the next.
pub(super) async fn state(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
) -> Result<(HeaderMap, Body), Problem> {
    let limit = asked.limit.map_or(usize::MAX, NonZeroUsize::get);
    let text = asked.filter.clone();
    let filter = asked.filter.filter(|filter| !filter.is_empty()).map(|filter| parse(&filter)).transpose()?;
    let link = &shared.link;
    let (devices, secrets) =
        link.ask(|home| (Devices::new(&home.settings.devices), Arc::clone(home.engine.secrets()))).await?;
    let mut topics: Vec<(Topic, TopicState)> = Vec::new();
    let mut after = asked.after;
    loop {
        // One more than the limit tells that there are more.
        let most = limit.saturating_add(1).saturating_sub(topics.len()).min(PART);
        let (filter, begin) = (filter.clone(), after);
        let part = link.ask(move |home| part(home.engine.states(), filter.as_ref(), begin.as_deref(), most)).await?;
        let is_last = part.len() < most;
        after = part.last().map(|(topic, _)| topic.as_str().to_owned());
        topics.extend(part);
        if is_last || topics.len() > limit {
            break;
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if topics.len() > limit
        && let Some((last, _)) = topics.get(limit - 1)
        && let Ok(next) = HeaderValue::from_str(&next(text.as_deref(), limit, last.as_str()))
    {
        headers.insert(header::LINK, next);
    }
    topics.truncate(limit);
    let answer = Answer { topics: topics.into_iter(), devices, secrets, next: Next::Begin };
    Ok((headers, Body::from_stream(unfold(answer, Answer::chunk))))
}

/// Returns at most `most` topics after `after`, each with its state: the answer is made out of these beside the loop.
fn part(states: &States, filter: Option<&TopicFilter>, after: Option<&str>, most: usize) -> Vec<(Topic, TopicState)> {
    let wanted = states.after(after).filter(|(topic, _)| {
        // Those of the engine itself are shown as what they are: devices and inputs.
        filter.map_or_else(|| !is_inner(topic.as_str()), |filter| filter.matches(topic))
    });
    wanted.take(most).map(|(topic, state)| (topic.clone(), state.clone())).collect()
}

/// Returns where the topics after `last` are.
fn next(filter: Option<&str>, limit: usize, last: &str) -> String {
    let filter = filter.filter(|filter| !filter.is_empty());
    let filter = filter.map_or(String::new(), |filter| format!("filter={}&", encoded(filter)));
    format!("</api/state?{filter}limit={limit}&after={}>; rel=\"next\"", encoded(last))
}

/// A JSON list of states that is written bit by bit: that of a large home takes longer than a message should wait.
struct Answer {
    topics: std::vec::IntoIter<(Topic, TopicState)>,
    devices: Devices,
    secrets: Arc<Secrets>,
    next: Next,
}

/// What comes next in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Begin,
    Item,
    Nothing,
}

impl Answer {
    async fn chunk(mut self) -> Option<(Result<Bytes, Infallible>, Answer)> {
        if self.next == Next::Nothing {
            return None;
        }
        tokio::task::yield_now().await;
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK && self.next != Next::Nothing {
            let separator = if self.next == Next::Begin { b'[' } else { b',' };
            if let Some((topic, state)) = self.topics.next() {
                chunk.push(separator);
                // Of texts, numbers and lists: it can't fail.
                let _ =
                    serde_json::to_writer(&mut chunk, &StateAnswer::new(&topic, &state, &self.devices, &self.secrets));
                self.next = Next::Item;
            } else {
                chunk.extend_from_slice(if self.next == Next::Begin { b"[]" } else { b"]" });
                self.next = Next::Nothing;
            }
        }
        Some((Ok(chunk.into()), self))
    }
}

fn parse(filter: &str) -> Result<TopicFilter, Problem> {
    TopicFilter::parse(filter)
        .map_err(|error| Problem::bad_request(format!("`{filter}` isn't a valid topic filter: {error}")))
}
