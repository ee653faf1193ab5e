//! What led to a run or a publication, as programs read it.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

use crate::engine::{Armed, Cause, CauseKind, RunId};
use crate::model::{RuleId, Topic};

/// A cause as one flat object: `{"kind": "message", "topic": …}`. What began the time that had to pass before it led to
/// anything is its `armed`: `{"at"}` with a `topic` or a `cause`.
#[derive(Debug, Clone, Copy)]
pub struct CauseAnswer<'a>(pub &'a Cause);

impl Serialize for CauseAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let CauseAnswer(cause) = self;
        let mut answer = serializer.serialize_map(None)?;
        match &cause.kind {
            CauseKind::Message { sequence, topic, origin } => {
                answer.serialize_entry("kind", "message")?;
                answer.serialize_entry("sequence", sequence)?;
                answer.serialize_entry("topic", topic.as_str())?;
                answer.serialize_entry("origin", origin.as_str())?;
            }
            CauseKind::Time { due, late, event } => {
                answer.serialize_entry("kind", "time")?;
                answer.serialize_entry("due", due)?;
                answer.serialize_entry("late", late)?;
                if let Some(event) = event {
                    answer.serialize_entry("event", event)?;
                }
            }
            CauseKind::Condition => answer.serialize_entry("kind", "condition")?,
            CauseKind::Expired(topic) => named(&mut answer, "expired", "topic", topic.as_str())?,
            CauseKind::Client(client) => named(&mut answer, "client", "client", client)?,
            CauseKind::Event(event) => named(&mut answer, "event", "event", event)?,
            CauseKind::Webhook(name) => named(&mut answer, "webhook", "name", name)?,
            CauseKind::Rule(rule) => named(&mut answer, "rule", "rule", rule.as_str())?,
            CauseKind::Person => answer.serialize_entry("kind", "person")?,
        }
        answer.serialize_entry("depth", &cause.depth)?;
        answer.serialize_entry("run", &cause.run.map(|run| run.0))?;
        if let Some(armed) = &cause.armed {
            answer.serialize_entry("armed", &ArmedAnswer::new(armed))?;
        }
        answer.end()
    }
}

fn named<M: SerializeMap>(answer: &mut M, kind: &str, key: &str, name: &str) -> Result<(), M::Error> {
    answer.serialize_entry("kind", kind)?;
    answer.serialize_entry(key, name)
}

/// What began the time that had to pass.
#[derive(Serialize)]
struct ArmedAnswer<'a> {
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseAnswer<'a>>,
}

impl<'a> ArmedAnswer<'a> {
    fn new(armed: &'a Armed) -> ArmedAnswer<'a> {
        ArmedAnswer {
            at: armed.at,
            topic: armed.topic.as_ref().map(Topic::as_str),
            cause: armed.cause.as_ref().map(CauseAnswer),
        }
    }
}

/// Returns the cause that a recording line or a trace tells; `None` where this is none, or is of another version.
#[must_use]
pub fn cause_of(answer: &Value) -> Option<Cause> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let kind = match text("kind")? {
        "message" => CauseKind::Message {
            sequence: answer.get("sequence")?.as_u64()?,
            topic: Topic::parse(text("topic")?).ok()?,
            origin: serde_json::from_value(answer.get("origin")?.clone()).ok()?,
        },
        "time" => CauseKind::Time {
            due: text("due")?.parse().ok()?,
            late: answer.get("late")?.as_bool()?,
            event: answer.get("event").and_then(|event| serde_json::from_value(event.clone()).ok()),
        },
        "condition" => CauseKind::Condition,
        "expired" => CauseKind::Expired(Topic::parse(text("topic")?).ok()?),
        "client" => CauseKind::Client(text("client")?.into()),
        "event" => CauseKind::Event(text("event")?.into()),
        "webhook" => CauseKind::Webhook(text("name")?.into()),
        "rule" => CauseKind::Rule(RuleId::from_text(text("rule")?)),
        "person" => CauseKind::Person,
        _ => return None,
    };
    let depth = answer.get("depth").and_then(Value::as_u64).and_then(|depth| u32::try_from(depth).ok())?;
    let run = answer.get("run").and_then(Value::as_u64).map(RunId);
    let armed = answer.get("armed").and_then(armed_of).map(Box::new);
    Some(Cause { kind, depth, run, armed })
}

fn armed_of(answer: &Value) -> Option<Armed> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let topic = text("topic").and_then(|topic| Topic::parse(topic).ok());
    Some(Armed { at: text("at")?.parse().ok()?, topic, cause: answer.get("cause").and_then(cause_of) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DueEvent;
    use crate::model::Origin;

    #[test]
    fn a_cause_is_read_as_it_was_written() {
        let topic = Topic::parse("home/tv").unwrap();
        let due = Timestamp::from_second(1_717_264_800).unwrap();
        let paper = DueEvent { calendar: "bins".into(), edge: "start".into(), summary: "Paper".into() };
        for kind in [
            CauseKind::Message { sequence: 7, topic, origin: Origin::Live },
            CauseKind::Time { due, late: true, event: None },
            CauseKind::Time { due, late: false, event: Some(Box::new(paper.clone())) },
            CauseKind::Condition,
            CauseKind::Expired(Topic::parse("home/tv").unwrap()),
            CauseKind::Client("tv".into()),
            CauseKind::Event("started".into()),
            CauseKind::Webhook("bell".into()),
            CauseKind::Rule(RuleId::from_text("tv:on")),
            CauseKind::Person,
        ] {
            for run in [None, Some(RunId(3))] {
                let before = Cause { kind: CauseKind::Person, depth: 1, run, armed: None };
                let topic = Topic::parse("home/door").unwrap();
                let armed = [(Some(topic), None), (None, Some(before))];
                let armed = armed.map(|(topic, cause)| Some(Box::new(Armed { at: due, topic, cause })));
                for armed in armed.into_iter().chain([None]) {
                    let written = Cause { kind: kind.clone(), depth: 2, run, armed };
                    assert_eq!(cause_of(&serde_json::to_value(CauseAnswer(&written)).unwrap()), Some(written));
                }
            }
        }
        assert_eq!(cause_of(&serde_json::json!({ "kind": "of tomorrow", "depth": 0 })), None);
    }
}
