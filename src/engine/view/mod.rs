//! What the engine shows of itself to those who ask why: runs under way, and what a rule waits for now.
//!
//! Nothing here changes what will be decided, and nothing is noted for it while messages are handled.

mod judged;
mod questions;
mod sources;
mod waits;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, Topic};
use crate::rules::{Rule, Start};

use super::condition::judge::Judging;
use super::core::Core;
use super::live::id::LiveId;
use super::run::Run;
use super::run::thread::{Thread, Waiting};
use super::trace::{Awaited, Outcome, RunId, Step, StepKind, StepResult, Trace, WaitsFor};
use super::trigger::state::TriggerState;
use super::while_rule::state::{Edge, WhileState};
use super::yielding::Overridden;
use super::yielding::state::Override;

pub use judged::Judged;
pub(crate) use judged::judged;
pub use sources::TriggerSources;
pub(crate) use waits::waits;
pub use waits::{WaitKind, Waits};

/// A rule as it stands now.
#[derive(Debug, Clone)]
pub struct RuleView {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// What a person or another rule said; `None`: its file decides.
    pub switch: Option<bool>,
    /// Until when it rests after a loop.
    pub resting_until: Option<Timestamp>,
    /// Who overrode it.
    pub overridden: Vec<Overridden>,
    /// When the cooldowns that aren't over will be, by the values of `per`.
    pub cooldowns: Vec<(Arc<str>, Timestamp)>,
    /// The holds that are armed.
    pub holds: Vec<ArmedHold>,
    /// When its schedules are due next, by their paths.
    pub dues: Vec<(Arc<str>, Timestamp)>,
    /// Since when its `while` has begun and not ended.
    pub begun_at: Option<Timestamp>,
    /// Since when its `while`, which has begun, is false, and when it will end.
    pub lingers: Option<(Timestamp, Timestamp)>,
    /// Whether its `while` became true when its `if` wasn't: it waits to become true anew.
    pub was_refused: bool,
    /// How the condition of its `while` is judged then; empty for a rule with `when`.
    pub judged: Vec<Step>,
}

/// A `for` that has begun and isn't over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArmedHold {
    /// Whose: a trigger's path, or `while`.
    pub path: Arc<str>,
    /// The topic whose value holds; `None` for a `while`.
    pub topic: Option<Topic>,
    /// Since when.
    pub since: Timestamp,
    /// Until when it must.
    pub due: Timestamp,
}

/// What a rule is doing now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    /// Since when the first of its runs under way has been running.
    pub running_since: Option<Timestamp>,
    /// Until when a run of it waits: the first `delay` that ends, or the first timeout.
    pub waits_until: Option<Timestamp>,
    /// Since when what it waits for has held: the first `for` that isn't over, or a `while` that has begun.
    pub holds_since: Option<Timestamp>,
    /// When its `while`, which is false now, will end.
    pub lingers_until: Option<Timestamp>,
    /// Until when it yields to somebody who changed what it commands.
    #[serde(default)]
    pub overridden_until: Option<Timestamp>,
    /// Since when it yields, where nobody knows until when.
    #[serde(default)]
    pub overridden_since: Option<Timestamp>,
    /// When it is due next: a schedule, a timer, the end of a `for`, the next turn of `every`.
    pub next_at: Option<Timestamp>,
}

impl Doing {
    /// Returns what is going on, in words, with its time: `("running since", 18:00)`.
    pub fn parts(self) -> impl Iterator<Item = (&'static str, Timestamp)> {
        let parts = [
            ("running since", self.running_since),
            ("waits until", self.waits_until),
            ("holds since", self.holds_since),
            ("lingers until", self.lingers_until),
            ("overridden until", self.overridden_until),
            ("overridden since", self.overridden_since),
            ("next at", self.next_at),
        ];
        parts.into_iter().filter_map(|(words, at)| Some((words, at?)))
    }
}

impl RuleView {
    /// Returns whether how it stands now may tell more than what last kept it from running: a hold is under way, or its
    /// `while` hasn't begun.
    #[must_use]
    pub fn has_more_to_tell(&self) -> bool {
        !self.holds.is_empty() || (matches!(self.rule.start, Start::While(_)) && self.begun_at.is_none())
    }
}

/// Returns the traces so far of the runs that haven't ended at `now`, in the order of their ids. What each waits for is
/// its last step.
pub(crate) fn runs_under_way(core: &Core, now: Timestamp) -> Vec<Trace> {
    core.runs.iter().map(|run| under_way(core, run, now)).collect()
}

/// Returns the runs that haven't ended at `now` as traces without steps.
pub(crate) fn runs_in_short(core: &Core, now: Timestamp) -> Vec<Trace> {
    core.runs.iter().map(|run| trace_of(run, Vec::new(), now)).collect()
}

/// Returns the trace so far of a run that hasn't ended at `now`.
pub(crate) fn run_under_way(core: &Core, id: RunId, now: Timestamp) -> Option<Trace> {
    core.runs.get(id).map(|run| under_way(core, run, now))
}

/// Returns the traces so far of the runs of a rule that haven't ended at `now`, in the order of their ids.
pub(crate) fn runs_of(core: &Core, id: LiveId, now: Timestamp) -> Vec<Trace> {
    let mut runs: Vec<RunId> = core.runs.of_rule(id).map(|(_, run)| run).collect();
    runs.sort_unstable();
    runs.into_iter().filter_map(|run| run_under_way(core, run, now)).collect()
}

/// Returns how a rule stands at `now`, which may be later than what was last decided.
pub(crate) fn view(core: &mut Core, id: LiveId, now: Timestamp) -> RuleView {
    let live = core.live.get(id);
    let rule = Arc::clone(&live.rule);
    let cooling = live.cooldowns.iter().filter(|(_, over)| **over > now);
    let mut view = RuleView {
        rule: Arc::clone(&rule),
        is_enabled: live.is_enabled(),
        switch: live.switch,
        resting_until: live.resting_until.filter(|until| *until > now),
        overridden: live.overrides.iter().map(Override::view).collect(),
        cooldowns: cooling.map(|(key, over)| (Arc::clone(&key.0), *over)).collect(),
        holds: Vec::new(),
        dues: Vec::new(),
        begun_at: live.while_state.begun_at,
        lingers: ending(&live.while_state),
        was_refused: live.while_state.was_refused,
        judged: Vec::new(),
    };
    for (trigger, state) in rule.triggers().iter().zip(live.triggers()) {
        view.dues.extend(state.due.map(|due| (Arc::clone(&trigger.path), due)));
        let holds = state.tracks().iter().filter_map(|(topic, track)| Some((topic, track.hold.as_ref()?)));
        view.holds.extend(holds.map(|(topic, hold)| ArmedHold {
            path: Arc::clone(&trigger.path),
            topic: Some(topic.clone()),
            since: hold.since,
            due: hold.due,
        }));
    }
    if let Some(pending) = live.while_state.pending.as_ref().filter(|pending| pending.what == Edge::Begin) {
        let (since, due) = (pending.since, pending.due);
        view.holds.push(ArmedHold { path: "while".into(), topic: None, since, due });
    }
    if let Start::While(start) = &rule.start {
        let locals = Map::default();
        let scope = core.scope(id, &rule, None, &locals);
        let mut judging = Judging::new(&scope, core.live.get(id).trackers());
        let decided_at = std::mem::replace(&mut core.evaluator.world.now, now);
        // Only how it is judged is shown: nothing begins or ends by it.
        let _ = core.evaluator.judge(&mut judging, &start.condition);
        core.evaluator.world.now = decided_at;
        view.judged = judging.steps;
    }
    view
}

/// Returns what a rule is doing. Nothing is judged for it, so that it may be asked of all rules.
pub(crate) fn doing(core: &Core, id: LiveId) -> Doing {
    let live = core.live.get(id);
    let runs: Vec<&Run> = core.runs.of_rule(id).filter_map(|(_, run)| core.runs.get(run)).collect();
    let started = runs.iter().filter(|run| !run.is_queued);
    let lingers_until = ending(&live.while_state).map(|(_, due)| due);
    let tracks = || live.triggers().iter().flat_map(TriggerState::tracks);
    let holds = || tracks().filter_map(|(_, track)| track.hold.as_ref());
    let begins = live.while_state.pending.as_ref().filter(|pending| pending.what == Edge::Begin);
    let begun_at = live.while_state.begun_at.filter(|_| lingers_until.is_none());
    let due = live.triggers().iter().filter_map(|trigger| trigger.due);
    let due = due.chain(live.timers.iter().map(|timer| timer.due)).chain(live.while_state.every_due);
    Doing {
        running_since: started.clone().map(|run| run.started_at).min(),
        waits_until: started.flat_map(|run| run.threads.values()).filter_map(until).min(),
        holds_since: holds().map(|hold| hold.since).chain(begins.map(|begins| begins.since)).chain(begun_at).min(),
        lingers_until,
        overridden_until: live.overrides.iter().filter_map(|over| over.until).max(),
        overridden_since: live.overrides.iter().filter(|over| over.until.is_none()).map(|over| over.since).min(),
        next_at: due.chain(holds().map(|hold| hold.due)).chain(begins.map(|begins| begins.due)).min(),
    }
}

/// Returns since when a `while` that has begun is false, and when it will end; `None`: it isn't.
fn ending(state: &WhileState) -> Option<(Timestamp, Timestamp)> {
    let pending = state.pending.as_ref().filter(|pending| pending.what == Edge::End)?;
    Some((pending.since, pending.due))
}

/// Returns until when a thread waits at most, if that is known.
fn until(thread: &Thread) -> Option<Timestamp> {
    match thread.waiting.as_ref()? {
        Waiting::Time(due) => Some(*due),
        Waiting::OpenWait => thread.waits.last()?.timeout,
        Waiting::Confirm => thread.confirming.as_ref().map(|confirming| confirming.due),
        Waiting::Threads | Waiting::Run(_) | Waiting::Request(_) => None,
    }
}

fn under_way(core: &Core, run: &Run, now: Timestamp) -> Trace {
    let mut steps = run.steps.clone();
    steps.extend(run.threads.values().filter_map(|thread| waiting_step(core, run, thread, now)));
    trace_of(run, steps, now)
}

fn trace_of(run: &Run, steps: Vec<Step>, now: Timestamp) -> Trace {
    Trace {
        rule: run.rule.clone(),
        run: Some(run.id),
        at: run.started_at,
        ended_at: now,
        outcome: Outcome::Running,
        cause: run.firing.cause.clone(),
        steps,
    }
}

fn waiting_step(core: &Core, run: &Run, thread: &Thread, now: Timestamp) -> Option<Step> {
    let path = run.steps.last().map_or_else(|| Arc::from("then"), |step| Arc::clone(&step.path));
    let result = if run.is_queued {
        WaitsFor::Turn
    } else {
        match thread.waiting.as_ref()? {
            Waiting::Time(due) => WaitsFor::Time(*due),
            Waiting::OpenWait => {
                let wait = thread.waits.last()?;
                let live = core.live.get(run.live?);
                let events = match &wait.formed {
                    Some(formed) => formed.triggers.iter().map(Awaited::from).collect(),
                    None => Awaited::of_action(&wait.at.action(&live.rule)?.kind),
                };
                WaitsFor::Events { events, until: wait.timeout }
            }
            Waiting::Threads => return None,
            Waiting::Run(callee) => WaitsFor::Run(*callee),
            Waiting::Request(_) => WaitsFor::Answer,
            Waiting::Confirm => {
                let confirming = thread.confirming.as_ref()?;
                WaitsFor::Confirm { missing: confirming.missing(), until: confirming.due }
            }
        }
    };
    Some(Step::new(&path, now, StepKind::Waits, StepResult::WaitsFor(result)))
}
