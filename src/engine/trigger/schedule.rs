//! Triggers that a time sets off: `at`, `every`, `cron` and `sun`, on time and after downtime.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::schedule::{Schedule, TimeOfDay, Weekdays};
use crate::model::{Map, Value};
use crate::rules::{Rule, Start, Trigger, TriggerKind};
use crate::script::{Expression, Failure, Reads};

use crate::engine::condition::scope::{Scope, ThreadScope};
use crate::engine::firing::Firing;
use crate::engine::live::deadlines::{Due, Owner};
use crate::engine::live::table::LiveId;
use crate::engine::trigger::arm::numbered;
use crate::engine::trigger::state::{TriggerState, later};
use crate::engine::{Cause, CauseKind, Engine, StepKind};

impl Engine {
    /// Returns when a schedule is due next, `from` included.
    pub(crate) fn next_due(&self, schedule: &Schedule, from: Timestamp) -> Option<Timestamp> {
        let before = from.checked_sub(SignedDuration::from_nanos(1)).ok()?;
        schedule.next(before, &self.evaluator.world.calendar)
    }

    /// Asks the expression of an `at` trigger anew, and arms what it gives.
    pub(crate) fn recheck_at_expression(&mut self, slot: &LiveId, owner: Owner, index: u16) {
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        let Some(trigger) = self.trigger_of(&rule, owner, index) else { return };
        let TriggerKind::AtExpression { expression, weekdays, .. } = &trigger.kind else { return };
        let now = self.now();
        let fired_at = self.trigger_state_mut(slot, owner, index).and_then(|state| state.fired_at);
        let from = fired_at.filter(|at| *at >= now).map_or(now, just_after);
        let (due, reads) = match owner {
            Owner::Rule => {
                let locals = Map::new();
                self.evaluate_at(slot, &rule, expression, *weekdays, &locals, ThreadScope::default(), from)
            }
            Owner::OpenWait(run, wait) => {
                let (locals, thread) = self.run_scope(run, wait);
                self.evaluate_at(slot, &rule, expression, *weekdays, &locals, thread, from)
            }
        };
        let mut recheck_at = self.next_recheck(&reads);
        let due = match due {
            Ok(due) => due,
            Err(Failure { without_value: Some(_), .. }) => None,
            Err(failure) => match owner {
                Owner::Rule => {
                    let cause = Cause::outside(CauseKind::Condition);
                    let firing = Firing::of_cause(Arc::clone(&trigger.path), cause);
                    self.fail_unstarted(&rule, &firing, Vec::new(), &failure);
                    // It would fail again each minute: it is asked when what it reads changes.
                    recheck_at = None;
                    None
                }
                Owner::OpenWait(run, wait) => return self.fail_wait(run, wait, StepKind::At, &failure),
            },
        };
        let Some(state) = self.trigger_state_mut(slot, owner, index) else { return };
        // What was missed while the daemon was down is still to be caught up with.
        let due = state.due.filter(|due| *due < now).or(due);
        let old_due = std::mem::replace(&mut state.due, due);
        let old_reads = std::mem::replace(&mut state.reads, reads.clone());
        let old_recheck = std::mem::replace(&mut state.recheck_at, recheck_at);
        let what = Due::Trigger(owner, index, None);
        if let Some(old_due) = old_due {
            self.deadlines.remove(old_due, slot, what.clone());
        }
        if let Some(due) = due {
            self.deadlines.add(due, slot, what);
        }
        if let Some(at) = old_recheck {
            self.deadlines.remove(at, slot, Due::AtRecheck(owner, index));
        }
        if let Some(at) = recheck_at {
            self.deadlines.add(at, slot, Due::AtRecheck(owner, index));
        }
        if old_reads != reads {
            self.unlisten_for_at(slot, owner, index, &old_reads);
            self.listen_for_at(slot, owner, index, &reads);
        }
        if old_due != due {
            self.note_trigger_changed(slot, owner);
        }
    }

    /// Returns when the expression of an `at` trigger is due, from `from` on, and what it read.
    #[expect(clippy::too_many_arguments, reason = "the parts of a scope, which can't be borrowed together")]
    pub(crate) fn evaluate_at(
        &mut self,
        slot: &LiveId,
        rule: &Rule,
        expression: &Expression,
        weekdays: Weekdays,
        locals: &Map,
        thread: ThreadScope,
        from: Timestamp,
    ) -> (Result<Option<Timestamp>, Failure>, Reads) {
        let mut reads = Reads::default();
        let scope = Scope {
            rule,
            memory: self.memory(slot),
            firing: None,
            locals,
            thread,
            each_message: self.each_message(rule),
        };
        let value = self.evaluator.value(&scope, expression, &mut reads);
        let due = value.and_then(|value| {
            self.due_of_value(&value, weekdays, from).map_err(|message| Failure::of_expression(expression, message))
        });
        (due, reads)
    }

    /// Returns when what an `at` expression gave is due, from `from` on.
    fn due_of_value(&self, value: &Value, weekdays: Weekdays, from: Timestamp) -> Result<Option<Timestamp>, String> {
        let instant = |at: Timestamp| {
            let day = at.to_zoned(self.evaluator.world.calendar.zone.clone()).weekday();
            (at >= from && weekdays.contains(day)).then_some(at)
        };
        match value {
            Value::Null => Ok(None),
            Value::Time(time) => Ok(instant(time.timestamp())),
            Value::Text(text) => {
                if let Ok(time) = TimeOfDay::parse(text) {
                    return Ok(self.next_due(&Schedule::At { times: vec![time], weekdays }, from));
                }
                if let Ok(at) = text.parse::<Timestamp>() {
                    return Ok(instant(at));
                }
                match text.parse::<jiff::civil::DateTime>() {
                    Ok(local) => Ok(instant(self.evaluator.world.calendar.first_instant(local))),
                    Err(_) => Err(format!("`at` must give a time (`07:30`, or with a date), and gives `{text}`")),
                }
            }
            other => Err(format!("`at` must give a time as text, and gives {}: {other}", other.kind())),
        }
    }

    /// A schedule is due: it fires, and the next time is armed.
    pub(crate) fn fire_schedule(&mut self, slot: &LiveId, owner: Owner, index: u16, due: Timestamp) {
        let Some(rule) = self.live.get(slot).map(|slot| Arc::clone(&slot.rule)) else { return };
        let Some(trigger) = self.trigger_of(&rule, owner, index) else { return };
        let is_due = |state: &mut TriggerState| state.due == Some(due);
        if !self.trigger_state_mut(slot, owner, index).is_some_and(is_due) {
            return;
        }
        match &trigger.kind {
            TriggerKind::Schedule { schedule, .. } => {
                let next = schedule.next(due, &self.evaluator.world.calendar);
                if let Some(state) = self.trigger_state_mut(slot, owner, index) {
                    state.fired_at = Some(due);
                }
                self.set_due(slot, owner, index, next);
            }
            TriggerKind::AtExpression { expression, weekdays, .. } => {
                let (locals, thread) = match owner {
                    Owner::Rule => (Map::new(), ThreadScope::default()),
                    Owner::OpenWait(run, wait) => self.run_scope(run, wait),
                };
                if let Some(state) = self.trigger_state_mut(slot, owner, index) {
                    state.fired_at = Some(due);
                }
                let after = just_after(due);
                let (next, _) = self.evaluate_at(slot, &rule, expression, *weekdays, &locals, thread, after);
                self.set_due(slot, owner, index, next.unwrap_or_default());
            }
            _ => return,
        }
        let firing = self.time_firing(&trigger, due);
        self.deliver(slot, owner, firing);
    }

    /// Arms a schedule for `due` instead of when it was due.
    pub(crate) fn set_due(&mut self, slot: &LiveId, owner: Owner, index: u16, due: Option<Timestamp>) {
        let Some(state) = self.trigger_state_mut(slot, owner, index) else { return };
        let before = std::mem::replace(&mut state.due, due);
        let what = Due::Trigger(owner, index, None);
        if let Some(before) = before {
            self.deadlines.remove(before, slot, what.clone());
        }
        if let Some(due) = due {
            self.deadlines.add(due, slot, what);
        }
        self.note_trigger_changed(slot, owner);
    }

    /// At the start: schedules that were due while the daemon was down fire once, if they catch up.
    pub(crate) fn catch_up_schedules(&mut self) {
        let now = self.now();
        for slot in self.live.ids() {
            let Some(rule) = self.live.get(&slot).map(|slot| Arc::clone(&slot.rule)) else { continue };
            let Start::When(triggers) = &rule.start else { continue };
            for (index, trigger) in numbered(triggers) {
                let catch_up = match &trigger.kind {
                    TriggerKind::Schedule { catch_up, .. } | TriggerKind::AtExpression { catch_up, .. } => *catch_up,
                    _ => continue,
                };
                let Some(missed) = self.last_missed(&slot, index, trigger) else { continue };
                if let TriggerKind::Schedule { schedule, .. } = &trigger.kind {
                    let next = self.next_due(schedule, now);
                    self.set_due(&slot, Owner::Rule, index, next);
                } else {
                    self.set_due(&slot, Owner::Rule, index, None);
                    self.recheck_at_expression(&slot, Owner::Rule, index);
                }
                if catch_up.is_some_and(|catch_up| later(missed, catch_up) >= now) {
                    if let Some(state) = self.trigger_state_mut(&slot, Owner::Rule, index) {
                        state.fired_at = Some(missed);
                    }
                    let firing = self.time_firing(trigger, missed);
                    self.trigger(&slot, firing);
                    self.step_ready();
                }
            }
        }
    }

    /// Returns the last time before now at which a trigger was due while the daemon was down.
    fn last_missed(&mut self, slot: &LiveId, index: u16, trigger: &Trigger) -> Option<Timestamp> {
        let now = self.now();
        let due = self.trigger_state_mut(slot, Owner::Rule, index)?.due.filter(|due| *due < now)?;
        let TriggerKind::Schedule { schedule, .. } = &trigger.kind else { return Some(due) };
        let later = schedule.last(due, now, &self.evaluator.world.calendar);
        Some(later.unwrap_or(due))
    }
}

fn just_after(at: Timestamp) -> Timestamp {
    later(at, std::time::Duration::from_nanos(1))
}
