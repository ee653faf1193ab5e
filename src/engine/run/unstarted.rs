//! What is recorded of a rule that was triggered and didn't run.

use std::sync::Arc;

use crate::engine::core::Core;
use crate::engine::invariant;
use crate::engine::often::loop_guard;
use crate::engine::trace::{BlockedBy, Fault, Outcome, Refusal, Step, StepKind, StepResult, Trace};
use crate::engine::trigger::firing::Firing;
use crate::model::Value;
use crate::rules::Rule;
use crate::script::Failure;

/// Records that a rule was blocked `by` this.
pub(crate) fn skip(core: &mut Core, rule: &Rule, firing: &Firing, by: BlockedBy) {
    skip_with(core, rule, firing, by, Vec::new(), None);
}

/// Records that a rule was blocked `by` this after these steps, with what was known then.
pub(crate) fn skip_with(
    core: &mut Core,
    rule: &Rule,
    firing: &Firing,
    by: BlockedBy,
    mut steps: Vec<Step>,
    refusal: Option<Refusal>,
) {
    steps.insert(0, trigger_step(core, firing));
    let now = core.now();
    if let Some(refusal) = refusal {
        steps.push(Step::new(&firing.path, now, StepKind::Blocked(by), StepResult::Refused(refusal)));
    }
    record(core, rule, firing, Outcome::Skipped(by), steps);
}

/// A run that never began has failed: says so everywhere.
pub(crate) fn fail(core: &mut Core, rule: &Rule, firing: &Firing, steps: Vec<Step>, failure: &Failure) {
    fail_with(core, rule, firing, steps, Fault::from(failure));
}

/// A run that never began has failed with `fault`: says so everywhere.
pub(crate) fn fail_with(core: &mut Core, rule: &Rule, firing: &Firing, mut steps: Vec<Step>, fault: Fault) {
    if rule.invariant.is_some() {
        if let Some(id) = core.live.find(&rule.id) {
            invariant::failed(core, id, &fault.to_string(), firing, steps);
        }
        return;
    }
    steps.insert(0, trigger_step(core, firing));
    record(core, rule, firing, Outcome::Failed(fault.clone()), steps);
    loop_guard::rule_failed(core, &rule.id, &fault, firing.cause.depth);
    loop_guard::count_interruptions(core, &rule.id);
}

/// Returns the step that says what triggered a run.
pub(crate) fn trigger_step(core: &Core, firing: &Firing) -> Step {
    let mut values = Vec::with_capacity(1 + firing.named.len());
    if let Some(payload) = &firing.payload {
        values.push(("msg".into(), payload.value().clone()));
    }
    for (name, capture) in &firing.named {
        values.push((Arc::clone(name).into(), Value::Text(Arc::clone(capture))));
    }
    let result = StepResult::Caused(firing.cause.clone());
    Step { values, ..Step::new(&firing.path, core.now(), StepKind::Trigger, result) }
}

fn record(core: &mut Core, rule: &Rule, firing: &Firing, outcome: Outcome, steps: Vec<Step>) {
    if rule.invariant.is_some() {
        // It says itself what there is to say.
        return;
    }
    let (rule, now, cause) = (rule.id.clone(), core.now(), firing.cause.clone());
    core.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause, steps });
}
