//! Conditions and expressions: judged in the world of the moment.

pub(crate) mod evaluator;
pub(crate) mod judge;
pub(crate) mod scope;
pub(crate) mod tracker;
