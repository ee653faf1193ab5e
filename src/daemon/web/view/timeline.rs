//! What rules did over time.

use axum::Json;
use axum::extract::{RawQuery, State};
use jiff::{SignedDuration, Timestamp};

use crate::api::TraceAnswer;
use crate::api::view::{HoldSpan, PastRun, TimelineAnswer};
use crate::daemon::home::view::HomeView;
use crate::daemon::observers::traces::Kept;
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::disk::recorded::{Past, Wanted};
use crate::engine::{Trace, WaitKind};
use crate::explain::LocalTime;
use crate::model::{Topic, ValuePath};

use super::history::{self, Wish};
use super::time;

/// How far back it goes unless told.
const USUAL: SignedDuration = SignedDuration::from_hours(1);

/// The most runs and skips.
const MOST: usize = 2000;

/// The most lanes of topics.
const MOST_LANES: usize = 10;

/// The most values of a lane.
const POINTS: usize = 400;

/// What is asked for.
#[derive(Debug, Default)]
pub(in crate::daemon::web) struct Asked {
    pub(in crate::daemon::web) from: Option<String>,
    pub(in crate::daemon::web) to: Option<String>,
    pub(in crate::daemon::web) topics: Vec<String>,
}

/// `GET /api/timeline?from=&to=&topic=`
pub(in crate::daemon::web) async fn timeline(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<TimelineAnswer>, Problem> {
    let mut asked = Asked::default();
    for (key, value) in pairs(query.as_deref().unwrap_or_default()) {
        match key.as_str() {
            "from" => asked.from = Some(value),
            "to" => asked.to = Some(value),
            "topic" => asked.topics.push(value),
            _ => {}
        }
    }
    gather(&shared, asked).await.map(Json)
}

/// Returns the pairs of a query, a key as often as it's there.
pub(in crate::daemon::web) fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Returns what rules did.
pub(in crate::daemon::web) async fn gather(shared: &Shared, asked: Asked) -> Result<TimelineAnswer, Problem> {
    let (now, zone) = shared.link.ask(|home| (home.now, home.engine.calendar().zone.clone())).await?;
    let to = time(asked.to.as_deref(), now, &zone)?.unwrap_or(now);
    let usual = to.checked_sub(USUAL).unwrap_or(to);
    let from = time(asked.from.as_deref(), now, &zone)?.unwrap_or(usual);
    if from >= to {
        return Err(Problem::bad_request("`from` must be before `to`"));
    }
    let topics = asked.topics.iter().filter(|topic| !topic.is_empty()).take(MOST_LANES);
    let topics = topics.map(|text| {
        Topic::parse(text).map_err(|error| Problem::bad_request(format!("`{text}` isn't a valid topic: {error}")))
    });
    let topics: Vec<Topic> = topics.collect::<Result<_, _>>()?;
    let question = move |home: &mut HomeView<'_>| {
        let (kept, left_out) = home.traces.between(from, to, MOST);
        let mut running = home.engine.runs_in_short(home.now);
        running.retain(|run| run.at <= to);
        let mut holds = home.engine.waits(home.now);
        holds.retain(|waits| waits.kind == WaitKind::Hold && waits.since <= to);
        let begun = SignedDuration::try_from(home.started.elapsed()).unwrap_or_default();
        let started = home.now.checked_sub(begun).unwrap_or(home.now);
        let known_since = home.traces.since().map_or(started, |since| since.max(started));
        let search = (known_since > from && home.recorder.status().is_on).then(|| home.recorder.search());
        (kept, left_out, running, holds, known_since, search, home.local_time())
    };
    let (kept, left_out, running, holds, known_since, search, words) = shared.link.ask(question).await?;
    let mut answer = super::beside(move || from_memory(&kept, &running, &words)).await?;
    answer.holds.extend(holds.into_iter().map(|hold| HoldSpan {
        rule: hold.rule.to_string(),
        at: hold.since,
        ended_at: now,
        is_going_on: true,
    }));
    (answer.from, answer.to, answer.known_since, answer.left_out) = (from, to, known_since, left_out);
    if let Some(search) = search {
        let before = known_since.min(to);
        let published = search.run(move |past| published(past, from, before)).await.unwrap_or_default();
        answer.runs.splice(0..0, published);
    }
    for topic in topics {
        let (field, field_text): (Option<ValuePath>, _) = (None, None);
        let wish = Wish { topic, field, field_text, from, to, points: POINTS };
        answer.lanes.push(history::look(shared, wish).await?);
    }
    Ok(answer)
}

/// Returns what memory holds: runs, skips and holds, the oldest first.
fn from_memory(kept: &[Kept], running: &[Trace], words: &LocalTime) -> TimelineAnswer {
    let epoch = Timestamp::UNIX_EPOCH;
    let mut answer = TimelineAnswer {
        from: epoch,
        to: epoch,
        known_since: epoch,
        runs: Vec::new(),
        skips: Vec::new(),
        holds: Vec::new(),
        lanes: Vec::new(),
        left_out: 0,
    };
    for kept in kept.iter().rev() {
        let trace = &kept.trace;
        let run = PastRun::new(&kept.answer(words));
        if let Some(armed) = &trace.cause.armed {
            let (rule, ended_at) = (run.rule.clone(), trace.at.max(armed.at));
            answer.holds.push(HoldSpan { rule, at: armed.at, ended_at, is_going_on: false });
        }
        if run.outcome == "skipped" { answer.skips.push(run) } else { answer.runs.push(run) }
    }
    answer.runs.extend(running.iter().map(|trace| PastRun::new(&TraceAnswer::new(trace, words))));
    answer.runs.sort_by_key(|run| run.at);
    answer
}

/// Returns what rules published, as recorded.
fn published(past: &Past, from: Timestamp, to: Timestamp) -> Vec<PastRun> {
    let mut found = Vec::new();
    let Some(wanted) = Wanted::new(std::iter::empty(), [""].into_iter(), None) else { return found };
    past.walk(from, to, &wanted, |messages| {
        let of_rules = messages.into_iter().filter_map(|recorded| {
            let rule = recorded.rule?.to_string();
            Some(PastRun {
                rule,
                run: None,
                at: recorded.at,
                ended_at: recorded.at,
                outcome: "published".to_owned(),
                by: None,
                caused_by: None,
                topic: Some(recorded.message.topic.to_string()),
                times: 1,
            })
        });
        let mut part: Vec<PastRun> = of_rules.collect();
        part.append(&mut found);
        found = part;
        if found.len() >= MOST { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    });
    let more = found.len().saturating_sub(MOST);
    found.split_off(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_often_as_it_is_there() {
        let read = pairs("topic=a%2Fb&topic=c+d&from=&x&broken=%zz");
        let read: Vec<(&str, &str)> = read.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(read, [("topic", "a/b"), ("topic", "c d"), ("from", ""), ("x", ""), ("broken", "%zz")]);
    }
}
