//! Conditions and expressions: judged in the world of the moment (docs/language/conditions.md).

pub(crate) mod by_time;
pub(crate) mod evaluator;
pub(crate) mod judge;
pub(crate) mod judgement;
pub(crate) mod recheck;
pub(crate) mod scope;
pub(crate) mod tracker;
pub(crate) mod turned;
