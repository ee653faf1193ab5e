//! What is known of the topics of a home: what tests, recordings and devices have said on them.

mod devices;
mod domain;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::devices::{DeviceSettings, Registry};
use crate::lang::test_file::{PublishStep, StepKind, TestCase, TestFile};
use crate::model::{Message, Origin, Payload, Topic, Value, ValuePath};

pub use domain::Domain;

use super::Pattern;

/// How many distinct payloads of a topic are kept.
const MOST_PAYLOADS: usize = 64;

/// How many samples of a topic are kept, with their times.
const MOST_SAMPLES: usize = 5000;

/// How many topics are kept.
const MOST_TOPICS: usize = 20_000;

/// What is known of the topics of a home.
#[derive(Debug, Default)]
pub struct Known {
    topics: BTreeMap<Topic, Heard>,
    /// The devices that have told of themselves.
    pub devices: Registry,
    /// The topics of devices whose names have wildcards.
    patterns: Vec<Pattern>,
    /// The topics that devices listen on, with those that they answer on.
    commands: BTreeMap<Topic, Topic>,
    /// What topics of devices begin with, where all such devices are known.
    whole: BTreeSet<String>,
}

/// What was heard on a topic.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The distinct payloads, in the order in which they came.
    pub payloads: Vec<Payload>,
    /// Who spoke.
    pub by: BTreeSet<Spoken>,
    /// Whether a message was to be kept by the broker.
    pub is_retained: bool,
    /// Whether it said the same twice, and nothing else in between.
    pub repeats: bool,
    /// What was recorded, with its times.
    pub samples: Vec<(Timestamp, Payload)>,
    /// What a device says it may say, by the path in the payload.
    pub domains: BTreeMap<String, Domain>,
}

/// Who spoke on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spoken {
    /// A test.
    Test,
    /// A recording, or the daemon's recorder.
    Recording,
    /// A device that is known.
    Device,
}

impl Known {
    /// Returns what is known before anybody has spoken: the devices that these settings tell of.
    #[must_use]
    pub fn new(settings: DeviceSettings) -> Known {
        Known { devices: Registry::new(settings), ..Known::default() }
    }

    /// Adds what the tests of a file let devices say.
    pub fn note_tests(&mut self, file: &TestFile) {
        for test in &file.tests {
            self.note_repeats(test);
            for (topic, payload) in &test.given {
                self.note(topic, payload, Spoken::Test, true);
            }
            for step in &test.steps {
                match &step.kind {
                    StepKind::Publish(publish) => self.note_publish(publish),
                    StepKind::Restart(restart) => {
                        for publish in &restart.meanwhile {
                            self.note_publish(publish);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Notes which topics say the same twice in a test.
    fn note_repeats(&mut self, test: &TestCase) {
        let mut last: BTreeMap<&Topic, &Payload> = BTreeMap::new();
        for step in &test.steps {
            let StepKind::Publish(publish) = &step.kind else { continue };
            for (_, payload) in &publish.payloads {
                if last.insert(&publish.topic, payload) == Some(payload) {
                    self.topics.entry(publish.topic.clone()).or_default().repeats = true;
                }
            }
        }
    }

    fn note_publish(&mut self, publish: &PublishStep) {
        for (_, payload) in &publish.payloads {
            self.note(&publish.topic, payload, Spoken::Test, publish.retain);
        }
    }

    /// Adds a message that was recorded; what rules published is none of a device.
    pub fn note_recorded(&mut self, at: Timestamp, message: &Message) {
        if message.origin == Origin::Own {
            return;
        }
        self.note(&message.topic, &message.payload, Spoken::Recording, message.retain);
        if let Some(heard) = self.topics.get_mut(&message.topic)
            && heard.samples.len() < MOST_SAMPLES
        {
            heard.repeats |= heard.samples.last().is_some_and(|(_, last)| *last == message.payload);
            heard.samples.push((at, message.payload.clone()));
        }
    }

    fn note(&mut self, topic: &Topic, payload: &Payload, by: Spoken, is_retained: bool) {
        if self.topics.len() >= MOST_TOPICS && !self.topics.contains_key(topic) {
            return;
        }
        let heard = self.topics.entry(topic.clone()).or_default();
        heard.by.insert(by);
        heard.is_retained |= is_retained;
        if heard.payloads.len() < MOST_PAYLOADS && !heard.payloads.contains(payload) {
            heard.payloads.push(payload.clone());
        }
    }

    /// Returns what is known of `topic`.
    #[must_use]
    pub fn topic(&self, topic: &Topic) -> Option<&Heard> {
        self.topics.get(topic)
    }

    /// Returns all topics on which somebody spoke.
    pub fn topics(&self) -> impl Iterator<Item = (&Topic, &Heard)> + Clone {
        self.topics.iter()
    }

    /// Returns the topics that fit `pattern`.
    pub fn matching<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = (&'a Topic, &'a Heard)> {
        self.topics.iter().filter(|(topic, _)| pattern.matches(topic))
    }

    /// Returns whether anybody speaks on a topic of `pattern`.
    #[must_use]
    pub fn speaks(&self, pattern: &Pattern) -> bool {
        self.matching(pattern).next().is_some() || self.patterns.iter().any(|known| known.meets(pattern))
    }

    /// Returns whether all devices whose topics begin like `topic` are known.
    #[must_use]
    pub fn is_whole(&self, topic: &Topic) -> bool {
        self.whole
            .iter()
            .any(|base| topic.as_str().strip_prefix(base.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Returns the topic on which a device answers that listens on `topic`, where a device says so.
    #[must_use]
    pub fn answers_on(&self, topic: &Topic) -> Option<&Topic> {
        self.commands.get(topic)
    }

    /// Returns the topic on which a device listens that speaks on `topic`, where a device says so.
    #[must_use]
    pub fn listens_on(&self, topic: &Topic) -> Option<&Topic> {
        self.commands.iter().find(|(_, state)| *state == topic).map(|(command, _)| command)
    }

    /// Returns whether a device says that it listens on `topic`.
    #[must_use]
    pub fn is_command(&self, topic: &Topic) -> bool {
        self.commands.contains_key(topic)
    }
}

impl Heard {
    /// Returns the distinct values at `path`, `()` left out.
    #[must_use]
    pub fn values(&self, path: &ValuePath) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        for payload in &self.payloads {
            if let Some(value) = payload.value().at(path).filter(|value| !value.is_null())
                && !found.contains(value)
            {
                found.push(value.clone());
            }
        }
        found
    }
}
