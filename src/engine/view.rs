//! What the engine shows of itself to those who ask why: runs under way, and what a rule waits for now.
//!
//! Nothing here changes what will be decided, and nothing is noted for it while messages are handled.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Map, Topic};
use crate::rules::{Rule, Start};

use super::condition::judge::Judging;
use super::core::Core;
use super::live::id::LiveId;
use super::run::Run;
use super::run::thread::{Thread, Waiting};
use super::trace::{Awaited, Outcome, Step, StepKind, StepResult, Trace, WaitsFor};
use super::while_rule::state::Edge;

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
    /// When the cooldowns that aren't over will be, by the values of `per`.
    pub cooldowns: Vec<(Arc<str>, Timestamp)>,
    /// The holds that are armed.
    pub holds: Vec<ArmedHold>,
    /// When its schedules are due next, by their paths.
    pub dues: Vec<(Arc<str>, Timestamp)>,
    /// Since when its `while` has begun and not ended.
    pub begun_at: Option<Timestamp>,
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
        cooldowns: cooling.map(|(key, over)| (Arc::clone(&key.0), *over)).collect(),
        holds: Vec::new(),
        dues: Vec::new(),
        begun_at: live.while_state.begun_at,
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
        let locals = Map::new();
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

fn under_way(core: &Core, run: &Run, now: Timestamp) -> Trace {
    let mut steps = run.steps.clone();
    steps.extend(run.threads.values().filter_map(|thread| waiting_step(core, run, thread, now)));
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
        }
    };
    Some(Step::new(&path, now, StepKind::Waits, StepResult::WaitsFor(result)))
}
