//! How long a rule's actions take.

use serde_json::Value as Json;

use super::tree::{items, text};
use crate::model::parse_duration;

/// Tests don't wait longer than this for a run to end.
const LONGEST: u64 = 3 * 3_600_000;

/// Returns how long the actions take at most, in milliseconds: their delays, and the times that they wait.
pub(super) fn settle(then: &Json) -> u64 {
    of(then).clamp(1000, LONGEST)
}

fn of(value: &Json) -> u64 {
    match value {
        Json::Array(items) => items.iter().map(of).sum::<u64>().min(LONGEST),
        Json::Object(map) => {
            let own = ["delay", "timeout"].into_iter().filter_map(|key| millis(text(value, key)?)).sum::<u64>();
            let held: u64 = map
                .get("wait")
                .map_or(0, |wait| items(wait).into_iter().filter_map(|trigger| millis(text(trigger, "for")?)).sum());
            let given = map.get("with").and_then(|with| millis(text(with, "duration")?)).unwrap_or(0);
            let inner: u64 =
                ["then", "else", "do", "parallel", "choose"].into_iter().filter_map(|key| map.get(key)).map(of).sum();
            let times = map.get("repeat").and_then(|repeat| repeat.get("times")).and_then(Json::as_u64).unwrap_or(1);
            (own + held + given + inner * times.clamp(1, 100)).min(LONGEST)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

/// Returns a duration that is written out, in milliseconds.
pub(super) fn millis(text: &str) -> Option<u64> {
    parse_duration(text).ok().and_then(|time| u64::try_from(time.as_millis()).ok())
}
