//! What a condition gives: true, false, unknown or failed, and why.

use crate::engine::trace::{Fault, Outcome, Verdict, WhyFalse, WhyUnknown};
use crate::model::Topic;
use crate::script::Failure;

/// A condition's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// It holds.
    True,
    /// It doesn't; why, unless its values say enough.
    False(Option<Box<WhyFalse>>),
    /// It's unknown, and why.
    Unknown(Box<WhyUnknown>),
    /// It couldn't be evaluated.
    Failed(Failure),
}

impl Judgement {
    /// Returns whether it is true, where only yes or no is asked.
    pub(crate) fn holds(&self) -> bool {
        *self == Judgement::True
    }

    /// Unknown: `topic` never had a value.
    pub(crate) fn no_value_yet(topic: Topic) -> Judgement {
        Judgement::Unknown(Box::new(WhyUnknown::NoValueYet(topic)))
    }

    /// Returns it as a trace keeps it.
    pub(crate) fn traced(&self) -> Verdict {
        match self {
            Judgement::True => Verdict::True,
            Judgement::False(why) => Verdict::False(why.clone()),
            Judgement::Unknown(why) => Verdict::Unknown(why.clone()),
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
