//! When an expression is to be asked again though no message comes: since time passes, or the sun moves.

use jiff::{SignedDuration, Timestamp};

use crate::model::schedule::{Calendar, SunDay};
use crate::script::Reads;

/// Returns when what was read may give another answer though no message comes: at a known time, each minute
/// on the minute where the time was read, at sunrise and sunset where the sun was.
pub(crate) fn next_recheck(reads: &Reads, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let known = reads.next_change.filter(|at| *at > now);
    let minute = if reads.clock || reads.sun { next_minute(now) } else { None };
    let sun = if reads.sun { SunDay::next_change(now, calendar) } else { None };
    [known, minute, sun].into_iter().flatten().min()
}

/// Returns the next full minute after `now`.
fn next_minute(now: Timestamp) -> Option<Timestamp> {
    let second = now.as_second();
    let into_minute = second.rem_euclid(60);
    Timestamp::from_second(second - into_minute).ok()?.checked_add(SignedDuration::from_secs(60)).ok()
}
