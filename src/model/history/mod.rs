//! What was: the values of topics over time, kept as far back as rules ask, in bounded room (docs/language/history.md).
//!
//! A [`Series`] is what one topic said at one path. It keeps only what is asked of it: numbers for `average` and the like,
//! values for `changes` and `at`, and how often and how long one value was there. While there are few samples, all of them
//! are kept; beyond that, older ones are thinned into cells of time, each at most a 256th as wide as it is old.

mod asked;
mod cells;
mod counted;
mod histories;
mod log;
mod numbers;
mod series;
mod slots;
mod span;
#[cfg(test)]
mod tests;
mod values;
mod window;

pub use asked::{Asked, Kind};
pub use histories::{Histories, Recall, TooManySeries};
pub use numbers::Numbers;
pub use series::Series;
pub use span::Span;
pub use window::{Window, WindowError};

/// An instant in nanoseconds since 1970; those beyond the years 1677 to 2262 are their ends.
pub(in crate::model) fn nanos(at: jiff::Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// Returns the instant so many nanoseconds after 1970.
pub(in crate::model) fn instant(nanos: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(jiff::Timestamp::MAX)
}

/// Returns nanoseconds as seconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 53 bits, a nanosecond more or less in months makes no difference"
)]
pub(in crate::model) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}
