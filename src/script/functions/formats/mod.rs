//! The functions of patterns, and of times and numbers as texts.

pub(super) mod decimals;
pub(super) mod patterns;
pub(super) mod times;
