//! What published a topic and what caused that, as programs read it.

use serde_json::{Value, json};

use crate::explain::{Chain, HeardMessage, Link, LocalTime, Published, Speaker};
use crate::model::RuleId;

use super::{CauseAnswer, TraceAnswer};

/// Returns a chain as programs read it, the outermost cause first; empty if nobody published to the topic. `time` says how
/// its words write times.
#[must_use]
pub fn chain_answer(chain: &Chain, time: &LocalTime) -> Vec<Value> {
    chain.links().iter().rev().map(|link| link_answer(link, time)).collect()
}

/// Returns a link as `trace` has it. A message from outside is told with its client, time and payload. If the run isn't
/// known, or a client published itself, the outcome is `published`.
fn link_answer(link: &Link, time: &LocalTime) -> Value {
    match link {
        Link::Run(trace, message) => {
            let mut answer = serde_json::to_value(TraceAnswer::new(trace, time)).unwrap_or_default();
            if let (Some(message), Some(cause)) = (message, answer.get_mut("cause").and_then(Value::as_object_mut)) {
                cause.extend(told(message));
            }
            answer
        }
        Link::Rule(published, rule, cause, message) => {
            let mut cause = serde_json::to_value(CauseAnswer(cause)).unwrap_or_default();
            if let (Some(message), Some(cause)) = (message, cause.as_object_mut()) {
                cause.extend(told(message));
            }
            let payload = published.payload.as_ref();
            let payload = payload.map_or(String::new(), |payload| format!(" {}", payload.text().unwrap_or("(binary)")));
            let what = format!("{}{payload}", published.topic);
            let step = json!({ "path": "", "at": published.at, "what": "publish", "result": what, "values": {} });
            published_answer(published, Some(rule), cause, vec![step])
        }
        Link::Client(published, client) => {
            let topic = published.topic.as_str();
            let mut cause =
                json!({ "kind": "message", "topic": topic, "origin": "live", "depth": 0, "client": client });
            if let (Some(payload), Some(cause)) = (&published.payload, cause.as_object_mut()) {
                cause.insert("at".to_owned(), json!(published.at));
                cause.insert("value".to_owned(), payload.value().to_json());
            }
            published_answer(published, None, cause, Vec::new())
        }
    }
}

fn published_answer(published: &Published, rule: Option<&RuleId>, cause: Value, steps: Vec<Value>) -> Value {
    let (rule, at) = (rule.map(RuleId::as_str), published.at);
    json!({
        "rule": rule, "run": null, "at": at, "ended_at": at, "outcome": "published", "cause": cause, "steps": steps
    })
}

fn told(heard: &HeardMessage) -> serde_json::Map<String, Value> {
    let client = match &heard.speaker {
        Speaker::Client(client) => client.as_deref(),
        Speaker::Rule(..) => None,
    };
    let (topic, value) = (heard.message.topic.as_str(), heard.message.payload.value().to_json());
    let told = json!({ "topic": topic, "client": client, "at": heard.at, "value": value });
    told.as_object().cloned().unwrap_or_default()
}
