//! A moment, by the clock of the wall and by one that nobody sets.

use jiff::{SignedDuration, Timestamp};

/// A moment. Rules go by the clock of the wall, which may be set. Keep alives, sessions, delays and pauses go by a steady one, which
/// began with the other at the start and has never been set since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) struct Moment {
    /// By the clock of the wall.
    pub(in crate::daemon) wall: Timestamp,
    /// By the steady clock; never goes back.
    pub(in crate::daemon) steady: Timestamp,
}

impl Moment {
    /// Returns how far the clock of the wall is ahead of the steady one.
    pub(in crate::daemon) fn ahead(self) -> SignedDuration {
        self.wall.duration_since(self.steady)
    }
}
