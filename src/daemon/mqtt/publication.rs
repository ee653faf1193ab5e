//! What leaves the loop.

use crate::model::{Message, RuleId};

/// A message of ours on its way out: what a rule published, what the daemon says of itself, or what somebody published over the web.
#[derive(Debug, Clone, Copy)]
pub(in crate::daemon) struct Outbound<'a> {
    /// The message.
    pub(in crate::daemon) message: &'a Message,
    /// The rule that published it; `None`: it's the daemon's. Only recorders are told.
    pub(in crate::daemon) rule: Option<&'a RuleId>,
}
