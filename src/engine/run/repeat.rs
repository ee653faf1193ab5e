//! The turns of a `repeat`.

use crate::engine::action::next::Next;
use crate::engine::instant::later;
use crate::rules::{ActionKind, RepeatKind, Until};
use crate::script::Failure;

use super::Run;
use super::cursor::Cursor;
use super::thread::{Frame, Repeat, Waiting};
use super::unwind::leave_repeat;

/// How many turns of loops a run may do without a wait (docs/language/actions.md).
const MOST_TURNS: u32 = 10_000;

/// Begins the next turn of the loop that the thread is in, or leaves it.
pub(crate) fn begin_turn(cursor: &mut Cursor<'_>) -> Result<Next, Failure> {
    let now = cursor.core.now();
    let rule = cursor.rule;
    let Some((repeat, depth)) = innermost(cursor.run, cursor.thread) else { return Ok(Next::GoOn) };
    let (place, turn, times) = (repeat.at, repeat.turn, repeat.times);
    let Some(ActionKind::Repeat { kind, body }) = place.action(rule).map(|action| &action.kind) else {
        return Ok(Next::GoOn);
    };
    let goes_on = match kind {
        RepeatKind::Times(_) | RepeatKind::Each(_) => times.is_some_and(|times| u64::from(turn) < times),
        RepeatKind::While(condition) => {
            // It's asked for the turn to come, so it sees that one's index.
            count(cursor, 1);
            let holds = cursor.holds(condition)?;
            count(cursor, -1);
            holds
        }
        RepeatKind::Until(_) | RepeatKind::Every { .. } => true,
    };
    if !goes_on {
        leave_repeat(cursor, depth);
        return Ok(Next::GoOn);
    }
    let run = &mut *cursor.run;
    if run.turns_at < now {
        (run.turns, run.turns_at) = (0, now);
    }
    run.turns += 1;
    if run.turns > MOST_TURNS {
        return Err(Failure::plain(format!("{MOST_TURNS} turns of a `repeat` without a wait")));
    }
    if let Some(repeat) = innermost_mut(run, cursor.thread) {
        repeat.turn += 1;
        // After downtime, later turns count from this one.
        repeat.turn_due = repeat.turn_due.max(now);
    }
    Ok(Next::Enter(*body))
}

/// A turn is over: asks `until`, and waits for the next turn's time.
pub(crate) fn after_turn(cursor: &mut Cursor<'_>) -> Result<Next, Failure> {
    let rule = cursor.rule;
    let Some((repeat, depth)) = innermost(cursor.run, cursor.thread) else { return Ok(Next::GoOn) };
    let Some(ActionKind::Repeat { kind, .. }) = repeat.at.action(rule).map(|action| &action.kind) else {
        return Ok(Next::GoOn);
    };
    let until = match kind {
        RepeatKind::Until(condition) | RepeatKind::Every { until: Until::Condition(condition), .. } => Some(condition),
        RepeatKind::Times(_) | RepeatKind::Each(_) | RepeatKind::While(_) | RepeatKind::Every { .. } => None,
    };
    if let Some(condition) = until
        && cursor.holds(condition)?
    {
        leave_repeat(cursor, depth);
        return Ok(Next::GoOn);
    }
    let now = cursor.core.now();
    let Some(repeat) = innermost_mut(cursor.run, cursor.thread) else { return Ok(Next::GoOn) };
    let Some(interval) = repeat.interval else { return Ok(Next::GoOn) };
    // A turn longer than the interval delays the next one.
    repeat.turn_due = later(repeat.turn_due, interval).max(now);
    Ok(Next::Wait(Waiting::Time(repeat.turn_due)))
}

/// Moves the index of the loop that the thread is in.
fn count(cursor: &mut Cursor<'_>, by: i32) {
    if let Some(repeat) = innermost_mut(cursor.run, cursor.thread) {
        repeat.turn = repeat.turn.saturating_add_signed(by);
    }
}

/// Returns the loop whose frame is a thread's last, and how many frames there are before it.
fn innermost(run: &Run, thread: u32) -> Option<(&Repeat, usize)> {
    let frames = &run.threads.get(thread)?.frames;
    match frames.last()? {
        Frame::Repeat(repeat) => Some((repeat, frames.len() - 1)),
        Frame::Block { .. } => None,
    }
}

fn innermost_mut(run: &mut Run, thread: u32) -> Option<&mut Repeat> {
    match run.threads.get_mut(thread)?.frames.last_mut()? {
        Frame::Repeat(repeat) => Some(repeat),
        Frame::Block { .. } => None,
    }
}
