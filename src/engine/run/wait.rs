//! Waits: opens what a `wait`, or the `until` of a `repeat` with `every`, waits for, and goes on when it fires.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::condition::recheck::next_recheck;
use crate::engine::condition::turned::turned_at;
use crate::engine::core::Core;
use crate::engine::device::confirm;
use crate::engine::inbox::{Inbox, Incoming};
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::live::owner::Owner;
use crate::engine::live::subscriptions::{Part, Subscriber, Subscription};
use crate::engine::trace::{Awaited, Cause, CauseKind, Outcome, RunId, StepKind, StepResult, StopReason, WaitsFor};
use crate::engine::trigger::arm::{OfTriggers, arm, first_look};
use crate::engine::trigger::at_expression;
use crate::engine::trigger::firing::Firing;
use crate::engine::trigger::state::OutsideFirst;
use crate::engine::waits;
use crate::model::Value;
use crate::rules::{ActionKind, FormedTriggers, OnTimeout, Trigger, TriggerKind, Wait, WaitFor};
use crate::script::{Failure, Reads};

use super::cursor::Cursor;
use super::open_wait::{Formed, OpenWait};
use super::thread::{Frame, Waiting};
use super::unstarted::trigger_step;
use super::unwind::{fail_waiting, return_to_wait};
use super::{Run, lifecycle};

/// The triggers that a thread is to wait for.
pub(crate) enum OpenFor<'a> {
    /// Those of the rule.
    Fixed(&'a [Trigger]),
    /// Those that the run has made.
    Formed(Formed),
}

impl OpenFor<'_> {
    fn triggers(&self) -> &[Trigger] {
        match self {
            OpenFor::Fixed(triggers) => triggers,
            OpenFor::Formed(formed) => &formed.triggers,
        }
    }
}

/// Whether a `wait` ended because its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimedOut {
    Yes,
    No,
}

/// Does a `wait`: goes on at once where its condition holds already.
pub(crate) fn begin(act: &mut Act<'_>, wait: &Wait) -> Result<Next, Failure> {
    let timeout = match &wait.timeout {
        None => None,
        Some(timeout) => {
            let duration = act.evaluate(|engine, scope, reads| engine.duration(scope, timeout, reads))?;
            Some(later(act.at.core.now(), duration))
        }
    };
    let awaited = match &wait.what {
        WaitFor::Triggers(triggers) => Some(OpenFor::Fixed(triggers)),
        WaitFor::Formed(formed) => Some(OpenFor::Formed(form_triggers(act, formed)?)),
        WaitFor::Until(_) => None,
    };
    let events = match &awaited {
        Some(awaited) => awaited.triggers().iter().map(Awaited::from).collect(),
        None => Awaited::of_action(&act.action.kind),
    };
    act.note(StepKind::Wait, StepResult::WaitsFor(WaitsFor::Events { events, until: timeout }));
    if let Some(awaited) = awaited {
        open_for_triggers(act, awaited, timeout)?;
    }
    if let WaitFor::Until(condition) = &wait.what {
        let (verdict, reads) = act.at.judge(condition)?;
        if verdict.holds() {
            if let Some(thread) = act.at.thread() {
                thread.wait = wait_variable(None, TimedOut::No);
            }
            return Ok(Next::GoOn);
        }
        open_for_condition(act, reads, timeout);
    }
    Ok(Next::Wait(Waiting::OpenWait))
}

/// Makes the thread wait for triggers.
///
/// # Errors
/// When the expression of an `at` fails.
pub(crate) fn open_for_triggers(
    act: &mut Act<'_>,
    awaited: OpenFor<'_>,
    timeout: Option<Timestamp>,
) -> Result<(), Failure> {
    let (id, run, wait) = (act.at.id, act.at.run.id, act.at.run.next_wait);
    let owner = Owner::Wait(run, wait);
    let (mut states, mut followed) = (Vec::new(), Vec::new());
    for (index, trigger) in (0..=u16::MAX).zip(awaited.triggers()) {
        let mut state = first_look(trigger, &act.at.core.evaluator.world, OutsideFirst::Yes);
        if let TriggerKind::AtExpression { expression, weekdays, .. } = &trigger.kind {
            let (known, thread) = (act.at.run.known(), act.at.run.scope(act.at.thread));
            let core = &mut *act.at.core;
            let scope = core.scope_in_thread(id, act.at.rule, None, &known, thread);
            let now = core.now();
            let (due, reads) = at_expression::evaluate(&mut core.evaluator, &scope, expression, *weekdays, now);
            state.due = match due {
                Err(failure) if failure.without_value.is_some() => None,
                due => due?,
            };
            followed.extend(trigger.enabled.then_some((index, reads)));
        }
        states.push(state);
    }
    arm(act.at.core, OfTriggers { id, owner, triggers: awaited.triggers(), states: &states });
    for (index, reads) in followed {
        at_expression::follow(act.at.core, id, owner, index, reads);
    }
    let formed = match awaited {
        OpenFor::Fixed(_) => None,
        OpenFor::Formed(formed) => Some(formed),
    };
    open(act, OpenWait { id: wait, depth: 0, at: act.place, triggers: states, formed, timeout });
    Ok(())
}

/// Makes the thread wait for what its condition read to change.
pub(crate) fn open_for_condition(act: &mut Act<'_>, reads: Reads, timeout: Option<Timestamp>) {
    let wait = act.at.run.next_wait;
    follow_until(act.at.core, act.at.run, wait, reads);
    open(act, OpenWait { id: wait, depth: 0, at: act.place, triggers: Vec::new(), formed: None, timeout });
}

/// Makes the triggers that the thread is to wait for, of texts that read its variables.
///
/// # Errors
/// When a text fails, or isn't what the trigger needs.
pub(crate) fn form_triggers(act: &mut Act<'_>, formed: &FormedTriggers) -> Result<Formed, Failure> {
    let values = act.evaluate(|engine, scope, reads| {
        formed.texts.iter().map(|text| engine.render(scope, text, reads)).collect::<Result<Vec<Value>, Failure>>()
    })?;
    let place = Some(act.action.place.clone());
    let triggers = (formed.form)(&values).map_err(|message| Failure { place, ..Failure::plain(message) })?;
    Ok(Formed { values, triggers: triggers.into() })
}

/// Arms what a run waits for, after a restart or a reload.
pub(crate) fn arm_again(core: &mut Core, run: &mut Run) {
    let Some(id) = run.live else { return };
    confirm::arm_again(core, id, run);
    let rule = Arc::clone(&core.live.get(id).rule);
    for (thread_id, thread) in run.threads.iter() {
        if let Some(Waiting::Time(due)) = thread.waiting {
            core.deadlines.set(id, Due::Wake(run.id, thread_id), Some(due));
        }
        for wait in &thread.waits {
            let owner = Owner::Wait(run.id, wait.id);
            arm(core, OfTriggers { id, owner, triggers: wait.triggers(&rule), states: &wait.triggers });
            core.deadlines.set(id, Due::Timeout(run.id, wait.id), wait.timeout);
        }
    }
}

/// What a wait waits for has happened: a `wait` goes on, a `repeat` ends.
pub(crate) fn fires(core: &mut Core, run: RunId, wait: u64, firing: Option<Firing>) {
    end(core, run, wait, firing, TimedOut::No);
}

/// The time of a `wait` is over.
pub(crate) fn times_out(core: &mut Core, run: RunId, wait: u64) {
    end(core, run, wait, None, TimedOut::Yes);
}

/// Asks a wait's expressions once more, after a restart or a reload.
pub(crate) fn recheck(core: &mut Core, id: RunId, wait: u64) {
    let triggers = core.runs.get(id).and_then(|run| run.wait(wait)).map_or(0, |wait| wait.triggers.len());
    for index in (0..=u16::MAX).take(triggers) {
        recheck_at(core, id, wait, index);
    }
    recheck_until(core, id, wait, &Cause::outside(CauseKind::Condition));
}

/// At the start: an `until` that time alone made true while the daemon was down is asked when the deadlines of that time
/// fire. Returns what else is `pending`.
pub(crate) fn put_all_in_order(core: &mut Core, pending: Inbox) -> Inbox {
    let Some(alive_at) = core.alive_at else { return pending };
    pending.without(|incoming| match incoming {
        Incoming::RecheckWait { run, wait } => put_in_order(core, *run, *wait, alive_at),
        Incoming::Message { .. }
        | Incoming::FactChanged { .. }
        | Incoming::HomeEvent { .. }
        | Incoming::Told { .. }
        | Incoming::WaitFailed { .. }
        | Incoming::Event(_) => false,
    })
}

/// Where the daemon was last alive at `alive_at`: lets an `until` that time alone has made true since be asked when
/// the deadlines of that time fire. Returns false for all others.
fn put_in_order(core: &mut Core, id: RunId, wait: u64, alive_at: Timestamp) -> bool {
    let turned = turned_meanwhile(core, id, wait, alive_at);
    if let Some((rule, due)) = turned {
        core.deadlines.set(rule, Due::UntilRecheck(id, wait), Some(due));
    }
    turned.is_some()
}

/// Returns when time alone made an `until` true that wasn't at `alive_at`, and whose it is.
fn turned_meanwhile(core: &mut Core, id: RunId, wait: u64, alive_at: Timestamp) -> Option<(LiveId, Timestamp)> {
    let mut run = core.runs.take(id)?;
    let rule = run.live;
    let steps = run.steps.len();
    let due = turned_at(core, alive_at, true, |core| {
        let (id, thread) = (run.live?, run.thread_of_wait(wait)?);
        let rule = Arc::clone(&core.live.get(id).rule);
        let condition = run.wait(wait)?.condition(&rule)?;
        let answer = Cursor { core, id, rule: &rule, run: &mut run, thread }.judge(condition).ok();
        run.steps.truncate(steps);
        answer.map(|(verdict, reads)| (verdict.holds(), reads))
    });
    core.runs.put_unchanged(run);
    rule.zip(due)
}

/// Asks the expression of an `at` that a run waits for again.
pub(crate) fn recheck_at(core: &mut Core, run: RunId, wait: u64, index: u16) {
    let Some(id) = core.runs.get(run).and_then(|run| run.live) else { return };
    if let Err(failure) = at_expression::recheck(core, id, Owner::Wait(run, wait), index) {
        fail(core, run, wait, StepKind::At, &failure);
    }
}

/// Asks an `until` again, since something that it read may be different.
pub(crate) fn recheck_until(core: &mut Core, id: RunId, wait: u64, cause: &Cause) {
    waits::note(core);
    let Some(mut run) = core.runs.take(id) else { return };
    let answer = ask_until(core, &mut run, wait);
    if let Ok(true) = answer {
        let depth = &mut run.firing.cause.depth;
        *depth = match &cause.kind {
            CauseKind::Message { .. } => cause.depth,
            _ => cause.depth.max(*depth),
        };
    }
    core.runs.put_unchanged(run);
    match answer {
        Ok(true) => fires(core, id, wait, None),
        Ok(false) => {}
        Err(failure) => fail(core, id, wait, StepKind::Until, &failure),
    }
}

/// Fails the action that a wait belongs to, with all that is under way within it.
fn fail(core: &mut Core, id: RunId, wait: u64, kind: StepKind, failure: &Failure) {
    let Some(mut run) = core.runs.take(id) else { return };
    let thread = run.thread_of_wait(wait);
    if let (Some(thread), Some(rule_id)) = (thread, run.live) {
        let rule = Arc::clone(&core.live.get(rule_id).rule);
        let mut cursor = Cursor { core, id: rule_id, rule: &rule, run: &mut run, thread };
        return_to_wait(&mut cursor, wait);
        if let Some(thread) = cursor.thread() {
            thread.waiting = Some(Waiting::OpenWait);
        }
    }
    core.runs.put(run);
    if let Some(thread) = thread {
        fail_waiting(core, id, thread, kind, failure);
    }
}

fn open(act: &mut Act<'_>, mut wait: OpenWait) {
    act.at.run.next_wait += 1;
    act.at.core.deadlines.set(act.at.id, Due::Timeout(act.at.run.id, wait.id), wait.timeout);
    if let Some(thread) = act.at.thread() {
        wait.depth = thread.frames.len();
        thread.waits.push(wait);
    }
}

fn end(core: &mut Core, id: RunId, wait: u64, firing: Option<Firing>, timed_out: TimedOut) {
    let Some(mut run) = core.runs.take(id) else { return };
    match end_of(core, &mut run, wait, firing, timed_out) {
        Some(outcome) => lifecycle::end(core, run, outcome),
        None => {
            core.runs.put(run);
            core.runs.push_ready(id);
        }
    }
}

/// Returns how the run ends, where the time of a `wait` is over and that stops it.
fn end_of(core: &mut Core, run: &mut Run, wait: u64, firing: Option<Firing>, timed_out: TimedOut) -> Option<Outcome> {
    let id = run.live?;
    let rule = Arc::clone(&core.live.get(id).rule);
    let thread = run.thread_of_wait(wait)?;
    let action = run.wait(wait)?.at.action(&rule)?;
    if let Some(firing) = &firing {
        run.note(trigger_step(core, firing));
        if matches!(firing.cause.kind, CauseKind::Message { .. }) {
            // A message from outside begins a new chain.
            run.firing.cause.depth = firing.cause.depth;
        }
    }
    let mut cursor = Cursor { core, id, rule: &rule, run, thread };
    return_to_wait(&mut cursor, wait);
    let ActionKind::Wait(wait) = &action.kind else { return None };
    if timed_out == TimedOut::Yes {
        cursor.note(&action.path, StepKind::Wait, StepResult::TimedOut);
    }
    let thread = cursor.thread()?;
    thread.wait = wait_variable(firing.as_ref(), timed_out);
    match (timed_out, wait.on_timeout) {
        (TimedOut::No, _) | (TimedOut::Yes, OnTimeout::Continue) => None,
        (TimedOut::Yes, OnTimeout::Stop) => Some(Outcome::Stopped(StopReason::WaitTimedOut)),
        (TimedOut::Yes, OnTimeout::Do(block)) => {
            thread.frames.push(Frame::Block { block, next: 0 });
            None
        }
    }
}

/// Returns whether an `until` holds now, and follows what it read. A wait without a condition never holds.
fn ask_until(core: &mut Core, run: &mut Run, wait: u64) -> Result<bool, Failure> {
    let (Some(id), Some(thread)) = (run.live, run.thread_of_wait(wait)) else { return Ok(false) };
    let rule = Arc::clone(&core.live.get(id).rule);
    let Some(condition) = run.wait(wait).and_then(|wait| wait.condition(&rule)) else { return Ok(false) };
    let steps = run.steps.len();
    let (verdict, reads) = Cursor { core, id, rule: &rule, run, thread }.judge(condition)?;
    let holds = verdict.holds();
    if !holds {
        // Only the answer that ends it belongs in the trace.
        run.steps.truncate(steps);
    }
    follow_until(core, run, wait, reads);
    Ok(holds)
}

/// Makes an `until` be asked again when what it read may be different.
fn follow_until(core: &mut Core, run: &Run, wait: u64, reads: Reads) {
    let Some(rule) = run.live else { return };
    let recheck = next_recheck(&reads, core.now(), &core.evaluator.world.calendar);
    core.deadlines.set(rule, Due::UntilRecheck(run.id, wait), recheck);
    let subscriber = Subscriber { rule, part: Part::Until(run.id, wait) };
    core.subscriptions.set(subscriber, Subscription::Reads(Box::new(reads)));
}

/// Returns what the variable `wait` is after a `wait`.
fn wait_variable(firing: Option<&Firing>, timed_out: TimedOut) -> Value {
    let mut wait = firing.map(Firing::to_map).unwrap_or_default();
    wait.insert("timed_out".into(), Value::Bool(timed_out == TimedOut::Yes));
    Value::Map(wait.into())
}
