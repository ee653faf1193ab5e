//! Who gets what: subscriptions, shared ones among them, and what is retained for those who subscribe later.

mod posted;
mod retained;
mod shared;
mod subscriptions;

pub(super) use posted::{Copy, Entry, Posted};
pub(super) use retained::{Retained, RetainedMessage};
pub(super) use shared::{GroupId, Groups, Readiness};
pub(super) use subscriptions::{Hit, Subscriptions, Target};
