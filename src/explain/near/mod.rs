//! What came near: messages that set off no trigger, and topics that were probably meant.

mod miss;
mod near_miss;
mod topic;

pub use miss::miss;
pub use near_miss::{NearMiss, near_misses};
pub use topic::{meant_topics, nearest_to_topic, nearest_topic};
