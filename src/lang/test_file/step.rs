//! A step of a test.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Payload, Place, Qos, Topic};

use super::{DeviceSays, Expectation, ExpectedTime, InputStep, RuleSelection};

/// A step of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happens or is expected.
    pub kind: StepKind,
    /// Where it stands.
    pub place: Place,
}

/// The kinds of steps.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// A device speaks.
    Publish(PublishStep),
    /// Time passes.
    After(Duration),
    /// Time passes up to this.
    Until(ExpectedTime),
    /// The daemon stops, is down, and starts again.
    Restart(Restart),
    /// From here on these rules are in force.
    Reload(Vec<RuleSelection>),
    /// An MQTT client connects (true) or goes (false).
    Client {
        /// Its id.
        id: Arc<str>,
        /// Which of both.
        is_connected: bool,
    },
    /// A POST comes to `/hook/NAME`.
    Webhook {
        /// The hook's name.
        name: Arc<str>,
        /// The bytes of the test file that name it.
        span: Range<usize>,
        /// What is posted.
        body: Payload,
    },
    /// A device says something.
    Device(DeviceSays),
    /// Somebody sets inputs.
    Input(InputStep),
    /// Somebody ends the override of a rule.
    Resume(Arc<str>),
    /// Something is expected.
    Expect(Expectation),
}

impl StepKind {
    /// Returns the step's word, as a test writes it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            StepKind::Publish(_) => "publish",
            StepKind::After(_) => "after",
            StepKind::Until(_) => "until",
            StepKind::Restart(_) => "restart",
            StepKind::Reload(_) => "reload",
            StepKind::Client { .. } => "client",
            StepKind::Webhook { .. } => "webhook",
            StepKind::Device(_) => "device",
            StepKind::Input(_) => "input",
            StepKind::Resume(_) => "resume",
            StepKind::Expect(expectation) => expectation.word(),
        }
    }

    pub(super) fn reload(&self) -> Option<&[RuleSelection]> {
        match self {
            StepKind::Reload(selection) => Some(selection),
            StepKind::Publish(_)
            | StepKind::After(_)
            | StepKind::Until(_)
            | StepKind::Restart(_)
            | StepKind::Client { .. }
            | StepKind::Webhook { .. }
            | StepKind::Device(_)
            | StepKind::Input(_)
            | StepKind::Resume(_)
            | StepKind::Expect(_) => None,
        }
    }
}

/// A device speaks: once, or again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishStep {
    /// The topic.
    pub topic: Topic,
    /// The payloads, each with its time after the step's begin, in order.
    pub payloads: Vec<(Duration, Payload)>,
    /// How surely they are delivered.
    pub qos: Qos,
    /// Whether the broker keeps them.
    pub retain: bool,
}

/// The daemon stops, is down, and starts again.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    /// How long it is down.
    pub down: Duration,
    /// What devices publish meanwhile. Only what is retained is there at the start.
    pub meanwhile: Vec<PublishStep>,
    /// Whether it is killed: then rules don't hear that it stops.
    pub is_killed: bool,
}
