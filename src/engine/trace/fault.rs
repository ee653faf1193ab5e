//! What made a run fail.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Place, RuleId, Topic};
use crate::script::Failure;

/// What made a run, an action or a condition fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Something couldn't be evaluated or done.
    Error {
        /// What went wrong, as the error says it.
        message: String,
        /// Where, if some text of the user's is to blame.
        place: Option<Place>,
        /// The line of the script in which it happened.
        line: Option<String>,
    },
    /// Rules set each other off.
    Loop(Loop),
    /// There was no room for another run.
    NoRoom(NoRoom),
}

/// Why there was no room for another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoRoom {
    /// What had been used up.
    pub of: Room,
    /// How many runs went on in it.
    pub runs: usize,
    /// How many the settings allow in all.
    pub most: usize,
    /// The rule with the most runs; all that an `each` has made are one rule.
    pub fullest: RuleId,
    /// How many runs it had.
    pub of_fullest: usize,
}

/// The parts of the room for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    /// What one rule may use.
    Rule,
    /// What rules that have a run already share; the rest is for those that have none.
    Shared,
    /// All there is.
    All,
}

/// How rules set each other off until they were stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Messages of rules triggered it too often.
    Storm {
        /// How often they may.
        most: usize,
        /// Within how many seconds.
        seconds: u64,
    },
    /// It ran too often, whatever set it off.
    Rate {
        /// How often it may.
        most: usize,
        /// Within how many seconds.
        seconds: u64,
    },
    /// Publications followed one another; the next isn't sent.
    Chain {
        /// How many may.
        most: u32,
        /// Where the next would have gone.
        topic: Topic,
    },
    /// Failures and publications followed one another.
    Failures {
        /// How many may.
        most: u32,
    },
    /// Rules changed what it reads again and again.
    Circle {
        /// How often they may.
        most: u32,
    },
}

impl Fault {
    /// Returns about how many bytes its texts take.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Fault::Error { message, line, .. } => message.len() + line.as_ref().map_or(0, String::len),
            Fault::Loop(_) => 0,
            Fault::NoRoom(found) => found.fullest.as_str().len(),
        }
    }
}

impl From<&Failure> for Fault {
    fn from(failure: &Failure) -> Fault {
        Fault::Error { message: failure.message.clone(), place: failure.place.clone(), line: failure.line.clone() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Error { message, place: Some(place), line: Some(line) } => {
                write!(f, "{place}: {message} (`{line}`)")
            }
            Fault::Error { message, place: Some(place), line: None } => write!(f, "{place}: {message}"),
            Fault::Error { message, place: None, .. } => f.write_str(message),
            Fault::Loop(found) => found.fmt(f),
            Fault::NoRoom(found) => found.fmt(f),
        }
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NoRoom { of, runs, most, fullest, of_fullest } = self;
        match of {
            Room::Rule => write!(
                f,
                "`{fullest}` has {runs} runs at once already: one rule may have half of the {most} that `limits: runs` \
                 in homerule.yaml allows"
            ),
            Room::Shared => write!(
                f,
                "{runs} runs go on at once already, {of_fullest} of them of `{fullest}`: what is left of the {most} that \
                 `limits: runs` in homerule.yaml allows is kept for rules that have none"
            ),
            Room::All => write!(
                f,
                "{runs} runs go on at once already, as many as `limits: runs` in homerule.yaml allows: {of_fullest} of \
                 them are of `{fullest}`"
            ),
        }
    }
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loop::Storm { most, seconds } => write!(
                f,
                "a loop: messages from rules triggered it more than {most} times in {seconds} s; it's paused for a minute"
            ),
            Loop::Rate { most, seconds } => {
                write!(f, "it ran more than {most} times in {seconds} s, and `storm: stop` lets it rest for a minute")
            }
            Loop::Chain { most, topic } => write!(
                f,
                "a loop: {most} publications followed one another without a message from outside, so the next, to \
                 `{topic}`, isn't sent; the rule is paused for a minute"
            ),
            Loop::Failures { most } => write!(
                f,
                "a loop: {most} failures and publications followed one another without a message from outside; it's \
                 paused for a minute"
            ),
            Loop::Circle { most } => write!(
                f,
                "a loop: rules changed what it reads {most} times in a row without a message from outside; it's paused \
                 for a minute"
            ),
        }
    }
}
