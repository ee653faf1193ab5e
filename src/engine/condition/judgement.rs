//! What a condition gives: true, false, unknown or failed, and why.

use crate::engine::trace::{Fault, Outcome, Verdict, WhyFalse};
use crate::model::Topic;
use crate::script::Failure;

/// A condition's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// It holds.
    True,
    /// It doesn't; why, unless its values say enough.
    False(Option<Box<WhyFalse>>),
    /// Unknown: this topic never had a value.
    Unknown(Topic),
    /// It couldn't be evaluated.
    Failed(Failure),
}

impl Judgement {
    /// Returns whether it is true, where only yes or no is asked.
    pub(crate) fn holds(&self) -> bool {
        *self == Judgement::True
    }

    /// Returns it as a trace keeps it.
    pub(crate) fn traced(&self) -> Verdict {
        match self {
            Judgement::True => Verdict::True,
            Judgement::False(why) => Verdict::False(why.clone()),
            Judgement::Unknown(topic) => Verdict::Unknown(topic.clone()),
            Judgement::Failed(failure) => Verdict::Failed(Box::new(Fault::from(failure))),
        }
    }
}

impl Outcome {
    /// Returns how a run ends that a failure ends.
    pub(crate) fn of_failure(failure: &Failure) -> Outcome {
        Outcome::Failed(Fault::from(failure))
    }
}
