//! The views of topics: by their levels, one of them.

mod json;
mod list;
mod one;

pub use list::{TopicsPage, topics};
pub use one::{TopicPage, topic};
