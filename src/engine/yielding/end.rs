//! Ends an override: its time is over, its `until` holds, or a person says so.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::condition::judge::Judging;
use crate::engine::condition::judgement::Judgement;
use crate::engine::condition::recheck::next_recheck;
use crate::engine::core::Core;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::{Fact, Part, Subscriber, Subscription};
use crate::engine::often::loop_guard;
use crate::engine::trace::{Cause, CauseKind, Fault};
use crate::engine::while_rule::perform;
use crate::engine::while_rule::reconsider::{While, reconsider};
use crate::model::Map;

use super::state::Override;

/// Arms what ends the overrides of a rule, as they stand.
pub(crate) fn arm(core: &mut Core, id: LiveId) {
    let live = core.live.get(id);
    let due = live.overrides.iter().filter_map(|over| over.until).min();
    let rule = live.rule.id.clone();
    if live.overrides.is_empty() {
        core.evaluator.world.overridden.remove(&rule);
        core.subscriptions.remove(Subscriber { rule: id, part: Part::Override });
        core.deadlines.set(id, Due::OverrideRecheck, None);
    } else {
        core.evaluator.world.overridden.insert(rule);
    }
    core.deadlines.set(id, Due::Override, due);
}

/// The time of an override is over.
pub(crate) fn fire(core: &mut Core, id: LiveId, due: Timestamp) {
    let cause = Cause::time(due, core.now());
    let is_over = |over: &Override| over.until.is_some_and(|until| until <= due);
    end(core, id, &cause, is_over);
}

/// A person, or a rule, ends all overrides of a rule.
pub(crate) fn resume(core: &mut Core, id: LiveId, cause: &Cause) {
    end(core, id, cause, |_| true);
}

/// Asks whether the `until` of an overridden rule holds.
pub(crate) fn ask(core: &mut Core, id: LiveId, cause: &Cause) {
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(until) = rule.yields.as_ref().and_then(|yields| yields.until.as_ref()) else { return };
    if core.live.get(id).overrides.is_empty() {
        return;
    }
    let locals = Map::default();
    let scope = core.scope(id, &rule, None, &locals);
    let mut judging = Judging::new(&scope, core.live.get(id).trackers());
    let verdict = core.evaluator.judge(&mut judging, until);
    let reads = judging.reads;
    let recheck = next_recheck(&reads, core.now(), &core.evaluator.world.calendar);
    core.deadlines.set(id, Due::OverrideRecheck, recheck);
    core.subscriptions.set(Subscriber { rule: id, part: Part::Override }, Subscription::Reads(Box::new(reads)));
    match verdict {
        Judgement::True => end(core, id, cause, |_| true),
        Judgement::Failed(failure) => {
            loop_guard::rule_failed(core, &rule.id, &Fault::from(&failure), cause.depth);
        }
        Judgement::False(_) | Judgement::Unknown(_) => {}
    }
}

/// Asks the `until` of all rules that are overridden: after a start, or a reload.
pub(crate) fn ask_all(core: &mut Core) {
    for id in core.live.yielding().to_vec() {
        ask(core, id, &Cause::outside(CauseKind::Condition));
    }
}

fn end(core: &mut Core, id: LiveId, cause: &Cause, is_over: impl Fn(&Override) -> bool) {
    let all = std::mem::take(&mut core.live.edit(id).overrides);
    let (over, left): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| is_over(it));
    let is_free = left.is_empty();
    core.live.edit(id).overrides = left;
    arm(core, id);
    if over.is_empty() {
        return;
    }
    let rule = Arc::clone(&core.live.get(id).rule);
    core.fact_changed(Fact::About(rule.id.clone()), cause.clone());
    let Some(it) = While::of(id, &rule).filter(|_| is_free) else { return };
    if core.live.get(id).while_state.was_refused {
        core.live.edit(id).while_state.was_refused = false;
    }
    reconsider(core, id, cause);
    let state = &core.live.get(id).while_state;
    let has_ended = !state.is_true && state.begun_at.is_none() && state.pending.is_none();
    let had_begun = over.into_iter().find_map(|over| over.had_begun);
    let skips_else = rule.yields.as_ref().is_some_and(|yields| yields.skips_else);
    if let (true, false, Some(variables)) = (has_ended, skips_else, had_begun) {
        perform::run_else(core, it, cause, variables);
    }
}
