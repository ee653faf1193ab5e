//! Actions: what a step of a run does.

pub(crate) mod call;
pub(crate) mod perform;
pub(crate) mod publish;
pub(crate) mod request;
pub(crate) mod script;
