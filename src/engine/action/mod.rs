//! Actions: what a run does at one step (docs/language/actions.md).

pub(crate) mod act;
pub(crate) mod call;
pub(crate) mod extend;
pub(crate) mod next;
pub(crate) mod perform;
pub(crate) mod publish;
pub(crate) mod repeat;
pub(crate) mod request;
mod restore;
pub(crate) mod script;
mod snapshot;
pub(crate) mod timer;
pub(crate) mod variables;
