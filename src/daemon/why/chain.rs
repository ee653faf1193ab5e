//! What published a topic last, back to what came from outside.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::daemon::answer::TraceAnswer;
use crate::daemon::event_loop::EventLoop;
use crate::daemon::heard::{HeardMessage, Speaker};
use crate::engine::{Cause, CauseKind, Outcome, RunId, Trace};
use crate::model::{Origin, RuleId, Topic};

/// A chain is never longer: the engine stops those that are.
const LONGEST: usize = 1000;

/// One part of a chain of causes.
#[derive(Debug)]
pub(in crate::daemon) enum Link {
    /// A run, with the message from outside that set it off, where that is known.
    Run(Arc<Trace>, Option<HeardMessage>),
    /// A client's own publication: when, on which topic, by whom, and what, where that is known still.
    Client(Timestamp, Topic, Option<Arc<str>>, Option<HeardMessage>),
}

/// Returns what published `topic` last and what caused that, the outermost cause first; nothing where nobody did.
pub(in crate::daemon) fn chain(home: &EventLoop, topic: &Topic) -> Vec<Link> {
    let Some(spoke) = home.heard.last(topic) else { return Vec::new() };
    let (rule, cause) = match &spoke.speaker {
        Speaker::Client(client) => {
            let heard = home.heard.before(topic, spoke.at).cloned();
            return vec![Link::Client(spoke.at, topic.clone(), client.clone(), heard)];
        }
        Speaker::Rule(rule, cause) => (rule, cause),
    };
    let under_way = home.engine.runs_under_way();
    let find = |run: RunId| {
        let running = under_way.iter().find(|trace| trace.run == Some(run));
        running.map(|trace| Arc::new(trace.clone())).or_else(|| home.traces.of_run(run).cloned())
    };
    let first = cause.run.and_then(find).unwrap_or_else(|| Arc::new(forgotten(rule, cause, spoke.at)));
    let mut links = Vec::new();
    let mut next = Some(first);
    while let Some(trace) = next.filter(|_| links.len() < LONGEST) {
        next = trace.cause.run.and_then(find);
        let message = outside_message(home, &trace);
        links.push(Link::Run(trace, message));
    }
    links.reverse();
    links
}

/// Returns the message from outside that set off a run.
fn outside_message(home: &EventLoop, trace: &Trace) -> Option<HeardMessage> {
    match &trace.cause.kind {
        CauseKind::Message { topic, origin: Origin::Live, .. } => home.heard.before(topic, trace.at).cloned(),
        _ => None,
    }
}

/// Returns what is known of a run whose trace is kept no more.
fn forgotten(rule: &RuleId, cause: &Cause, at: Timestamp) -> Trace {
    let cause = Cause { run: None, ..cause.clone() };
    Trace { rule: rule.clone(), run: None, at, ended_at: at, outcome: Outcome::Finished, cause, steps: Vec::new() }
}

impl Link {
    /// Returns it as programs read it: as `trace` has it (spec 11). A message from outside is told with its client,
    /// time and payload. Where a client published itself, there is no rule, and the outcome is `published`.
    pub(in crate::daemon) fn to_json(&self) -> Value {
        match self {
            Link::Run(trace, message) => {
                let mut answer = serde_json::to_value(TraceAnswer::new(trace)).unwrap_or_default();
                if let (Some(message), Some(cause)) = (message, answer.get_mut("cause").and_then(Value::as_object_mut))
                {
                    cause.extend(told(message));
                }
                answer
            }
            Link::Client(at, topic, client, heard) => {
                let mut cause = json!({ "kind": "message", "topic": topic.as_str(), "origin": "live", "depth": 0 });
                if let Some(cause) = cause.as_object_mut() {
                    cause.insert("client".to_owned(), client.as_deref().into());
                    cause.extend(heard.iter().flat_map(told));
                }
                json!({ "rule": null, "run": null, "at": at, "ended_at": at, "outcome": "published", "cause": cause, "steps": [] })
            }
        }
    }
}

fn told(heard: &HeardMessage) -> serde_json::Map<String, Value> {
    let client = match &heard.speaker {
        Speaker::Client(client) => client.as_deref(),
        Speaker::Rule(..) => None,
    };
    let told = json!({ "client": client, "at": heard.at, "value": heard.message.payload.value().to_json() });
    told.as_object().cloned().unwrap_or_default()
}
