//! The view Timeline.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use crate::daemon::web::Shared;
use crate::daemon::web::view::timeline::{Asked, gather, pairs};
use crate::model::parse_duration;
use crate::page::{self, TimelinePage, View};

use super::reply::{Refused, Shown, Visit, look};

/// `GET /timeline`
pub(super) async fn timeline(
    State(shared): State<Shared>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let mut asked = Asked::default();
    let look = look(&shared).await?;
    for (key, value) in pairs(query.as_deref().unwrap_or_default()) {
        match key.as_str() {
            "from" => asked.from = Some(value),
            "to" => asked.to = Some(value),
            "topic" if !value.is_empty() && !asked.topics.contains(&value) => asked.topics.push(value),
            "last" => {
                let length = parse_duration(&value).ok().and_then(|length| jiff::SignedDuration::try_from(length).ok());
                let from = length.and_then(|length| look.now.checked_sub(length).ok());
                asked.from = from.map(|from| from.to_string()).or(asked.from);
            }
            _ => {}
        }
    }
    // What is in the past doesn't change.
    let live = if asked.to.is_some() { "" } else { "run" };
    let mut topics = asked.topics.clone();
    let (answer, trouble) = match gather(&shared, asked).await {
        Ok(answer) => (answer, None),
        Err(problem) => {
            topics.clear();
            (gather(&shared, Asked::default()).await?, Some(problem.detail().to_owned()))
        }
    };
    visit
        .page(look, Shown::new(View::Timeline, "Timeline", live), move |look| {
            page::timeline(look, &TimelinePage { answer: &answer, topics: &topics, trouble: trouble.as_deref() })
        })
        .await
}
