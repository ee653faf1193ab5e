//! What people set by hand, and what they are told.

pub(crate) mod input;
pub(crate) mod notify;
