//! A replay: a recording fed to a home's rules at its own times, message by message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{InvariantNews, Options, Outcome, Trace};
use crate::lang::test_file::Answers;
use crate::model::recording::Recorded;
use crate::model::{Message, Origin, RuleId, Topic};
use crate::rules::Ruleset;

use super::home::{Published, VirtualHome};

/// How many retained messages may come before the home starts. More are no home's.
const MOST_GIVEN: usize = 100_000;

/// Of how many topics it is noted that they are in the recording, or that rules published to them.
const MOST_TOPICS: usize = 100_000;

/// A recording that is fed to a home.
pub struct Replay {
    rules: Ruleset,
    options: Options,
    /// What the broker keeps when the home starts: the retained messages that the recording begins with.
    given: Vec<Message>,
    answers: Answers,
    begin: Option<Timestamp>,
    home: Option<VirtualHome>,
    /// Topics of messages that may have been a rule's.
    foreign: BTreeSet<Topic>,
    /// Topics that rules published to.
    published: BTreeSet<Topic>,
    failures: BTreeMap<RuleId, Failures>,
    /// What became of invariants, since that was last asked.
    invariants: Vec<Arc<InvariantNews>>,
}

/// The runs of a rule that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// When the first did.
    pub at: Timestamp,
    /// Why the first did.
    pub reason: String,
    /// How many did.
    pub count: u64,
}

impl Replay {
    /// Returns a replay to a home with these rules. It starts with the first message.
    #[must_use]
    pub fn new(rules: Ruleset, options: Options) -> Replay {
        Replay {
            rules,
            options,
            given: Vec::new(),
            answers: Answers::default(),
            begin: None,
            home: None,
            foreign: BTreeSet::new(),
            published: BTreeSet::new(),
            failures: BTreeMap::new(),
            invariants: Vec::new(),
        }
    }

    /// Says how the home begins: at `begin` instead of with the first message, with `given` as what the broker keeps
    /// already, and `answers` to what rules ask of the outside.
    #[must_use]
    pub fn beginning(self, begin: Option<Timestamp>, given: Vec<Message>, answers: Answers) -> Replay {
        Replay { given, answers, begin, ..self }
    }

    /// Lets the home begin at `begin`, if no message was fed yet.
    pub fn begin_at(&mut self, begin: Timestamp) {
        self.begin.get_or_insert(begin);
    }

    /// Feeds a message, after what was due before it. What our own rules published is left out: they do so again.
    pub fn feed(&mut self, recorded: Recorded) {
        let Recorded { at, message, is_foreign, .. } = recorded;
        let begin = *self.begin.get_or_insert(at);
        if message.origin == Origin::Own {
            return;
        }
        if is_foreign && self.foreign.len() < MOST_TOPICS && !self.foreign.contains(&message.topic) {
            self.foreign.insert(message.topic.clone());
        }
        let is_retained = message.origin != Origin::Live;
        if self.home.is_none() && is_retained && self.given.len() < MOST_GIVEN {
            self.given.push(message);
            return;
        }
        let home = self.start(begin);
        home.advance(at);
        let origin = if is_retained { Origin::Retained } else { Origin::Live };
        home.publish(Message { origin, ..message });
    }

    /// Returns what rules published since this was last asked.
    pub fn published(&mut self) -> Vec<Published> {
        let Some(home) = &mut self.home else { return Vec::new() };
        for trace in &home.traces {
            note_failure(&mut self.failures, trace);
        }
        self.invariants.append(&mut home.invariants);
        let published = home.take_published();
        for Published { publication, .. } in &published {
            let topic = &publication.message.topic;
            if self.published.len() < MOST_TOPICS && !self.published.contains(topic) {
                self.published.insert(topic.clone());
            }
        }
        published
    }

    /// Returns what became of invariants since this was last asked, up to when [`Replay::published`] was.
    pub fn take_invariants(&mut self) -> Vec<Arc<InvariantNews>> {
        std::mem::take(&mut self.invariants)
    }

    /// Returns the traces of runs that ended and of rules that didn't run, since [`Replay::published`] was last asked.
    pub(in crate::sim) fn take_traces(&mut self) -> Vec<Arc<Trace>> {
        let Some(home) = &mut self.home else { return Vec::new() };
        for trace in &home.traces {
            note_failure(&mut self.failures, trace);
        }
        std::mem::take(&mut home.traces)
    }

    /// Lets time pass up to `until`, the last message's time.
    pub fn end(&mut self, until: Timestamp) {
        let begin = self.begin.unwrap_or(until);
        self.start(begin).advance(until);
    }

    /// Returns whose runs failed, of those that ended before [`Replay::published`] was last asked.
    #[must_use]
    pub fn failures(&self) -> &BTreeMap<RuleId, Failures> {
        &self.failures
    }

    /// Returns the topics that are in the recording without a word of who published to them.
    #[must_use]
    pub fn foreign(&self) -> &BTreeSet<Topic> {
        &self.foreign
    }

    /// Returns the topics that rules published to, and that are in the recording as well, which doesn't say by whom.
    #[must_use]
    pub fn doubtful(&self) -> BTreeSet<&Topic> {
        self.foreign.intersection(&self.published).collect()
    }

    /// Returns the home, to go on with it after the last message, `until`.
    #[must_use]
    pub fn into_home(mut self, until: Timestamp) -> VirtualHome {
        self.end(until);
        let Replay { rules, options, home, answers, .. } = self;
        home.unwrap_or_else(|| VirtualHome::start(until, rules, options, [], answers))
    }

    fn start(&mut self, begin: Timestamp) -> &mut VirtualHome {
        let (rules, options) = (&self.rules, &self.options);
        let (given, answers) = (&mut self.given, &mut self.answers);
        self.home.get_or_insert_with(|| {
            VirtualHome::start(begin, rules.clone(), options.clone(), std::mem::take(given), std::mem::take(answers))
        })
    }
}

fn note_failure(failures: &mut BTreeMap<RuleId, Failures>, trace: &Trace) {
    let Outcome::Failed(reason) = &trace.outcome else { return };
    let first = || Failures { at: trace.ended_at, reason: reason.to_string(), count: 0 };
    failures.entry(trace.rule.clone()).or_insert_with(first).count += 1;
}
