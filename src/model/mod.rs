//! What a home is made of: topics, values, messages, their state, and times.
//!
//! Pure: no clock, file, socket or hash order.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod duration;
mod id;
mod message;
mod place;
pub mod schedule;
mod state;
mod stored_value;
mod topic;
mod value;
mod value_path;

pub use duration::{DurationError, format_duration, format_offset, parse_duration, parse_offset};
pub use id::{Name, RuleId};
pub use message::{Message, Origin, Payload, Qos};
pub use place::{Place, PlacedText, Stretch};
pub use state::{States, TopicState};
pub use topic::{FilterError, Level, Topic, TopicError, TopicFilter};
pub use value::{Map, Value};
pub use value_path::{PathError, ValuePath};
