//! Actions on other rules: `run`, `enable`, `disable`, `cancel`.

use std::sync::Arc;

use crate::model::{Map, Name, RuleId};
use crate::rules::RuleReference;
use crate::script::{Failure, Template};

use crate::engine::action::perform::Act;
use crate::engine::firing::Firing;
use crate::engine::live::table::LiveId;
use crate::engine::run::admission::{Admission, Candidate};
use crate::engine::run::stepper::Next;
use crate::engine::run::{Caller, Part, Waiting};
use crate::engine::trigger::dispatch::Incoming;
use crate::engine::{Cause, CauseKind, Engine, Outcome, StepKind, StepResult, StoppedBy};

/// How deep runs may call one another without a wait.
const DEEPEST_CALL: u32 = 16;

impl Engine {
    /// `run`: another rule's `then`, in its mode; the thread waits for it.
    pub(crate) fn call_rule(
        &mut self,
        act: &mut Act<'_>,
        reference: &RuleReference,
        with: &[(Name, Template)],
    ) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        let mut given = Map::new();
        for (name, template) in with {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            given.insert(Arc::clone(name), value);
        }
        if act.rule.dry_run {
            let result = StepResult::Would(Box::new(StepResult::Rule(id)));
            self.note_step(act.run, &act.action.path, StepKind::Run, result);
            return Ok(Next::GoOn);
        }
        let Some(known) = self.live.get(&slot) else { return Err(Failure::plain(format!("no rule `{id}`"))) };
        if !known.is_enabled() {
            return Err(Failure::plain(format!("`{id}` is disabled")));
        }
        if known.resting_until.is_some() {
            return Err(Failure::plain(format!("`{id}` rests after a loop")));
        }
        if act.run.call_depth >= DEEPEST_CALL {
            return Err(Failure::plain(format!("{DEEPEST_CALL} rules run one another in a chain")));
        }
        let rule = Arc::clone(&known.rule);
        if rule.then.is_none() {
            return Err(Failure::plain(format!("`{id}` has no `then`")));
        }
        self.note_step(act.run, &act.action.path, StepKind::Run, StepResult::Rule(id.clone()));
        let cause = Cause {
            kind: CauseKind::Rule(act.rule.id.clone()),
            depth: act.run.firing.cause.depth,
            run: Some(act.run.id),
            armed: None,
        };
        let firing = Firing::of_cause(Arc::clone(&act.action.path), cause);
        let variables = self.compute_variables(&slot, &rule, &firing, given)?;
        let key = self.key(&slot, &rule, &firing, &variables)?;
        let caller = Caller { run: act.run.id, thread: act.thread };
        let admission = self.admit(Candidate {
            slot,
            rule,
            part: Part::Then,
            key,
            firing,
            variables,
            steps: Vec::new(),
            caller: Some(caller),
            call_depth: act.run.call_depth + 1,
        });
        match admission {
            Admission::Admitted(callee) => Ok(Next::Wait(Waiting::Run(callee))),
            Admission::Dropped => Err(Failure::plain(format!("`{id}` runs already, and its mode drops this run"))),
        }
    }

    /// A run that another one called has ended.
    pub(crate) fn callee_ended(&mut self, caller: Caller, callee: &RuleId, outcome: &Outcome) {
        let why = match outcome {
            Outcome::Finished | Outcome::Stopped(_) | Outcome::Running => {
                return self.resume(caller.run, caller.thread, None);
            }
            Outcome::Cancelled(StoppedBy::Caller) => return,
            Outcome::Cancelled(_) | Outcome::Skipped(_) => format!("`{callee}` was cancelled"),
            Outcome::Failed(message) => format!("`{callee}` failed: {message}"),
        };
        let why = Failure::plain(why);
        if self.at_work.as_ref().is_some_and(|(at_work, _)| *at_work == caller.run) {
            // Another thread of the caller ended it: the caller hears of it once it waits.
            let (run, thread) = (caller.run, caller.thread);
            self.inbox.push_back(Incoming::WaitFailed { run, thread, why });
            return;
        }
        self.fail_waiting(caller.run, caller.thread, StepKind::Run, &why);
    }

    pub(crate) fn switch_rule(
        &mut self,
        act: &mut Act<'_>,
        reference: &RuleReference,
        is_enabled: bool,
    ) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        let kind = if is_enabled { StepKind::Enable } else { StepKind::Disable };
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, kind, StepResult::Would(Box::new(StepResult::Rule(id))));
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, kind, StepResult::Rule(id));
        self.switch(&slot, is_enabled);
        Ok(Next::GoOn)
    }

    pub(crate) fn cancel_rule(&mut self, act: &mut Act<'_>, reference: &RuleReference) -> Result<Next, Failure> {
        let (id, slot) = self.referred(act, reference)?;
        if act.rule.dry_run {
            let result = StepResult::Would(Box::new(StepResult::Rule(id)));
            self.note_step(act.run, &act.action.path, StepKind::Cancel, result);
            return Ok(Next::GoOn);
        }
        self.note_step(act.run, &act.action.path, StepKind::Cancel, StepResult::Rule(id));
        self.cancel_runs(&slot, StoppedBy::Cancel);
        Ok(Next::GoOn)
    }

    /// Returns the rule that an action names.
    fn referred(&mut self, act: &mut Act<'_>, reference: &RuleReference) -> Result<(RuleId, LiveId), Failure> {
        let id = match reference {
            RuleReference::Fixed(id) => id.clone(),
            RuleReference::Template(template) => {
                let text = self.in_scope(act, |engine, scope, reads| engine.text(scope, template, reads))?;
                let found = self.evaluator.world.rule_names.find(&text, act.rule.id.file());
                match found.as_slice() {
                    [id] => id.clone(),
                    [] => return Err(Failure::plain(format!("no rule `{text}`"))),
                    _ => return Err(Failure::plain(format!("several rules are called `{text}`: name the file too"))),
                }
            }
        };
        let slot = self.live.find(&id).cloned().ok_or_else(|| Failure::plain(format!("no rule `{id}`")))?;
        Ok((id, slot))
    }
}
