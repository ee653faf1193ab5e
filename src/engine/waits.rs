//! Until when rules wait, for expressions that ask `remaining('rule')`: looked up where deadlines have changed since.

use jiff::Timestamp;

use super::core::Core;
use super::live::id::LiveId;
use super::live::subscriptions::Fact;
use super::run::thread::Waiting;
use super::trace::{Cause, CauseKind};

/// Makes expressions see until when rules wait now, and tells those that read it where that changed. Costs nothing where no
/// rule in force asks.
pub(crate) fn note(core: &mut Core) {
    if !core.evaluator.world.asks_waits {
        return;
    }
    for id in core.deadlines.take_touched() {
        if !core.live.has(id) {
            continue;
        }
        let (rule, due) = (core.live.get(id).rule.id.clone(), soonest(core, id));
        let waits = &mut core.evaluator.world.waits;
        let before = match due {
            Some(due) => waits.insert(rule.clone(), due),
            None => waits.remove(&rule),
        };
        if before != due {
            core.fact_changed(Fact::About(rule), Cause::outside(CauseKind::Condition));
        }
    }
}

/// Looks at all rules anew, after others came into force.
pub(crate) fn note_all(core: &mut Core) {
    core.evaluator.world.asks_waits = core.live.iter().any(|(_, live)| live.rule.asks_waits);
    core.evaluator.world.waits.clear();
    core.evaluator.world.disabled =
        core.live.iter().filter(|(_, live)| !live.is_enabled()).map(|(_, live)| live.rule.id.clone()).collect();
    if core.evaluator.world.asks_waits {
        for id in core.live.ids() {
            core.deadlines.touch(id);
        }
        note(core);
    }
}

/// Returns when the first is over of a rule's `for`, `linger`, `delay` and `wait`.
fn soonest(core: &Core, id: LiveId) -> Option<Timestamp> {
    let live = core.live.get(id);
    let holds = live.triggers().iter().flat_map(|state| state.tracks().values());
    let holds = holds.filter_map(|track| track.hold.as_ref()).map(|hold| hold.due);
    let pending = live.while_state.pending.as_ref().map(|pending| pending.due);
    let runs = core.runs.of_rule(id).filter_map(|(_, run)| core.runs.get(run));
    let threads = runs.flat_map(|run| run.threads.values());
    let of_threads = threads.flat_map(|thread| {
        let delay = match &thread.waiting {
            Some(Waiting::Time(at)) => Some(*at),
            _ => None,
        };
        delay.into_iter().chain(thread.waits.iter().filter_map(|wait| wait.timeout))
    });
    holds.chain(pending).chain(of_threads).min()
}
