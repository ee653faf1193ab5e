//! How long something that must last has lasted.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::format_duration;

use super::local_time::LocalTime;

/// Returns how long something that must last from `since` until `due` has lasted by `then`: `2m41s of 3m`.
#[must_use]
pub fn progress(since: Timestamp, then: Timestamp, due: Timestamp) -> String {
    let (held, whole) = (elapsed(since, then.min(due)), elapsed(since, due));
    // Nobody needs the milliseconds of minutes.
    let held = if whole.as_secs() >= 10 { Duration::from_secs(held.as_secs()) } else { held };
    format!("{} of {}", format_duration(held), format_duration(whole))
}

/// Returns what's told of a `while` that is false since the first of these instants and ends at the second.
pub(in crate::explain) fn lingering((since, until): (Timestamp, Timestamp), time: &LocalTime) -> String {
    format!("has been false since {}, and lingers until {}", time.text(since), time.text(until))
}

/// Returns how long it is from `since` to `now`; none if that's in the future.
pub(super) fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}
