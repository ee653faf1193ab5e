//! What waits now, of all rules: holds, delays, waits, cooldowns and the like, with since when and until when.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::core::Core;
use crate::engine::live::rule::LiveRule;
use crate::engine::often::loop_guard::REST;
use crate::engine::run::Run;
use crate::engine::run::thread::{Thread, Waiting};
use crate::engine::trace::{RunId, Step, StepKind, StepResult, WaitsFor};
use crate::engine::while_rule::state::Edge;
use crate::engine::yielding::OverriddenBy;
use crate::model::{RuleId, Topic};
use crate::rules::Rule;

/// Something of a rule that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// What kind of waiting it is.
    pub kind: WaitKind,
    /// Whose.
    pub rule: RuleId,
    /// The run that waits; `None`: no run has begun.
    pub run: Option<RunId>,
    /// Where in the rule: a trigger's path, or the last step's.
    pub path: Arc<str>,
    /// The topic whose value holds.
    pub topic: Option<Topic>,
    /// The name of a timer.
    pub name: Option<Arc<str>>,
    /// Since when.
    pub since: Timestamp,
    /// Until when at most; `None`: nobody knows.
    pub until: Option<Timestamp>,
    /// What a run waits for.
    pub what: Option<WaitsFor>,
    /// To whom a rule yields.
    pub by: Option<OverriddenBy>,
}

/// The kinds of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitKind {
    /// A `for` that has begun.
    Hold,
    /// A `while` that is false and ends later.
    Linger,
    /// Triggers are ignored.
    Cooldown,
    /// Triggers are dropped after a loop.
    Rest,
    /// A timer of a script.
    Timer,
    /// A run in a `delay`, or between the turns of a `repeat`.
    Delay,
    /// A run in a `wait`.
    Wait,
    /// A run whose turn hasn't come, in mode `queued`.
    Queued,
    /// A run that waits for a run that it called.
    Run,
    /// A run that waits for an answer from outside.
    Answer,
    /// A run whose command a device hasn't confirmed.
    Confirm,
    /// A rule that yields to somebody.
    Override,
}

impl WaitKind {
    /// Returns its word in answers for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            WaitKind::Hold => "hold",
            WaitKind::Linger => "linger",
            WaitKind::Cooldown => "cooldown",
            WaitKind::Rest => "rest",
            WaitKind::Timer => "timer",
            WaitKind::Delay => "delay",
            WaitKind::Wait => "wait",
            WaitKind::Queued => "queued",
            WaitKind::Run => "run",
            WaitKind::Answer => "answer",
            WaitKind::Confirm => "confirm",
            WaitKind::Override => "override",
        }
    }
}

/// Returns what waits at `now`: what the rules do, in their order, then their runs.
pub(crate) fn waits(core: &Core, now: Timestamp) -> Vec<Waits> {
    let mut found = Vec::new();
    for (_, live) in core.live.iter().filter(|(_, live)| live.rule.invariant.is_none()) {
        of_rule(live, now, &mut found);
    }
    for run in core.runs.iter() {
        of_run(core, run, now, &mut found);
    }
    found
}

fn of_rule(live: &LiveRule, now: Timestamp, found: &mut Vec<Waits>) {
    let rule = &live.rule;
    let new = |kind, path: &str, since, until| Waits {
        kind,
        rule: rule.id.clone(),
        run: None,
        path: path.into(),
        topic: None,
        name: None,
        since,
        until: Some(until),
        what: None,
        by: None,
    };
    let before = |until: Timestamp, length| until.checked_sub(length).unwrap_or(until);
    if let Some(until) = live.resting_until.filter(|until| *until > now) {
        found.push(new(WaitKind::Rest, "", before(until, signed(REST)), until));
    }
    for over in live.cooldowns.values().filter(|over| **over > now) {
        let length = rule.cooldown.map(signed).unwrap_or_default();
        found.push(new(WaitKind::Cooldown, "cooldown", before(*over, length), *over));
    }
    for (trigger, state) in rule.triggers().iter().zip(live.triggers()) {
        let holds = state.tracks().iter().filter_map(|(topic, track)| Some((topic, track.hold.as_ref()?)));
        found.extend(holds.map(|(topic, hold)| {
            let wait = new(WaitKind::Hold, &trigger.path, hold.since, hold.due);
            Waits { topic: Some(topic.clone()), ..wait }
        }));
    }
    if let Some(pending) = &live.while_state.pending {
        let kind = match pending.what {
            Edge::Begin => WaitKind::Hold,
            Edge::End => WaitKind::Linger,
        };
        found.push(new(kind, "while", pending.since, pending.due));
    }
    found.extend(live.overrides.iter().map(|over| {
        let wait = new(WaitKind::Override, "yields", over.since, over.since);
        Waits { until: over.until, topic: Some(over.by.topic.clone()), by: Some(over.by.clone()), ..wait }
    }));
    found.extend(live.timers.iter().map(|timer| {
        let since = timer.armed.as_ref().map_or(now, |armed| armed.at).min(timer.due);
        let wait = new(WaitKind::Timer, "", since, timer.due);
        Waits { name: timer.name.clone(), run: Some(timer.run), ..wait }
    }));
}

fn of_run(core: &Core, run: &Run, now: Timestamp, found: &mut Vec<Waits>) {
    let rule = run.live.map(|live| &core.live.get(live).rule);
    for thread in run.threads.values() {
        let Some(step) = super::waiting_step(core, run, thread, now) else { continue };
        let StepResult::WaitsFor(what) = step.result else { continue };
        let (kind, until) = match &what {
            WaitsFor::Turn => (WaitKind::Queued, None),
            WaitsFor::Time(due) => (WaitKind::Delay, Some(*due)),
            WaitsFor::Events { until, .. } => (WaitKind::Wait, *until),
            WaitsFor::Run(_) => (WaitKind::Run, None),
            WaitsFor::Answer => (WaitKind::Answer, None),
            WaitsFor::Confirm { until, .. } => (WaitKind::Confirm, Some(*until)),
        };
        let (path, since) = begun(run, thread, rule).unwrap_or((step.path, run.started_at));
        found.push(Waits {
            kind,
            rule: run.rule.clone(),
            run: Some(run.id),
            path,
            topic: None,
            name: None,
            since: since.min(now),
            until,
            what: Some(what),
            by: None,
        });
    }
}

/// Returns the action at which a thread waits, and since when, as the trace tells; `None` where it doesn't.
fn begun(run: &Run, thread: &Thread, rule: Option<&Arc<Rule>>) -> Option<(Arc<str>, Timestamp)> {
    let is_begin = |step: &&Step| match (&thread.waiting, &step.result) {
        (Some(Waiting::Time(due)), StepResult::Lasts(length)) => step.at.checked_add(*length).ok() == Some(*due),
        _ => false,
    };
    if let Some(step) = run.steps.iter().rev().find(is_begin) {
        return Some((Arc::clone(&step.path), step.at));
    }
    let path = match &thread.waiting {
        Some(Waiting::OpenWait) => Some(&thread.waits.last()?.at.action(rule?)?.path),
        _ => None,
    };
    let is_at = |step: &&Step| {
        path.is_none_or(|path| step.path == *path) && !matches!(step.kind, StepKind::Condition | StepKind::Until)
    };
    let step = run.steps.iter().rev().find(is_at)?;
    Some((Arc::clone(&step.path), step.at))
}

fn signed(length: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or_default()
}
