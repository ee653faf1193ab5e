//! What was recorded of a topic, for rules that ask for its past.

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::daemon::recorder::Search;
use crate::disk::recorded::{Past, Wanted};
use crate::engine::Event;
use crate::model::Value;
use crate::model::history::Recall;

/// How many samples are told at most, the newest: more than any series keeps.
const MOST: usize = 500_000;

/// Returns what was recorded, as the engine is told it; `None` where nothing was.
pub(super) async fn find(recall: Recall, search: Search) -> Option<Event> {
    let Recall { topic, since, until } = recall;
    let wanted = Wanted::new(std::iter::once(&topic), std::iter::empty(), None)?;
    let name = topic.clone();
    let samples = search.run(move |past| samples_of(past, &wanted, since, until, name.as_str())).await?;
    (!samples.is_empty()).then_some(Event::Recalled { topic, samples })
}

fn samples_of(
    past: &Past,
    wanted: &Wanted,
    since: Timestamp,
    until: Timestamp,
    topic: &str,
) -> Vec<(Timestamp, Value)> {
    let mut parts: Vec<Vec<(Timestamp, Value)>> = Vec::new();
    let mut count = 0;
    past.walk(since, until, wanted, |messages| {
        let of_topic = messages.into_iter().filter(|recorded| recorded.message.topic.as_str() == topic);
        let part: Vec<_> = of_topic.map(|recorded| (recorded.at, recorded.message.payload.value().clone())).collect();
        count += part.len();
        parts.push(part);
        if count > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    parts.reverse();
    parts.concat()
}
