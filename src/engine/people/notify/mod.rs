//! Notifications: what rules tell people waits here until its target has it (docs/notifications.md).
//!
//! A run only hands its notice over. Each target has a queue of its own, which asks for one delivery at a time and, where that fails, for
//! the next after a pause. All of it survives a restart.

pub(crate) mod act;
mod answer;
mod buttons;
mod call;
pub(crate) mod deliver;
mod notice;
pub(crate) mod notices;
pub(crate) mod press;
mod queue;

pub use notice::{Notice, NoticeButton, Undelivered};
pub use notices::NoticesView;
