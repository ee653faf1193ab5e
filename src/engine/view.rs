//! What the engine tells of itself to those who ask why: runs under way, and what a rule waits for now.
//!
//! Nothing here changes what will be decided, and nothing is noted for it while messages are handled.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::schedule::Calendar;
use crate::model::{Map, RuleId, Topic};
use crate::rules::{Rule, Start};

use super::condition::judge::Judging;
use super::run::{Run, Thread, Waiting};
use super::while_rule::state::Turn;
use super::{Awaited, Engine, Outcome, Step, StepKind, StepResult, Trace, WaitsFor};

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

impl Engine {
    /// Returns the traces so far of the runs that haven't ended at `now`, in the order of their ids. What each waits for is
    /// its last step.
    #[must_use]
    pub fn runs_under_way(&self, now: Timestamp) -> Vec<Trace> {
        self.runs.values().map(|run| self.under_way(run, now)).collect()
    }

    fn under_way(&self, run: &Run, now: Timestamp) -> Trace {
        let mut steps = run.steps.clone();
        steps.extend(run.threads.values().filter_map(|thread| self.waiting_step(run, thread, now)));
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

    fn waiting_step(&self, run: &Run, thread: &Thread, now: Timestamp) -> Option<Step> {
        let last = run.steps.last();
        let path = last.map_or_else(|| Arc::from("then"), |step| Arc::clone(&step.path));
        let result = if run.is_queued {
            WaitsFor::Turn
        } else {
            match thread.waiting.as_ref()? {
                Waiting::Time(due) => WaitsFor::Time(*due),
                Waiting::OpenWait => {
                    let wait = thread.waits.last()?;
                    let slot = run.slot.as_ref().and_then(|slot| self.live.get(slot))?;
                    let formed = wait.formed.as_ref();
                    let formed = formed.map(|formed| formed.triggers.iter().map(Awaited::from).collect());
                    let events = formed.or_else(|| Some(Awaited::of_action(&wait.at.action(&slot.rule)?.kind)));
                    WaitsFor::Events { events: events.unwrap_or_default(), until: wait.timeout }
                }
                Waiting::Threads => return None,
                Waiting::Run(callee) => WaitsFor::Run(*callee),
                Waiting::Request(_) => WaitsFor::Answer,
            }
        };
        Some(Step::new(&path, now, StepKind::Waits, StepResult::WaitsFor(result)))
    }

    /// Returns the home's zone and place.
    #[must_use]
    pub fn calendar(&self) -> &Calendar {
        &self.evaluator.world.calendar
    }

    /// Returns how the rule `id` stands at `now`, which may be later than what was last decided; `None` where there is no
    /// such rule.
    #[must_use]
    pub fn view(&mut self, id: &RuleId, now: Timestamp) -> Option<RuleView> {
        let slot_id = self.live.find(id)?.clone();
        let slot = self.live.get(&slot_id)?;
        let rule = Arc::clone(&slot.rule);
        let mut view = RuleView {
            rule: Arc::clone(&rule),
            is_enabled: slot.is_enabled(),
            switch: slot.switch,
            resting_until: slot.resting_until.filter(|until| *until > now),
            cooldowns: Vec::new(),
            holds: Vec::new(),
            dues: Vec::new(),
            begun_at: slot.while_state.begun_at,
            was_refused: slot.while_state.was_refused,
            judged: Vec::new(),
        };
        let cooling = slot.cooldowns.iter().filter(|(_, over)| **over > now);
        view.cooldowns = cooling.map(|(key, over)| (Arc::clone(&key.0), *over)).collect();
        for (trigger, state) in rule.triggers().iter().zip(&slot.triggers) {
            view.dues.extend(state.due.map(|due| (Arc::clone(&trigger.path), due)));
            let holds = state.topics.iter().filter_map(|(topic, track)| Some((topic, track.hold.as_ref()?)));
            view.holds.extend(holds.map(|(topic, hold)| ArmedHold {
                path: Arc::clone(&trigger.path),
                topic: Some(topic.clone()),
                since: hold.since,
                due: hold.due,
            }));
        }
        if let Some(pending) = slot.while_state.pending.as_ref().filter(|pending| pending.what == Turn::Begin) {
            let (since, due) = (pending.since, pending.due);
            view.holds.push(ArmedHold { path: "while".into(), topic: None, since, due });
        }
        if let Start::While(start) = &rule.start {
            let locals = Map::new();
            let scope = self.scope(&slot_id, &rule, None, &locals);
            let mut judging = Judging::new(&scope, &slot.trackers);
            let decided_at = std::mem::replace(&mut self.evaluator.world.now, now);
            // Only how it is judged is told: nothing begins or ends by it.
            let _ = self.evaluator.judge(&mut judging, &start.condition);
            self.evaluator.world.now = decided_at;
            view.judged = judging.steps;
        }
        Some(view)
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
