//! How often rules run: rules that set each other off, and rules that run very often.

pub(in crate::engine) mod loop_guard;
pub(in crate::engine) mod rates;
