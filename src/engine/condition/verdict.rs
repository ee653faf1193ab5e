//! What a condition gives: true, false, unknown or failed, and why.

use crate::engine::{self, Fault, Outcome, WhyFalse};
use crate::model::Topic;
use crate::script::Failure;

/// A condition's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It holds.
    True,
    /// It doesn't; why, unless its values say enough.
    False(Option<Box<WhyFalse>>),
    /// It can't be told: this topic never had a value.
    Unknown(Topic),
    /// It couldn't be evaluated.
    Failed(Failure),
}

impl Verdict {
    /// Returns whether it is true, where only yes or no is asked.
    pub(crate) fn holds(&self) -> bool {
        *self == Verdict::True
    }

    /// Returns it as a trace keeps it.
    pub(crate) fn traced(&self) -> engine::Verdict {
        match self {
            Verdict::True => engine::Verdict::True,
            Verdict::False(why) => engine::Verdict::False(why.clone()),
            Verdict::Unknown(topic) => engine::Verdict::Unknown(topic.clone()),
            Verdict::Failed(failure) => engine::Verdict::Failed(Box::new(Fault::from(failure))),
        }
    }
}

impl Outcome {
    /// Returns how a run ends that a failure ends.
    pub(crate) fn of_failure(failure: &Failure) -> Outcome {
        Outcome::Failed(Fault::from(failure))
    }
}
