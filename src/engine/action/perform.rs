//! Does one action (spec 2.6).

use std::sync::Arc;

use crate::model::{Map, Name, Value};
use crate::rules::{Action, ActionKind, Condition, DurationTemplate, LogLevel, OnError, RepeatKind, Rule, Until};
use crate::script::{Failure, Reads, Template};

use crate::engine::condition::judge::{Judging, Verdict};
use crate::engine::condition::scope::Scope;
use crate::engine::live::table::{Fact, LiveId};
use crate::engine::run::stepper::Next;
use crate::engine::run::wait::Awaited;
use crate::engine::run::{ActionPlace, Frame, Repeat, Run, Waiting};
use crate::engine::trigger::dispatch::holds;
use crate::engine::trigger::state::later;
use crate::engine::{Engine, Fault, Outcome, StepKind, StepResult, StopReason};

/// One action of a run that is being done.
pub(crate) struct Act<'a> {
    pub(crate) slot: &'a LiveId,
    pub(crate) rule: &'a Rule,
    pub(crate) run: &'a mut Run,
    pub(crate) thread: u32,
    pub(crate) action: &'a Action,
}

impl Engine {
    /// Does one action of a thread.
    ///
    /// # Errors
    /// When it fails; the trace says so already.
    pub(crate) fn act(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        place: ActionPlace,
        action: &Action,
    ) -> Result<Next, Failure> {
        let done = self.perform(&mut Act { slot, rule, run, thread, action }, place);
        if let Err(failure) = &done {
            self.note_failure(run, &action.path, step_kind(&action.kind), failure);
            if action.on_error == OnError::Continue {
                self.say(Some(&rule.id), LogLevel::Warn, Fault::from(failure).to_string());
            }
        }
        done
    }

    /// Does an action, without a word in the trace where it fails.
    pub(crate) fn perform(&mut self, act: &mut Act<'_>, place: ActionPlace) -> Result<Next, Failure> {
        let action = act.action;
        let path = &action.path;
        match &action.kind {
            ActionKind::Publish(messages) | ActionKind::Scene { messages, .. } => self.publish_all(act, messages),
            ActionKind::SceneByName(name) => {
                let name = self.in_scope(act, |engine, scope, reads| engine.text(scope, name, reads))?;
                let scene = act.rule.scenes.get(&*name).cloned();
                let kind = scene.ok_or_else(|| Failure::plain(format!("there is no scene `{name}`")))?;
                let action = Action { kind, ..action.clone() };
                let (slot, rule, thread) = (act.slot, act.rule, act.thread);
                self.perform(&mut Act { slot, rule, run: &mut *act.run, thread, action: &action }, place)
            }
            ActionKind::Script(closure) => self.call_closure(act, place, closure),
            ActionKind::Delay(duration) => self.delay(act, duration),
            ActionKind::Wait(wait) => self.begin_wait(act.slot, act.rule, act.run, act.thread, place, wait),
            ActionKind::If { condition, then, otherwise } => {
                let branch = match self.judge_action(act, condition)? {
                    Verdict::True => Some(*then),
                    Verdict::False(_) => *otherwise,
                    // Unknown: neither branch, and on it goes.
                    Verdict::Unknown(_) | Verdict::Failed(_) => None,
                };
                Ok(branch.map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::Choose { branches, otherwise } => {
                let mut chosen = *otherwise;
                for branch in branches {
                    if holds(&self.judge_action(act, &branch.condition)?) {
                        chosen = Some(branch.then);
                        break;
                    }
                }
                Ok(chosen.map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::ChooseCase { on, cases, otherwise } => {
                let value = self.in_scope(act, |engine, scope, reads| engine.value(scope, on, reads))?;
                let case = cases.iter().find(|case| value.matches(&case.value));
                let result = match case {
                    Some(_) => StepResult::Case(value.clone()),
                    None => {
                        let cases = cases.iter().map(|case| case.value.clone()).collect();
                        StepResult::NoCase { value: value.clone(), cases }
                    }
                };
                self.note_step(act.run, path, StepKind::Choose, result);
                Ok(case.map(|case| case.then).or(*otherwise).map_or(Next::GoOn, Next::Enter))
            }
            ActionKind::Repeat { kind, .. } => self.begin_repeat(act, place, kind),
            ActionKind::Parallel(blocks) => Ok(Next::Fork(blocks.clone())),
            ActionKind::Let(variables) => self.set_variables(act, variables),
            ActionKind::Remember(variables) => self.remember(act, variables),
            ActionKind::Run { rule, with } => self.call_rule(act, rule, with),
            ActionKind::Switch { rule, is_enabled } => self.switch_rule(act, rule, *is_enabled),
            ActionKind::Cancel(rule) => self.cancel_rule(act, rule),
            ActionKind::Log { text, level } => self.log(act, text, *level),
            ActionKind::Http(http) => self.http(act, http),
            ActionKind::Exec(exec) => self.exec(act, exec),
            ActionKind::Stop(reason) => {
                let reason = self.in_scope(act, |engine, scope, reads| engine.render(scope, reason, reads))?;
                let reason = reason.to_string();
                self.note_step(act.run, path, StepKind::Stop, StepResult::Text(reason.clone()));
                Ok(Next::End(Outcome::Stopped(StopReason::Action(reason))))
            }
        }
    }

    fn delay(&mut self, act: &mut Act<'_>, duration: &DurationTemplate) -> Result<Next, Failure> {
        let duration = self.in_scope(act, |engine, scope, reads| engine.duration(scope, duration, reads))?;
        self.note_step(act.run, &act.action.path, StepKind::Delay, StepResult::Lasts(duration));
        Ok(Next::Wait(Waiting::Time(later(self.now(), duration))))
    }

    fn begin_repeat(&mut self, act: &mut Act<'_>, at: ActionPlace, kind: &RepeatKind) -> Result<Next, Failure> {
        let now = self.now();
        let mut repeat = Repeat { at, turn: 0, times: None, items: Vec::new(), interval: None, turn_due: now };
        match kind {
            RepeatKind::Times(times) => {
                let times = self.in_scope(act, |engine, scope, reads| engine.render(scope, times, reads))?;
                repeat.times = Some(whole_number(&times)?);
            }
            RepeatKind::Each(list) => {
                let list = self.in_scope(act, |engine, scope, reads| engine.render(scope, list, reads))?;
                let Value::List(items) = &list else {
                    return Err(Failure::plain(format!("`each` needs a list, and this is {}: {list}", list.kind())));
                };
                repeat.times = Some(items.len() as u64);
                repeat.items = items.to_vec();
            }
            RepeatKind::While(_) | RepeatKind::Until(_) => {}
            RepeatKind::Every { interval, until } => {
                let interval = self.in_scope(act, |engine, scope, reads| engine.duration(scope, interval, reads))?;
                if interval.is_zero() {
                    return Err(Failure::plain("`every` of a `repeat` can't be 0s"));
                }
                repeat.interval = Some(interval);
                self.listen_until(act, &repeat, until)?;
            }
        }
        self.note_step(act.run, &act.action.path, StepKind::Repeat, StepResult::Done);
        Ok(Next::Loop(Box::new(repeat)))
    }

    /// Makes a `repeat` with `every` listen for what ends it.
    fn listen_until(&mut self, act: &mut Act<'_>, repeat: &Repeat, until: &Until) -> Result<(), Failure> {
        let (slot, rule, run, thread) = (act.slot, act.rule, &mut *act.run, act.thread);
        match until {
            Until::Triggers(triggers) => {
                self.open_trigger_wait(slot, rule, run, thread, repeat.at, Awaited::Fixed(triggers), None)
            }
            Until::Formed(formed) => {
                let formed = self.form_triggers(slot, rule, run, thread, repeat.at, formed)?;
                self.open_trigger_wait(slot, rule, run, thread, repeat.at, Awaited::Formed(formed), None)
            }
            Until::Condition(condition) => {
                // Only what it reads counts: it is asked after the first turn, which is at hand.
                let first = Repeat { turn: 1, ..repeat.clone() };
                let steps = run.steps.len();
                if let Some(thread) = run.threads.get_mut(thread) {
                    thread.frames.push(Frame::Repeat(first));
                }
                let judged = self.judge_condition_in_run(slot, rule, run, thread, condition);
                if let Some(thread) = run.threads.get_mut(thread) {
                    thread.frames.pop();
                }
                let (_, reads) = judged?;
                run.steps.truncate(steps);
                self.open_condition_wait(slot, run, thread, repeat.at, reads, None);
                Ok(())
            }
        }
    }

    fn set_variables(&mut self, act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
        for (name, template) in variables {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            let result = StepResult::Set(Arc::clone(name), value.clone());
            self.note_step(act.run, &act.action.path, StepKind::Let, result);
            act.run.variables.insert(Arc::clone(name), value);
        }
        Ok(Next::GoOn)
    }

    fn remember(&mut self, act: &mut Act<'_>, variables: &[(Name, Template)]) -> Result<Next, Failure> {
        for (name, template) in variables {
            let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, template, reads))?;
            let result = StepResult::Set(Arc::clone(name), value.clone());
            self.note_step(act.run, &act.action.path, StepKind::Remember, result);
            if let Some(slot) = self.live.get_mut(act.slot) {
                Arc::make_mut(&mut slot.memory).insert(Arc::clone(name), value);
            }
        }
        self.unsaved.rules.insert(act.slot.clone());
        self.note_changed(Fact::Memory(act.slot.clone()), act.run.as_cause());
        Ok(Next::GoOn)
    }

    fn log(&mut self, act: &mut Act<'_>, text: &Template, level: LogLevel) -> Result<Next, Failure> {
        let text = self.in_scope(act, |engine, scope, reads| engine.render(scope, text, reads))?.to_string();
        self.note_step(act.run, &act.action.path, StepKind::Log, StepResult::Text(text.clone()));
        self.say(Some(&act.rule.id), level, text);
        Ok(Next::GoOn)
    }

    /// Judges the condition of an `if` or `choose`, and notes it in the trace.
    ///
    /// # Errors
    /// When it fails.
    fn judge_action(&mut self, act: &mut Act<'_>, condition: &Condition) -> Result<Verdict, Failure> {
        let (verdict, _) = self.judge_condition_in_run(act.slot, act.rule, act.run, act.thread, condition)?;
        Ok(verdict)
    }

    /// Judges a loop's condition; unknown counts as false.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn judge_in_run(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        condition: &Condition,
    ) -> Result<bool, Failure> {
        let (verdict, _) = self.judge_condition_in_run(slot, rule, run, thread, condition)?;
        Ok(holds(&verdict))
    }

    /// Judges a condition within a run, notes it in the trace, and returns what it read.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn judge_condition_in_run(
        &mut self,
        slot_id: &LiveId,
        rule: &Rule,
        run: &mut Run,
        thread: u32,
        condition: &Condition,
    ) -> Result<(Verdict, Reads), Failure> {
        let each_message = self.each_message(rule);
        let Some(slot) = self.live.get(slot_id) else { return Ok((Verdict::False(None), Reads::default())) };
        let scope = Scope {
            rule,
            memory: Arc::clone(&slot.memory),
            firing: Some(&run.firing),
            locals: &run.variables,
            thread: run.threads.get(thread).map(crate::engine::run::Thread::scope).unwrap_or_default(),
            each_message,
        };
        let mut judging = Judging::new(&scope, &slot.trackers);
        let verdict = self.evaluator.judge(&mut judging, condition);
        let (reads, steps) = (judging.reads, judging.steps);
        for step in steps {
            run.note(step);
        }
        match verdict {
            Verdict::Failed(failure) => Err(failure),
            verdict => Ok((verdict, reads)),
        }
    }

    /// Evaluates something in the scope of an action's thread.
    pub(crate) fn in_scope<T>(
        &mut self,
        act: &mut Act<'_>,
        evaluate: impl FnOnce(
            &mut crate::engine::condition::evaluator::Evaluator,
            &Scope<'_>,
            &mut Reads,
        ) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let with_constants = match &act.action.kind {
            ActionKind::Scene { constants, .. } if !constants.is_empty() => {
                let variables = act.run.variables.iter().map(|(name, value)| (Arc::clone(name), value.clone()));
                Some(variables.chain(constants.iter().cloned()).collect::<Map>())
            }
            _ => None,
        };
        let scope = Scope {
            rule: act.rule,
            memory: self.memory(act.slot),
            firing: Some(&act.run.firing),
            locals: with_constants.as_ref().unwrap_or(&act.run.variables),
            thread: act.run.threads.get(act.thread).map(crate::engine::run::Thread::scope).unwrap_or_default(),
            each_message: self.each_message(act.rule),
        };
        evaluate(&mut self.evaluator, &scope, &mut Reads::default())
    }
}

/// Returns what a step of this action is.
pub(crate) fn step_kind(kind: &ActionKind) -> StepKind {
    match kind {
        ActionKind::Publish(_) => StepKind::Publish,
        ActionKind::Scene { .. } | ActionKind::SceneByName(_) => StepKind::Scene,
        ActionKind::Script(_) => StepKind::Script,
        ActionKind::Delay(_) => StepKind::Delay,
        ActionKind::Wait(_) => StepKind::Wait,
        ActionKind::If { .. } => StepKind::If,
        ActionKind::Choose { .. } | ActionKind::ChooseCase { .. } => StepKind::Choose,
        ActionKind::Repeat { .. } => StepKind::Repeat,
        ActionKind::Parallel(_) => StepKind::Parallel,
        ActionKind::Let(_) => StepKind::Let,
        ActionKind::Remember(_) => StepKind::Remember,
        ActionKind::Run { .. } => StepKind::Run,
        ActionKind::Switch { is_enabled: true, .. } => StepKind::Enable,
        ActionKind::Switch { is_enabled: false, .. } => StepKind::Disable,
        ActionKind::Cancel(_) => StepKind::Cancel,
        ActionKind::Log { .. } => StepKind::Log,
        ActionKind::Http(_) => StepKind::Http,
        ActionKind::Exec(_) => StepKind::Exec,
        ActionKind::Stop(_) => StepKind::Stop,
    }
}

/// Returns a number of turns.
fn whole_number(value: &Value) -> Result<u64, Failure> {
    let number = match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and in range")]
        Value::Float(number) if number.fract() == 0.0 && (0.0..1e15).contains(number) => Some(*number as u64),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Failure::plain(format!("`times` needs a whole number, and this is {}: {value}", value.kind())))
}
