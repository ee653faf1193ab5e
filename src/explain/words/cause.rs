//! What led to a run, in words.

use jiff::Timestamp;

use crate::engine::{Cause, CauseKind, DueEvent};
use crate::model::{format_duration, spoken};

use super::LocalTime;
use super::progress::elapsed;

/// Returns the cause as a step of a trace tells it at `now`: `home/tv (live)`, `home/door (live), 3m earlier`,
/// `due at 2024-06-01 07:30:00`, `the rule tv:night`.
pub(super) fn cause_of_step(cause: &Cause, now: Timestamp, time: &LocalTime) -> String {
    match &cause.kind {
        CauseKind::Message { topic, origin, .. } => {
            let (topic, origin) = (spoken(topic.as_str()), origin.as_str());
            match &cause.armed {
                None => format!("{topic} ({origin})"),
                Some(armed) => format!("{topic} ({origin}), {} earlier", format_duration(elapsed(armed.at, now))),
            }
        }
        CauseKind::Time { due, late, event } => {
            let event = event.as_ref().map(|event| format!("{}, ", due_event(event))).unwrap_or_default();
            let after = cause.armed.as_ref().map_or(String::new(), |armed| {
                let began = if cause.run.is_some() { "it was set" } else { "it began" };
                let what = armed.topic.as_ref().map_or(began.into(), |topic| spoken(topic.as_str()));
                format!(", {} after {what}", format_duration(elapsed(armed.at, *due)))
            });
            format!("{event}due at {}{}{after}", time.text(*due), if *late { ", late" } else { "" })
        }
        CauseKind::Condition => "its condition changed".to_owned(),
        CauseKind::Expired(topic) => format!("{topic} expired"),
        CauseKind::Client(client) => format!("the client {client}"),
        CauseKind::Event(event) => format!("the event {event}"),
        CauseKind::Webhook(name) => format!("the webhook {name}"),
        CauseKind::Rule(rule) => format!("the rule {rule}"),
        CauseKind::Person => "a person".to_owned(),
    }
}

/// Returns the cause in short, as it follows "by": `` `home/tv` ``, `the time 07:30:00`.
#[must_use]
pub fn cause_in_short(cause: &Cause, time: &LocalTime) -> String {
    match &cause.kind {
        CauseKind::Message { topic, .. } => format!("`{}`", spoken(topic.as_str())),
        CauseKind::Time { due, late, event } => {
            let at = format!("{}{}", time.text(*due), if *late { ", late" } else { "" });
            match event {
                Some(event) => format!("{} at {at}", due_event(event)),
                None => format!("the time {at}"),
            }
        }
        CauseKind::Condition => "its `while`".to_owned(),
        CauseKind::Expired(topic) => format!("`{topic}`, which expired"),
        CauseKind::Client(id) => format!("the client `{id}`"),
        CauseKind::Event(word) => format!("the event `{word}`"),
        CauseKind::Webhook(name) => format!("the webhook `{name}`"),
        CauseKind::Rule(rule) => format!("`run` of {rule}"),
        CauseKind::Person => "a person".to_owned(),
    }
}

/// Returns which event of a calendar it is: ``the start of `Paper` in the calendar `bins` ``.
fn due_event(event: &DueEvent) -> String {
    format!("the {} of `{}` in the calendar `{}`", event.edge, event.summary, event.calendar)
}
