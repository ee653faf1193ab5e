//! `repeat`: begins a loop; its turns are `run::repeat`'s.

use crate::engine::run::thread::{Frame, Repeat};
use crate::engine::run::wait::{self, OpenFor};
use crate::engine::trace::{StepKind, StepResult};
use crate::model::Value;
use crate::rules::{Condition, RepeatKind, Until};
use crate::script::Failure;

use super::act::Act;
use super::next::Next;

/// Begins a loop.
///
/// # Errors
/// When what it is given fails, or isn't a number, a list or an interval.
pub(crate) fn begin(act: &mut Act<'_>, kind: &RepeatKind) -> Result<Next, Failure> {
    let now = act.at.core.now();
    let mut repeat = Repeat { at: act.place, turn: 0, times: None, items: Vec::new(), interval: None, turn_due: now };
    match kind {
        RepeatKind::Times(times) => {
            let times = act.evaluate(|engine, scope, reads| engine.render(scope, times, reads))?;
            repeat.times = Some(whole_number(&times)?);
        }
        RepeatKind::Each(list) => {
            let list = act.evaluate(|engine, scope, reads| engine.render(scope, list, reads))?;
            let Value::List(items) = &list else {
                return Err(Failure::plain(format!("`each` needs a list, and this is {}: {list}", list.kind())));
            };
            repeat.times = Some(items.len() as u64);
            repeat.items = items.to_vec();
        }
        RepeatKind::While(_) | RepeatKind::Until(_) => {}
        RepeatKind::Every { interval, until } => {
            let interval = act.evaluate(|engine, scope, reads| engine.duration(scope, interval, reads))?;
            if interval.is_zero() {
                return Err(Failure::plain("`every` of a `repeat` can't be 0s"));
            }
            repeat.interval = Some(interval);
            open_until(act, &repeat, until)?;
        }
    }
    act.note(StepKind::Repeat, StepResult::Done);
    Ok(Next::Loop(Box::new(repeat)))
}

/// Makes a `repeat` with `every` wait for what ends it.
fn open_until(act: &mut Act<'_>, repeat: &Repeat, until: &Until) -> Result<(), Failure> {
    match until {
        Until::Triggers(triggers) => wait::open_for_triggers(act, OpenFor::Fixed(triggers), None),
        Until::Formed(formed) => {
            let formed = wait::form_triggers(act, formed)?;
            wait::open_for_triggers(act, OpenFor::Formed(formed), None)
        }
        Until::Condition(condition) => open_until_condition(act, repeat, condition),
    }
}

/// Makes a `repeat` follow what its condition reads: its answer counts after the first turn, which is at hand.
fn open_until_condition(act: &mut Act<'_>, repeat: &Repeat, condition: &Condition) -> Result<(), Failure> {
    let first = Repeat { turn: 1, ..repeat.clone() };
    let steps = act.at.run.steps.len();
    if let Some(thread) = act.at.thread() {
        thread.frames.push(Frame::Repeat(first));
    }
    let judged = act.at.judge(condition);
    if let Some(thread) = act.at.thread() {
        thread.frames.pop();
    }
    let (_, reads) = judged?;
    act.at.run.steps.truncate(steps);
    wait::open_for_condition(act, reads, None);
    Ok(())
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
