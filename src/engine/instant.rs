//! Instants: counting with them, where time has a beginning and an end; and moving them when the clock is set.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Something with instants from which, or until which, it lasts.
pub(crate) trait Shift {
    /// Moves them by so much: later where it is positive.
    fn shift(&mut self, by: SignedDuration);
}

impl Shift for Timestamp {
    fn shift(&mut self, by: SignedDuration) {
        *self = moved(*self, by);
    }
}

impl<T: Shift> Shift for Option<T> {
    fn shift(&mut self, by: SignedDuration) {
        if let Some(value) = self {
            value.shift(by);
        }
    }
}

/// Returns `at`, moved; the end of time where that is beyond it.
pub(crate) fn moved(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// Returns `at` and `duration` earlier; the beginning of time where that is before it.
pub(crate) fn earlier(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// Returns `at` and `duration` later; the end of time where that is beyond it.
pub(crate) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// Returns the first instant after `at`.
pub(crate) fn just_after(at: Timestamp) -> Timestamp {
    later(at, Duration::from_nanos(1))
}

/// Returns the last instant before `at`.
pub(crate) fn just_before(at: Timestamp) -> Timestamp {
    earlier(at, Duration::from_nanos(1))
}

/// Returns how long it is from `since` to `now`; none where that is in the future.
pub(crate) fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}
