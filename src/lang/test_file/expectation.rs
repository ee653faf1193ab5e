//! Expectations: what a test says must have happened.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};

use crate::model::{Place, Qos, Topic};

use super::{ExpectedSet, Pattern};

/// What must have happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// What rules published since the last expectation, all of it.
    Published(Expected<ExpectedMessage>),
    /// The last payloads of topics; `None`: the topic has no value.
    State(Vec<ExpectedPayload>),
    /// A rule's runs since the test's start.
    Run(ExpectedRun),
    /// The HTTP requests since the last such expectation, in order.
    Http(Vec<ExpectedCall>),
    /// What devices were told since the last expectation, all of it.
    Set(Expected<ExpectedSet>),
    /// What people were told since the last such expectation, all of it.
    Notified(Expected<ExpectedCall>),
    /// The programs that were run since the last such expectation, in order.
    Exec(Vec<ExpectedCall>),
}

/// All that is expected of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected<T> {
    /// These, in any order; none: `nothing`.
    AnyOrder(Vec<T>),
    /// These, in this order.
    InOrder(Vec<T>),
}

/// A message that rules must have published.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedMessage {
    /// Its topic.
    pub topic: Topic,
    /// Its payload.
    pub payload: Pattern,
    /// When it was published; `None`: whenever.
    pub at: Option<ExpectedTime>,
    /// Whether it was retained; `None`: either.
    pub retain: Option<bool>,
    /// Its `QoS`; `None`: any.
    pub qos: Option<Qos>,
}

/// The last payload that a topic must have.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedPayload {
    /// The topic.
    pub topic: Topic,
    /// The payload.
    pub payload: Pattern,
}

/// How often a rule must have run, and how that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRun {
    /// The rule, as users write it: `tv:dim-lights`, or `dim-lights` alone.
    pub rule: Arc<str>,
    /// Where it is named.
    pub place: Place,
    /// One of [`OUTCOMES`]; `None`: any but `skipped`.
    pub outcome: Option<&'static str>,
    /// For `skipped`, one of [`BLOCKED_BY`]; `None`: any.
    pub by: Option<&'static str>,
    /// How often; `None`: at least once, unless `at_most` says how often at most.
    pub times: Option<usize>,
    /// How often at most.
    pub at_most: Option<usize>,
    /// What counts are not its runs, but the messages that it published to this topic.
    pub publishes: Option<Topic>,
}

/// The words of how a run ends.
pub const OUTCOMES: [&str; 5] = ["finished", "stopped", "cancelled", "failed", "skipped"];

/// The words of what keeps a rule from running.
pub const BLOCKED_BY: [&str; 9] =
    ["condition", "unknown", "mode", "cooldown", "limit", "disabled", "resting", "hold", "override"];

/// An HTTP request, a program or a notification that rules must have asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedCall {
    /// What it must be: a map of what is asked of a request or a notification, or a list of a program and its arguments.
    pub pattern: Pattern,
}

/// A time as tests write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedTime {
    /// A local time of day, whatever the day: `20:10:00`.
    OfDay(Time),
    /// A local time: `2024-06-01T20:10:00`.
    Local(DateTime),
    /// An instant: `2024-06-01T20:10:00+02:00`.
    Instant(Timestamp),
}

impl ExpectedTime {
    /// Returns the time that `text` writes; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<ExpectedTime> {
        let begins_with_date = text.as_bytes().get(4) == Some(&b'-');
        if !begins_with_date {
            let well_formed =
                text.contains(':') && text.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte));
            return text.parse().ok().filter(|_| well_formed).map(ExpectedTime::OfDay);
        }
        if let Ok(instant) = text.parse() {
            return Some(ExpectedTime::Instant(instant));
        }
        text.parse().ok().filter(|_| text.contains(':')).map(ExpectedTime::Local)
    }
}

impl fmt::Display for ExpectedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExpectedTime::OfDay(time) => write!(f, "{time}"),
            ExpectedTime::Local(time) => write!(f, "{time}"),
            ExpectedTime::Instant(time) => write!(f, "{time}"),
        }
    }
}

impl Expectation {
    /// Returns the step's word, as a test writes it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Expectation::Published(_) => "expect",
            Expectation::State(_) => "expect_state",
            Expectation::Run(_) => "expect_run",
            Expectation::Http(_) => "expect_http",
            Expectation::Set(_) => "expect_set",
            Expectation::Notified(_) => "expect_notify",
            Expectation::Exec(_) => "expect_exec",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_tests_write_them() {
        for (text, wanted) in [
            ("20:10", Some("20:10:00")),
            ("20:10:00", Some("20:10:00")),
            ("20:10:00.5", Some("20:10:00.5")),
            ("2024-06-01T21:00:00", Some("2024-06-01T21:00:00")),
            ("2024-06-01 21:00", Some("2024-06-01T21:00:00")),
            ("2024-06-01T21:00:00+02:00", Some("2024-06-01T19:00:00Z")),
            ("2024-06-01", None),
            ("25:00", None),
            ("10m", None),
            ("", None),
        ] {
            let read = ExpectedTime::parse(text).map(|time| time.to_string());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }
}
