//! Whether a rule is overridden: then it begins nothing.

use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::engine::run::key::RunKey;
use crate::engine::trace::Refusal;
use crate::engine::trigger::firing::Firing;

/// Returns what keeps a rule from running by this firing, where somebody overrode it.
pub(crate) fn overridden(core: &Core, id: LiveId, key: &RunKey, firing: &Firing) -> Option<Refusal> {
    let over = core.live.get(id).overrides.iter().find(|over| over.is_about(key, firing))?;
    Some(Refusal::Overridden { by: over.by.clone(), until: over.until })
}

/// Returns what keeps a `while` from beginning, where somebody overrode it.
pub(crate) fn while_overridden(core: &Core, id: LiveId) -> Option<Refusal> {
    let over = core.live.get(id).overrides.first()?;
    Some(Refusal::Overridden { by: over.by.clone(), until: over.until })
}
