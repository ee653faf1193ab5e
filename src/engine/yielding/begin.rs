//! Begins an override: the rule's runs end, its `while` ends without `else`, and it's told who did it.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::inbox::{self, Incoming};
use crate::engine::instant::later;
use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::Fact;
use crate::engine::run::key::RunKey;
use crate::engine::run::{lifecycle, timer, unstarted};
use crate::engine::trace::{
    BlockedBy, Cause, CauseKind, Outcome, Refusal, RunId, Step, StepKind, StepResult, StoppedBy, Trace,
};
use crate::engine::trigger::firing::Firing;
use crate::engine::while_rule::perform;
use crate::engine::while_rule::reconsider::While;
use crate::model::{Name, Origin};
use crate::rules::HomeEvent;

use super::end;
use super::state::{OverriddenBy, Override, agree};

/// Which runs of a rule are overridden.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) key: Option<RunKey>,
    pub(crate) captures: Vec<Arc<str>>,
    pub(crate) named: Vec<(Name, Arc<str>)>,
}

/// A rule is overridden. One that is already counts anew.
pub(crate) fn begin(core: &mut Core, id: LiveId, about: About, by: OverriddenBy) {
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(yields) = &rule.yields else { return };
    let now = core.now();
    let until = yields.hold.map(|hold| later(now, hold));
    let known = core.live.get(id).overrides.iter().position(|it| it.is_same(about.key.as_ref(), &about.named));
    if let Some(known) = known.and_then(|index| core.live.edit(id).overrides.get_mut(index)) {
        (known.until, known.by) = (until, by);
        return end::arm(core, id);
    }
    let had_begun = While::of(id, &rule).and_then(|it| perform::step_back(core, it));
    let About { key, captures, named } = about;
    let over = Override { key, captures, named, since: now, until, by, had_begun };
    let refusal = Refusal::Overridden { by: over.by.clone(), until };
    let cause = cause(core, &over);
    core.live.edit(id).overrides.push(over.clone());
    end_runs(core, id, &over, &refusal, &cause);
    if over.key.is_none() && over.named.is_empty() && !core.live.get(id).timers.is_empty() {
        timer::end_all(core, id, StoppedBy::Override);
    }
    core.evaluator.world.overridden.insert(rule.id.clone());
    core.fact_changed(Fact::About(rule.id.clone()), cause.clone());
    let about =
        inbox::About { rule: Some(rule.id.clone()), invariant: None, captures: over.captures, named: over.named };
    core.inbox.push(Incoming::Told {
        event: HomeEvent::Overridden,
        about: Box::new(about),
        depth: cause.depth.saturating_add(1),
    });
    end::arm(core, id);
    end::ask(core, id, &cause);
}

fn cause(core: &Core, over: &Override) -> Cause {
    let topic = over.by.topic.clone();
    Cause::outside(CauseKind::Message { sequence: core.evaluator.sequence, topic, origin: Origin::Live })
}

/// Ends the runs that it is about, each with who did it. Where there is none, that is told by itself.
fn end_runs(core: &mut Core, id: LiveId, over: &Override, refusal: &Refusal, cause: &Cause) {
    let runs: Vec<RunId> = core.runs.of_rule(id).map(|(_, run)| run).collect();
    let is_meant = |core: &Core, run: RunId| {
        core.runs.get(run).is_some_and(|run| match &over.key {
            Some(key) => *key == run.key,
            None => agree(&over.named, &run.firing.named),
        })
    };
    let meant: Vec<RunId> = runs.into_iter().filter(|run| is_meant(core, *run)).collect();
    let now = core.now();
    let step =
        Step::new(&"yields".into(), now, StepKind::Blocked(BlockedBy::Override), StepResult::Refused(refusal.clone()));
    if meant.is_empty() {
        let rule = Arc::clone(&core.live.get(id).rule);
        let firing = Firing::of_cause("yields".into(), cause.clone());
        let steps = vec![unstarted::trigger_step(core, &firing), step];
        let outcome = Outcome::Cancelled(StoppedBy::Override);
        let (rule, cause) = (rule.id.clone(), cause.clone());
        core.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause, steps });
        return;
    }
    // Those that wait for their turn end first, so that none takes the place of another.
    for run in meant.into_iter().rev() {
        if let Some(run) = core.runs.edit(run) {
            run.steps.push(step.clone());
        }
        lifecycle::cancel(core, run, StoppedBy::Override);
    }
}
