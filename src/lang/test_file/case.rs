//! A test: what is there before, what happens, and what is expected.

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::DateTime;

use crate::model::{Message, Name, Origin, Payload, Place, Qos, Topic, TopicFilter, Value};

use super::{Answers, Obeying, Step};

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its name.
    pub name: Arc<str>,
    /// Where its name stands.
    pub place: Place,
    /// The local time at which the home starts; `None`: at the first message of the recording that is played, without
    /// one at [`TestCase::DEFAULT_START`].
    pub at: Option<DateTime>,
    /// The retained messages that are there before the start, in the order of the file.
    pub given: Vec<(Topic, Payload)>,
    /// What happens and what is expected, in order.
    pub steps: Vec<Step>,
    /// Whether publications that nothing expected fail the test at its end.
    pub strict: bool,
    /// Topics that no expectation sees.
    pub ignore: Vec<TopicFilter>,
    /// What the outside answers to `http` and `exec`.
    pub answers: Answers,
    /// Which devices do what they are told; `None`: as the file says.
    pub obeying: Option<Obeying>,
    /// What inputs are at the start.
    pub given_inputs: Vec<(Name, Value)>,
    /// The recording that is played before the steps.
    pub recorded: Option<Recorded>,
    /// The invariants that it breaks, as it names them, and where.
    pub breaks: Vec<(Arc<str>, Place)>,
}

impl TestCase {
    /// The local time at which a test's home starts unless it says another.
    pub const DEFAULT_START: DateTime = DateTime::constant(2024, 1, 1, 12, 0, 0, 0);

    /// Returns the retained messages that are there before the start.
    pub fn retained(&self) -> impl Iterator<Item = Message> {
        self.given.iter().cloned().map(|(topic, payload)| Message {
            topic,
            payload,
            qos: Qos::default(),
            retain: true,
            origin: Origin::Retained,
            expires_at: None,
        })
    }
}

/// A recording, and what the rules published when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The recording.
    pub replay: WrittenPath,
    /// The publications that were accepted.
    pub snapshot: Option<WrittenPath>,
}

/// A path that a test file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPath {
    /// The path, relative to the home.
    pub path: Arc<str>,
    /// Where the test file says so.
    pub place: Place,
    /// The bytes of the test file that say so.
    pub span: Range<usize>,
}
