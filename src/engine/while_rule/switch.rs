//! Switches a rule on or off, until its file says otherwise.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::subscriptions::Fact;
use crate::engine::trace::{Cause, CauseKind};

use super::perform;
use super::reconsider::{While, reconsider};

/// Switches a rule on or off. One that is off has no hold armed, and its `while` has not begun.
pub(crate) fn switch(core: &mut Core, id: LiveId, is_enabled: bool) {
    let live = core.live.edit(id);
    let was_enabled = live.is_enabled();
    live.switch = Some(is_enabled);
    if was_enabled == is_enabled {
        return;
    }
    let rule = live.rule.id.clone();
    let disabled = &mut core.evaluator.world.disabled;
    if is_enabled {
        disabled.remove(&rule)
    } else {
        disabled.insert(rule.clone())
    };
    core.fact_changed(Fact::About(rule), Cause::outside(CauseKind::Person));
    if is_enabled {
        return reconsider(core, id, &Cause::outside(CauseKind::Person));
    }
    for (index, topic) in core.live.drop_holds(id) {
        core.deadlines.set(id, Due::Trigger(Owner::Rule, index, Some(topic)), None);
    }
    let rule = Arc::clone(&core.live.get(id).rule);
    if let Some(it) = While::of(id, &rule) {
        perform::abandon(core, it);
    }
}
