//! The part of the past that a window means at one moment.

use jiff::Timestamp;

use super::nanos;

/// A part of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it begins: the value that held then counts from there.
    pub(super) start: i64,
    /// When it ends.
    pub(super) end: i64,
    /// What was said after this happened in it …
    pub(super) after: i64,
    /// … and up to this.
    pub(super) until: i64,
}

impl Span {
    /// Returns the time up to and including `now`: what happened just when it began is before it.
    #[must_use]
    pub fn sliding(start: Timestamp, now: Timestamp) -> Span {
        let (start, end) = (nanos(start), nanos(now));
        Span { start, end, after: start, until: end }
    }

    /// Returns the time since a day or an hour began, `now` included: what happened just then belongs to it.
    #[must_use]
    pub fn since(start: Timestamp, now: Timestamp) -> Span {
        Span { after: nanos(start).saturating_sub(1), ..Span::sliding(start, now) }
    }

    /// Returns a time that is over: what happened just when it ended is after it.
    #[must_use]
    pub fn over(start: Timestamp, end: Timestamp) -> Span {
        Span { until: nanos(end).saturating_sub(1), ..Span::since(start, end) }
    }

    /// Returns how long it lasts, in nanoseconds.
    #[must_use]
    pub fn length(&self) -> i64 {
        self.end.saturating_sub(self.start)
    }
}
