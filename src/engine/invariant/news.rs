//! What an invariant has to say: that it was armed, that it's broken and by what, that it holds again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::trace::{Cause, Step};
use crate::model::{RuleId, Topic, format_duration};

/// What an invariant has to say.
#[derive(Debug, Clone, PartialEq)]
pub struct InvariantNews {
    /// Which one.
    pub invariant: RuleId,
    /// When it became so.
    pub at: Timestamp,
    /// What.
    pub change: InvariantChange,
    /// What the wildcards of its trigger matched.
    pub captures: Vec<Arc<str>>,
    /// What led to it.
    pub cause: Cause,
    /// How its condition was judged.
    pub steps: Vec<Step>,
}

/// What became of an invariant.
#[derive(Debug, Clone, PartialEq)]
pub enum InvariantChange {
    /// For the first time since the start there is something to judge.
    Armed,
    /// It's broken.
    Broken(Breach),
    /// It holds again.
    Held,
    /// It couldn't be judged; why.
    Failed(String),
}

/// How an invariant was broken.
#[derive(Debug, Clone, PartialEq)]
pub enum Breach {
    /// What must not be true is.
    True {
        /// Since when.
        since: Timestamp,
        /// How long it may be.
        hold: Duration,
    },
    /// What must follow didn't in time.
    NotInTime {
        /// Since when it was waited for.
        since: Timestamp,
        /// How long it may take.
        within: Duration,
    },
    /// What followed didn't last.
    NotThroughout {
        /// Since when it had been so.
        since: Timestamp,
        /// How long it must last.
        throughout: Duration,
    },
    /// Something was published that must not be.
    Published(Topic),
    /// Something happened too often.
    TooOften {
        /// How often it may.
        most: usize,
        /// In what time.
        within: Duration,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::True { hold, .. } if hold.is_zero() => write!(f, "what must never be so is so"),
            Breach::True { hold, .. } => {
                write!(f, "what must never be so for longer than {} has been so", format_duration(*hold))
            }
            Breach::NotInTime { within, .. } => {
                write!(f, "what must follow within {} didn't", format_duration(*within))
            }
            Breach::NotThroughout { throughout, .. } => {
                write!(f, "what must hold for {} didn't last that long", format_duration(*throughout))
            }
            Breach::Published(topic) => write!(f, "`{topic}` was published though `only_if` doesn't hold"),
            Breach::TooOften { most, within } => {
                write!(f, "it happened more than {most} times in {}", format_duration(*within))
            }
        }
    }
}
