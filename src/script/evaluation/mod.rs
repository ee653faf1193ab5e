//! The sandbox: evaluates within limits, in a world that is lent to it.

pub(super) mod convert;
pub(super) mod deep_stack;
pub(super) mod failure;
pub(super) mod globals;
pub(super) mod limits;
pub(super) mod loan;
pub(super) mod meter;
pub(super) mod moment;
pub(super) mod operators;
pub(super) mod reads;
pub(super) mod refusal;
pub(super) mod sandbox;
pub(super) mod world;
