//! How invariants stand, for those who ask.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::model::RuleId;

/// How an invariant stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvariantView {
    /// Which one.
    pub invariant: RuleId,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Since when it has been broken; `None`: it holds.
    pub broken_since: Option<Timestamp>,
}

/// Returns how all invariants stand, in their order.
pub(crate) fn views(core: &Core) -> Vec<InvariantView> {
    let of = |(_, live): (_, &crate::engine::live::rule::LiveRule)| {
        let invariant = live.rule.invariant.as_ref()?.id.clone();
        let broken_since = live.invariant.broken.values().min().copied();
        Some(InvariantView { invariant, name: live.rule.name.clone(), broken_since })
    };
    core.live.iter().filter_map(of).collect()
}
