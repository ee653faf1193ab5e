//! How a condition was judged, with what decided.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Topic, Value};
use crate::rules::Wanted;

use super::Fault;

/// How a condition was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It's true.
    True,
    /// It's false; with the reason, unless its values say enough.
    False(Option<Box<WhyFalse>>),
    /// It's unknown.
    Unknown(Box<WhyUnknown>),
    /// It couldn't be judged.
    Failed(Box<Fault>),
}

impl Verdict {
    /// Returns the verdict's word: `true`, `false`, `unknown` or `failed`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::False(_) => "false",
            Verdict::Unknown(_) => "unknown",
            Verdict::Failed(_) => "failed",
        }
    }
}

/// Why a condition is unknown. A topic stands for itself, as in traces that older versions kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WhyUnknown {
    /// This topic never had a value.
    NoValueYet(Topic),
    /// A range was asked for, and the value isn't a number.
    NoNumber {
        /// The topic.
        topic: Topic,
        /// The path in its payload; `None`: the whole.
        field: Option<Arc<str>>,
        /// What it is; null where there is none.
        value: Value,
    },
    /// A range was asked for, and the payload was too large to keep.
    TooLarge {
        /// The topic.
        topic: Topic,
        /// How many bytes it had.
        bytes: usize,
    },
}

/// Why a condition is false.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyFalse {
    /// Its expression gave `()`.
    GaveNothing,
    /// The time of day is outside this window, as its rule writes it: `after 22:00, on mon`.
    OutsideWindow(Arc<str>),
    /// The sun is up, or down.
    Sun {
        /// Which of both.
        is_up: bool,
    },
    /// The topic has no value there now.
    NoValue {
        /// The topic.
        topic: Topic,
        /// The path in its payload; `None`: the whole.
        field: Option<Arc<str>>,
    },
    /// The payload was too large to keep.
    TooLarge {
        /// The topic.
        topic: Topic,
        /// How many bytes it had.
        bytes: usize,
    },
    /// The value isn't what is asked for.
    OtherValue {
        /// The topic.
        topic: Topic,
        /// The path in its payload; `None`: the whole.
        field: Option<Arc<str>>,
        /// What it is.
        value: Value,
        /// What it should be.
        wanted: Wanted,
    },
    /// The value is what is asked for, but hasn't been for long enough.
    TooShort {
        /// The topic.
        topic: Topic,
        /// Since when it has been.
        since: Timestamp,
        /// Until when it must be.
        due: Timestamp,
    },
    /// In words: of a trace that an older version kept.
    Words(Arc<str>),
}
