//! The home as one graph of what its rules read and write, and what in it is probably not meant.
//!
//! Pure, and above `rules`: it decides nothing and runs nothing. `sim` demonstrates what is found here by running the engine.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod allow;
mod check;
mod graph;
mod habits;
mod known;
mod literals;
mod needs;
mod pattern;
mod picture;

pub use allow::Allowed;
pub use check::{Claim, Suspicion, clash, suspicions};
pub use graph::{Graph, How, Node, OtherRule, Reading, Writing};
pub use habits::state_of;
pub use known::{Domain, Heard, Known, Spoken};
pub use literals::{Literal, literals, literals_of};
pub use needs::Needs;
pub use pattern::{Level, Pattern};
pub use picture::{Arrow, BoxKind, Drawing, DrawnArrow, DrawnBox, Picture, PictureBox, Shown};
