//! Invariants: what must never happen, judged once an instant has settled (docs/safety.md).

pub(crate) mod hear;
pub(crate) mod judge;
mod news;
pub(crate) mod state;
mod tell;
mod view;

pub use news::{Breach, InvariantChange, InvariantNews};
pub(crate) use tell::failed;
pub use view::InvariantView;
pub(crate) use view::views;
