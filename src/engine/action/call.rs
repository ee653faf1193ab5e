//! Actions on other rules: `run`, `enable`, `disable`, `cancel`.

use std::sync::Arc;

use crate::engine::live::id::LiveId;
use crate::engine::live::subscriptions::Fact;
use crate::engine::run::admission::{self, Admission, Candidate};
use crate::engine::run::thread::Waiting;
use crate::engine::run::{Caller, RunList, lifecycle};
use crate::engine::trace::{Cause, CauseKind, StepKind, StepResult, StoppedBy};
use crate::engine::trigger::firing::Firing;
use crate::engine::while_rule::switch;
use crate::engine::yielding::end;
use crate::model::{Map, Name, RuleId};
use crate::rules::{OnDropped, RuleReference};
use crate::script::{Failure, Template};

use super::act::Act;
use super::next::Next;

/// How deep runs may call one another without a wait.
const DEEPEST_CALL: u32 = 16;

/// `run`: another rule's `then`, in its mode; the thread waits for it if it's told to.
///
/// # Errors
/// When there is no such rule, or it can't run now and that counts.
pub(crate) fn run(
    act: &mut Act<'_>,
    reference: &RuleReference,
    with: &[(Name, Template)],
    (waits, on_dropped): (bool, OnDropped),
) -> Result<Next, Failure> {
    let (name, id) = find(act, reference)?;
    let dropped = |why: String| match on_dropped {
        OnDropped::Fail => Err(Failure::plain(why)),
        OnDropped::Continue => Ok(Next::GoOn),
    };
    let mut given = Map::default();
    for (name, template) in with {
        let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
        given.insert(Arc::clone(name), value);
    }
    if act.at.rule.dry_run {
        act.note(StepKind::Run, StepResult::Would(Box::new(StepResult::Rule(name))));
        return Ok(Next::GoOn);
    }
    let live = act.at.core.live.get(id);
    if !live.is_enabled() {
        return dropped(format!("`{name}` is disabled"));
    }
    if live.resting_until.is_some() {
        return Err(Failure::plain(format!("`{name}` is paused after a loop")));
    }
    if act.at.run.call_depth >= DEEPEST_CALL {
        return Err(Failure::plain(format!("{DEEPEST_CALL} rules run one another in a chain")));
    }
    let rule = Arc::clone(&live.rule);
    if rule.then.is_none() {
        return Err(Failure::plain(format!("`{name}` has no `then`")));
    }
    act.note(StepKind::Run, StepResult::Rule(name.clone()));
    let cause = Cause {
        kind: CauseKind::Rule(act.at.rule.id.clone()),
        depth: act.at.run.firing.cause.depth,
        run: Some(act.at.run.id),
        armed: None,
    };
    let firing = Firing::of_cause(Arc::clone(&act.action.path), cause);
    let (variables, key) = admission::variables_and_key(act.at.core, id, &rule, &firing, given)?;
    let caller = waits.then_some(Caller { run: act.at.run.id, thread: act.at.thread });
    let (list, steps, call_depth) = (RunList::Then, Vec::new(), act.at.run.call_depth + 1);
    let candidate = Candidate { id, rule, list, key, firing, variables, steps, caller, call_depth, has_room: false };
    match admission::admit(act.at.core, candidate) {
        Admission::Admitted(callee) if waits => Ok(Next::Wait(Waiting::Run(callee))),
        Admission::Admitted(_) => Ok(Next::GoOn),
        Admission::NoRoom(found) => Err(Failure::plain(format!("`{name}` can't run now: {found}"))),
        Admission::Dropped => dropped(format!("`{name}` runs already, and its mode drops this run")),
    }
}

/// `enable` and `disable`.
///
/// # Errors
/// When there is no such rule.
pub(crate) fn switch(act: &mut Act<'_>, reference: &RuleReference, is_enabled: bool) -> Result<Next, Failure> {
    let (name, id) = find(act, reference)?;
    let kind = if is_enabled { StepKind::Enable } else { StepKind::Disable };
    if act.at.rule.dry_run {
        act.note(kind, StepResult::Would(Box::new(StepResult::Rule(name))));
        return Ok(Next::GoOn);
    }
    act.note(kind, StepResult::Rule(name));
    switch::switch(act.at.core, id, is_enabled);
    Ok(Next::GoOn)
}

/// `cancel`: ends a rule's runs.
///
/// # Errors
/// When there is no such rule.
pub(crate) fn cancel(act: &mut Act<'_>, reference: &RuleReference) -> Result<Next, Failure> {
    let (name, id) = find(act, reference)?;
    if act.at.rule.dry_run {
        act.note(StepKind::Cancel, StepResult::Would(Box::new(StepResult::Rule(name))));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Cancel, StepResult::Rule(name));
    lifecycle::cancel_runs(act.at.core, id, StoppedBy::Cancel);
    Ok(Next::GoOn)
}

/// `forget`: clears what a rule remembers.
///
/// # Errors
/// When there is no such rule.
pub(crate) fn forget(act: &mut Act<'_>, reference: &RuleReference) -> Result<Next, Failure> {
    let (name, id) = find(act, reference)?;
    if act.at.rule.dry_run {
        act.note(StepKind::Forget, StepResult::Would(Box::new(StepResult::Rule(name))));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Forget, StepResult::Rule(name));
    act.at.core.live.edit(id).memory = Arc::default();
    act.at.core.fact_changed(Fact::Memory(id), act.at.run.as_cause());
    Ok(Next::GoOn)
}

/// `resume`: ends the override of a rule.
///
/// # Errors
/// When there is no such rule.
pub(crate) fn resume(act: &mut Act<'_>, reference: &RuleReference) -> Result<Next, Failure> {
    let (name, id) = find(act, reference)?;
    if act.at.rule.dry_run {
        act.note(StepKind::Resume, StepResult::Would(Box::new(StepResult::Rule(name))));
        return Ok(Next::GoOn);
    }
    act.note(StepKind::Resume, StepResult::Rule(name));
    let cause = act.at.run.as_cause();
    end::resume(act.at.core, id, &cause);
    Ok(Next::GoOn)
}

/// Returns the rule that an action names.
pub(super) fn find(act: &mut Act<'_>, reference: &RuleReference) -> Result<(RuleId, LiveId), Failure> {
    let name = match reference {
        RuleReference::Fixed(id) => id.clone(),
        RuleReference::Template(template) => {
            let text = act.evaluate(|engine, scope, reads| engine.text(scope, template, reads))?;
            let found = act.at.core.evaluator.world.rule_names.find(&text, act.at.rule.id.file());
            match found.as_slice() {
                [id] => id.clone(),
                [] => return Err(Failure::plain(format!("no rule `{text}`"))),
                _ => return Err(Failure::plain(format!("several rules are called `{text}`: name the file too"))),
            }
        }
    };
    let id = act.at.core.live.find(&name).ok_or_else(|| Failure::plain(format!("no rule `{name}`")))?;
    Ok((name, id))
}
