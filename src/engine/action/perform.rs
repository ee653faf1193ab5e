//! Does one action: each kind has its file, and the small ones stand here.

use crate::engine::condition::judgement::Judgement;
use crate::engine::device::set;
use crate::engine::instant::later;
use crate::engine::people::{input, notify};
use crate::engine::run::thread::Waiting;
use crate::engine::run::wait;
use crate::engine::trace::{Fault, Outcome, StepKind, StepResult, StopReason};
use crate::engine::waits;
use crate::model::format_size;
use crate::rules::{Action, ActionKind, Case, Condition, DurationTemplate, LogLevel, OnError};
use crate::script::{Expression, Failure, Template};

use super::act::Act;
use super::next::Next;
use super::{call, extend, publish, repeat, request, restore, script, snapshot, variables};

/// Does an action of a thread.
///
/// # Errors
/// When it fails; the trace says so already.
pub(crate) fn act(act: &mut Act<'_>) -> Result<Next, Failure> {
    waits::note(act.at.core);
    let done = perform(act);
    if let Err(failure) = &done {
        act.at.note_failure(&act.action.path, StepKind::of(&act.action.kind), failure);
        if act.action.on_error == OnError::Continue {
            act.at.core.log(Some(&act.at.rule.id), LogLevel::Warn, Fault::from(failure).to_string());
        }
    }
    done
}

/// Does an action, without a word in the trace where it fails.
///
/// # Errors
/// When it fails.
pub(crate) fn perform(act: &mut Act<'_>) -> Result<Next, Failure> {
    let most = act.at.core.options.limits.run();
    if act.at.run.made.at(act.at.core.now()) > most {
        let why = format!("a run can't make more than {} without a wait", format_size(most));
        return Err(Failure::plain(why));
    }
    match &act.action.kind {
        ActionKind::Publish(messages) => publish::publish_all(act, messages),
        ActionKind::Scene { messages, sets, .. } => {
            match publish::publish_all(act, messages)? {
                Next::GoOn => {}
                other => return Ok(other),
            }
            set::set_all(act, sets)
        }
        ActionKind::SceneByName(name) => scene(act, name),
        ActionKind::Set(command) => set::set(act, command),
        ActionKind::Input(values) => input::act(act, values),
        ActionKind::Notify(told) => notify::act::act(act, told),
        ActionKind::Script(closure) => script::call(act, closure),
        ActionKind::Delay(duration) => delay(act, duration),
        ActionKind::Wait(wait) => wait::begin(act, wait),
        ActionKind::If { condition, then, otherwise } => {
            let branch = match act.at.judge(condition)?.0 {
                Judgement::True => Some(*then),
                Judgement::False(_) => *otherwise,
                // Unknown: neither branch, and on it goes.
                Judgement::Unknown(_) | Judgement::Failed(_) => None,
            };
            Ok(branch.map_or(Next::GoOn, Next::Enter))
        }
        ActionKind::Choose { branches, otherwise } => {
            let conditions = branches.iter().map(|branch| &branch.condition);
            let chosen = first_that_holds(act, conditions)?.and_then(|index| branches.get(index));
            Ok(chosen.map(|branch| branch.then).or(*otherwise).map_or(Next::GoOn, Next::Enter))
        }
        ActionKind::ChooseCase { on, cases, otherwise } => {
            let chosen = choose_case(act, on, cases)?;
            Ok(chosen.map(|case| case.then).or(*otherwise).map_or(Next::GoOn, Next::Enter))
        }
        ActionKind::Repeat { kind, .. } => repeat::begin(act, kind),
        ActionKind::Parallel(blocks) => Ok(Next::Fork(blocks.clone())),
        ActionKind::Let(variables) => variables::set(act, variables),
        ActionKind::Remember(variables) => variables::remember(act, variables),
        ActionKind::Run { rule, with, waits, on_dropped } => call::run(act, rule, with, (*waits, *on_dropped)),
        ActionKind::Switch { rule, is_enabled } => call::switch(act, rule, *is_enabled),
        ActionKind::Cancel(rule) => call::cancel(act, rule),
        ActionKind::Extend { rule, to } => extend::extend(act, rule, to),
        ActionKind::Forget(rule) => call::forget(act, rule),
        ActionKind::Resume(rule) => call::resume(act, rule),
        ActionKind::Snapshot(snapshot) => snapshot::take(act, snapshot),
        ActionKind::Restore { name, to } => restore::restore(act, name, to.as_ref()),
        ActionKind::Log { text, level } => log(act, text, *level),
        ActionKind::Http(http) => request::http(act, http),
        ActionKind::Exec(exec) => request::exec(act, exec),
        ActionKind::Stop(reason) => stop(act, reason),
    }
}

/// Publishes the scene whose name the run computes.
fn scene(act: &mut Act<'_>, name: &Template) -> Result<Next, Failure> {
    let name = act.evaluate(|engine, scope, reads| engine.text(scope, name, reads))?;
    let scene = act.at.rule.scenes.get(&*name).cloned();
    let kind = scene.ok_or_else(|| Failure::plain(format!("there is no scene `{name}`")))?;
    let action = Action { kind, ..act.action.clone() };
    perform(&mut act.instead(&action))
}

fn delay(act: &mut Act<'_>, duration: &DurationTemplate) -> Result<Next, Failure> {
    let duration = act.evaluate(|engine, scope, reads| engine.duration(scope, duration, reads))?;
    act.note(StepKind::Delay, StepResult::Lasts(duration));
    Ok(Next::Wait(Waiting::Time(later(act.at.core.now(), duration))))
}

/// Returns the index of the first condition that holds.
fn first_that_holds<'a>(
    act: &mut Act<'_>,
    conditions: impl Iterator<Item = &'a Condition>,
) -> Result<Option<usize>, Failure> {
    for (index, condition) in conditions.enumerate() {
        if act.at.holds(condition)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn choose_case<'a>(act: &mut Act<'_>, on: &Expression, cases: &'a [Case]) -> Result<Option<&'a Case>, Failure> {
    let value = act.evaluate(|engine, scope, reads| engine.value(scope, on, reads))?;
    let case = cases.iter().find(|case| value.matches(&case.value));
    let result = match case {
        Some(_) => StepResult::Case(value),
        None => StepResult::NoCase { value, cases: cases.iter().map(|case| case.value.clone()).collect() },
    };
    act.note(StepKind::Choose, result);
    Ok(case)
}

fn log(act: &mut Act<'_>, text: &Template, level: LogLevel) -> Result<Next, Failure> {
    let text = act.evaluate(|engine, scope, reads| engine.render(scope, text, reads))?.to_string();
    act.note(StepKind::Log, StepResult::Text(text.clone()));
    act.at.core.log(Some(&act.at.rule.id), level, text);
    Ok(Next::GoOn)
}

fn stop(act: &mut Act<'_>, reason: &Template) -> Result<Next, Failure> {
    let reason = act.evaluate(|engine, scope, reads| engine.render(scope, reason, reads))?.to_string();
    act.note(StepKind::Stop, StepResult::Text(reason.clone()));
    Ok(Next::End(Outcome::Stopped(StopReason::Action(reason))))
}
