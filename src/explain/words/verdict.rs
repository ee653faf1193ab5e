//! How a condition was judged, in words.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{Verdict, WhyFalse, WhyUnknown};
use crate::model::{Topic, Value, format_size, spoken};
use crate::rules::Wanted;

use super::values::other_than;
use super::{LocalTime, progress};

/// Returns a verdict that was given at `at`, with its reason: `true`, `` false: `door` is closed, not open ``,
/// `` unknown: `lux` has no value yet ``.
#[must_use]
pub fn verdict_text(verdict: &Verdict, at: Timestamp, time: &LocalTime) -> String {
    match verdict_why(verdict, at, time) {
        None => verdict.word().to_owned(),
        Some(why) => format!("{}: {why}", verdict.word()),
    }
}

/// Returns why a verdict that was given at `at` isn't true; `None` if it is, or its values say enough.
#[must_use]
pub fn verdict_why(verdict: &Verdict, at: Timestamp, time: &LocalTime) -> Option<String> {
    match verdict {
        Verdict::True | Verdict::False(None) => None,
        Verdict::False(Some(why)) => Some(why_false(why, at, time)),
        Verdict::Unknown(why) => Some(why_unknown(why)),
        Verdict::Failed(fault) => Some(fault.to_string()),
    }
}

fn why_unknown(why: &WhyUnknown) -> String {
    match why {
        WhyUnknown::NoValueYet(topic) => format!("`{}` has no value yet", spoken(topic.as_str())),
        WhyUnknown::NoNumber { topic, field: None, value: Value::Null } => {
            format!("`{}` has no value now", spoken(topic.as_str()))
        }
        WhyUnknown::NoNumber { topic, field: Some(field), value: Value::Null } => {
            format!("`{}` has no value at `{field}` now", spoken(topic.as_str()))
        }
        WhyUnknown::TooLarge { topic, bytes } => too_large(topic, *bytes),
        WhyUnknown::NoNumber { topic, field, value } => {
            format!("{} is {}", name(topic, field.as_ref()), other_than(value, &Wanted::Number))
        }
    }
}

fn why_false(why: &WhyFalse, at: Timestamp, time: &LocalTime) -> String {
    match why {
        WhyFalse::GaveNothing => "it gives `()`".to_owned(),
        WhyFalse::OutsideWindow(window) => format!("it is {}, not {window}", time.weekday(at)),
        WhyFalse::Sun { is_up } => format!("the sun is {}", if *is_up { "up" } else { "down" }),
        WhyFalse::NoValue { topic, field: None } => format!("`{}` has no value now", spoken(topic.as_str())),
        WhyFalse::NoValue { topic, field: Some(field) } => {
            format!("`{}` has no value at `{field}` now", spoken(topic.as_str()))
        }
        WhyFalse::TooLarge { topic, bytes } => too_large(topic, *bytes),
        WhyFalse::OtherValue { topic, field, value, wanted } => {
            format!("{} is {}", name(topic, field.as_ref()), other_than(value, wanted))
        }
        WhyFalse::TooShort { topic, since, due } => {
            format!("`{}` has been so for {}", spoken(topic.as_str()), progress(*since, at, *due))
        }
        WhyFalse::Words(words) => words.to_string(),
    }
}

fn too_large(topic: &Topic, bytes: usize) -> String {
    format!("what `{}` said was too large to keep: {}", spoken(topic.as_str()), format_size(bytes))
}

fn name(topic: &Topic, field: Option<&Arc<str>>) -> String {
    let topic = spoken(topic.as_str());
    field.map_or_else(|| format!("`{topic}`"), |field| format!("`{field}` of `{topic}`"))
}
