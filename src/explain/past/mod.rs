//! Back to where it came from: chains of causes, and what a test of them needs.

mod chain;
mod heard;
mod incident;
mod link;

pub use chain::{Chain, Memory};
pub use heard::{HeardMessage, History, Speaker};
pub use incident::{Extent, Gaps, Incident, Said, SaidKind, Scene};
pub use link::{Link, Published};
