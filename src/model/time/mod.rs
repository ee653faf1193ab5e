//! Spans of time and times of day as people write and say them.

mod duration;
mod first_instant;
mod spoken;

pub use duration::{DurationError, format_duration, format_offset, parse_duration, parse_offset};
pub use first_instant::first_instant;
pub use spoken::parse_spoken_time;
