//! What a home is made of: topics, values, messages, their state, and times.
//!
//! Pure: no clock, file, socket or hash order.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bounded_text;
mod device;
mod duration;
mod fingerprint;
mod id;
mod json_text;
mod label;
mod log_level;
mod message;
mod near;
mod number;
mod place;
pub mod recording;
pub mod schedule;
mod shared_text;
mod spoken_time;
mod star;
mod state;
mod stored_value;
mod topic;
mod topic_filter;
mod value;
mod value_limits;
mod value_path;

pub use bounded_text::{BoundedText, TextTooLong};
pub use device::Devices;
pub use duration::{DurationError, format_duration, format_offset, parse_duration, parse_offset};
pub use fingerprint::Fingerprint;
pub use id::{Name, RuleId};
pub use label::Label;
pub use log_level::LogLevel;
pub use message::{Message, Origin, Payload, Qos};
pub use near::{nearest, slips};
pub use number::{format_size, parse_number};
pub use place::{Place, PlacedText, Stretch};
pub use spoken_time::parse_spoken_time;
pub use star::matches_star;
pub use state::{States, TopicState};
pub use topic::{Topic, TopicError, first_level, has_control};
pub use topic_filter::{FilterError, Level, TopicFilter};
pub use value::{Map, Value};
pub use value_limits::{TooLarge, ValueLimits};
pub use value_path::{PathError, ValuePath};

#[cfg(test)]
pub(crate) use topic::tests::any_topic;
#[cfg(test)]
pub(crate) use topic_filter::tests::any_filter;
