//! From what a clock shows to an instant.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Returns the first instant at which a zone's clock shows `local` or a later time (docs/language/time.md).
#[must_use]
pub fn first_instant(zone: &TimeZone, local: DateTime) -> Timestamp {
    let instant = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local),
        // Read with the offset after it, a time in the gap is an instant shortly before the change.
        AmbiguousOffset::Gap { after, .. } => after
            .to_timestamp(local)
            .map(|before| zone.following(before).next().map_or(before, |change| change.timestamp())),
    };
    // Only local times at the ends of jiff's years, -9999 and 9999, have no instant.
    instant.unwrap_or(if local.year() > 0 { Timestamp::MAX } else { Timestamp::MIN })
}
