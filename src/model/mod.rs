//! What a home is made of: topics, values, messages, their state, and times.
//!
//! Pure: no clock, file, socket or hash order.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod agenda;
mod device;
mod device_filter;
mod fingerprint;
pub mod history;
mod id;
mod inner_topic;
mod label;
mod log_level;
mod message;
mod place;
pub mod recording;
pub mod schedule;
mod secrets;
mod state;
mod text;
mod time;
mod topic;
mod value;

pub use device::Devices;
pub use device_filter::DeviceFilter;
pub use fingerprint::Fingerprint;
pub use id::{Name, RuleId};
pub use inner_topic::{any_device, device_prefix, device_topic, input_topic, is_inner, spoken};
pub use label::Label;
pub use log_level::LogLevel;
pub use message::{Message, Origin, Payload, Qos, Told, Withheld};
pub use place::{Place, PlacedText, Stretch};
pub use secrets::{MASK, Secrets};
pub use state::{Size, States, TopicState};
pub use text::{BoundedText, TextTooLong, matches_star, nearest, one_line, slips};
pub use time::{
    DurationError, first_instant, format_duration, format_offset, parse_duration, parse_offset, parse_spoken_time,
};
pub use topic::{FilterError, Level, Topic, TopicError, TopicFilter, first_level, has_control, is_in_topic};
pub use value::{Hashing, Map, PathError, TooLarge, Value, ValueLimits, ValuePath, format_size, parse_number};

#[cfg(test)]
pub(crate) use topic::{any_filter, any_topic};
