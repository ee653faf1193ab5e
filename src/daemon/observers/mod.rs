//! Whoever looks on: the screen, listeners over the web, the recorder, and what is remembered for questions.
//!
//! [`Observers`] is told in one place what happens, and tells each of them. None of them decides anything.

pub(super) mod broadcast;
pub(super) mod heard;
pub(super) mod rule_topics;
pub(super) mod screen;
pub(super) mod shown;
pub(super) mod traces;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::engine::{InvariantChange, InvariantNews, Outcome, Publication, Trace};
use crate::explain::{LocalTime, Speaker};
use crate::lang::Settings;
use crate::model::{Message, States, Topic};

use super::recorder::Recorder;
use broadcast::Broadcast;
use heard::{Heard, Spoke};
use rule_topics::RuleTopics;
use screen::Screen;
use shown::Shown;
use traces::Traces;

/// All that look on.
pub(super) struct Observers {
    pub(super) screen: Screen,
    pub(super) recorder: Recorder,
    pub(super) broadcast: Broadcast,
    pub(super) heard: Heard,
    pub(super) traces: Traces,
    pub(super) rule_topics: RuleTopics,
    pub(super) counters: Counters,
    pub(super) shown: Shown,
}

/// What has been counted since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    /// Messages that clients published.
    pub(super) received: u64,
    /// Messages that rules published.
    pub(super) published: u64,
    /// Runs that ended.
    pub(super) runs: u64,
    /// Runs that failed.
    pub(super) failed_runs: u64,
    /// How often an invariant was broken.
    pub(super) broken_invariants: u64,
    /// The longest time that a question held up the loop.
    pub(super) longest_question: Duration,
}

impl Observers {
    /// Returns those of a home with these settings, from `now` on.
    pub(super) fn new(
        settings: &Settings,
        screen: Screen,
        recorder: Recorder,
        shown: Shown,
        now: Timestamp,
    ) -> Observers {
        Observers {
            screen,
            recorder,
            broadcast: Broadcast::new(now),
            heard: Heard::new(settings.memory_of_messages(), now),
            traces: Traces::new(settings.memory_of_traces()),
            rule_topics: RuleTopics::default(),
            counters: Counters::default(),
            shown,
        }
    }

    /// From now on does as `settings` say.
    pub(super) fn change(&mut self, settings: &Settings, states: &States) {
        self.recorder.change(settings.recorder.clone(), states, &self.shown);
        self.traces.resize(settings.memory_of_traces());
        self.heard.resize(settings.memory_of_messages());
    }

    /// A client published `message`.
    pub(super) fn message(&mut self, now: Timestamp, message: &Message, client: Option<&Arc<str>>) {
        self.counters.received += 1;
        let message = &*self.shown.of(message);
        self.screen.message(now, message, client.map(AsRef::as_ref));
        self.broadcast.message(now, message, client.map(AsRef::as_ref));
        self.heard.message(now, message, client);
        self.recorder.message(now, message, client);
    }

    /// An input told its value: whoever set it just now said so.
    pub(super) fn told(&mut self, now: Timestamp, message: &Message) {
        let set = format!("{}/set", message.topic);
        let spoke = Topic::parse(&set).ok().and_then(|set| self.heard.spoke_last(&set).cloned());
        if let Some(Spoke { at, speaker: Speaker::Client(client) }) = spoke
            && at == now
        {
            self.heard.message(now, &self.shown.of(message), client.as_ref());
        }
    }

    /// A rule published.
    pub(super) fn publication(&mut self, now: Timestamp, mut publication: Publication) {
        self.counters.published += 1;
        if let Cow::Owned(shown) = self.shown.of(&publication.message) {
            publication.message = shown;
        }
        self.screen.publication(now, &publication.message, &publication.rule);
        self.broadcast.publication(now, &publication.message, &publication.rule);
        self.heard.publication(now, &publication);
        self.recorder.publication(now, publication);
    }

    /// Something became of an invariant.
    pub(super) fn invariant(&mut self, news: &InvariantNews) {
        if let InvariantChange::Broken(_) = news.change {
            self.counters.broken_invariants += 1;
        }
    }

    /// A run ended, or a rule didn't run.
    pub(super) fn trace(&mut self, now: Timestamp, trace: Arc<Trace>, zone: &TimeZone) {
        self.counters.count(&trace.outcome);
        self.rule_topics.note(&trace);
        self.screen.run(now, &trace);
        self.broadcast.trace(now, &trace, || LocalTime::new(zone.clone()));
        self.traces.push(trace);
    }
}

impl Counters {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Skipped(_) | Outcome::Running => return,
            Outcome::Failed(_) => self.failed_runs += 1,
            Outcome::Finished | Outcome::Stopped(_) | Outcome::Cancelled(_) => {}
        }
        self.runs += 1;
    }
}
