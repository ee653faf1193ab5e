//! Notifications: what rules tell people, and where that goes (docs/notifications.md).

mod action;
mod target;

pub use action::{Notify, NotifyButton};
pub use target::{NOTICE_VARIABLES, NtfyTarget, Target, TargetKind, Targets, TelegramTarget};
