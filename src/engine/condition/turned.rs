//! When time alone turned a condition while the daemon was down, so that what follows from it comes in its order among what
//! fell due then.

use jiff::Timestamp;

use crate::engine::core::Core;
use crate::script::Reads;

use super::recheck::next_recheck;

/// So often a condition is asked at most: one that reads the time for each minute of a day.
const MOST_QUESTIONS: usize = 1500;

/// Returns since when a condition has been `wanted`, as time alone makes it so: the last time after `from`, up to now, at which
/// it turned. `judge` says what it is at the instant of the world, and what it read; `None` for no answer. `None` where it was
/// so at `from` already, where it isn't so now, and where that is too far back to be found out.
pub(crate) fn turned_at(
    core: &mut Core,
    from: Timestamp,
    wanted: bool,
    mut judge: impl FnMut(&mut Core) -> Option<(bool, Reads)>,
) -> Option<Timestamp> {
    let now = core.now();
    let failures = core.evaluator.failures_passed_over;
    // Most conditions are as they were, and need be asked once only.
    if judge(core).is_none_or(|(is, _)| is != wanted) {
        core.evaluator.failures_passed_over = failures;
        return None;
    }
    let (mut at, mut since) = (from, None);
    for _ in 0..MOST_QUESTIONS {
        core.evaluator.world.now = at;
        let answer = judge(core);
        let is_wanted = answer.as_ref().is_some_and(|(is, _)| *is == wanted);
        since = if is_wanted { since.or(Some(at)) } else { None };
        let next = answer.and_then(|(_, reads)| next_recheck(&reads, at, &core.evaluator.world.calendar));
        let Some(next) = next.filter(|next| *next <= now) else {
            at = now;
            break;
        };
        at = next;
    }
    core.evaluator.world.now = now;
    core.evaluator.failures_passed_over = failures;
    since.filter(|since| at == now && *since > from)
}
