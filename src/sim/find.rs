//! When a condition held, in what was recorded.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{Cause, CauseKind, Options, Outcome, Trace};
use crate::model::recording::Recorded;
use crate::model::{Message, RuleId};
use crate::rules::Ruleset;

use super::replay::Replay;

/// A time in which a condition held.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: it still held at the end.
    pub to: Option<Timestamp>,
    /// The message that it began with; `None`: time made it true, or it was true from the beginning.
    pub message: Option<Message>,
}

/// A search for the times in which a `while` rule's condition held.
pub struct Find {
    replay: Replay,
    rule: RuleId,
    /// The message that was fed last.
    last: Option<Message>,
    spans: Vec<Span>,
}

impl Find {
    /// Returns a search among what is fed, for when the condition of `rule` held, which is one of `rules`: a `while` without
    /// actions.
    #[must_use]
    pub fn new(rules: Ruleset, options: Options, rule: RuleId) -> Find {
        Find { replay: Replay::new(rules, options), rule, last: None, spans: Vec::new() }
    }

    /// Takes the next message.
    pub fn feed(&mut self, recorded: Recorded) {
        self.last = Some(recorded.message.clone());
        self.replay.feed(recorded);
        self.note();
    }

    /// Returns the first time in which it held, as far as is known by now.
    #[must_use]
    pub fn first(&self) -> Option<&Span> {
        self.spans.first()
    }

    /// Lets time pass up to the last message's, and returns when the condition held.
    #[must_use]
    pub fn end(mut self, last: Timestamp) -> Vec<Span> {
        self.replay.end(last);
        self.note();
        self.spans
    }

    fn note(&mut self) {
        let traces = self.replay.take_traces();
        let published = self.replay.published();
        for trace in traces.iter().filter(|trace| trace.rule == self.rule) {
            if !began(trace) {
                if let Some(span) = self.spans.last_mut().filter(|span| span.to.is_none()) {
                    span.to = Some(trace.at);
                }
                continue;
            }
            let topic = topic_of(&trace.cause);
            let own = published.iter().map(|published| &published.publication.message);
            let mut messages = self.last.iter().chain(own);
            let message = messages.find(|message| topic == Some(message.topic.as_str())).cloned();
            self.spans.push(Span { from: trace.at, to: None, message });
        }
    }
}

/// Returns whether the condition became true; else false.
fn began(trace: &Arc<Trace>) -> bool {
    trace.outcome == Outcome::Finished
}

fn topic_of(cause: &Cause) -> Option<&str> {
    match &cause.kind {
        CauseKind::Message { topic, .. } => Some(topic.as_str()),
        _ => None,
    }
}
