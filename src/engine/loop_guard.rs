//! The loop guard: rules that set each other off are stopped and shown, and their neighbours run on (spec 2.10).

use std::time::Duration;

use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::{HomeEvent, LogLevel};

use super::action::perform::Act;
use super::effect::ALERT_TOPIC;
use super::firing::Firing;
use super::live::deadlines::Due;
use super::live::table::LiveId;
use super::trigger::dispatch::Incoming;
use super::trigger::state::later;
use super::{Alert, AlertKind, Cause, CauseKind, Effect, Engine, Fault, Loop, Outcome};

/// How long a rule rests after a loop.
const REST: Duration = Duration::from_mins(1);

/// How many runs in a row may take too long.
const MOST_INTERRUPTIONS: u32 = 3;

/// Over which time rules' own publications are counted.
const STORM_TIME: Duration = Duration::from_secs(10);

impl Engine {
    /// Counts a trigger by one of our own publications. Returns whether it was one too many.
    pub(crate) fn is_storm(&mut self, id: &LiveId, firing: &Firing) -> bool {
        if !matches!(firing.cause.kind, CauseKind::Message { origin: Origin::Own, .. }) {
            return false;
        }
        self.is_timer_storm(id)
    }

    /// Counts what a rule's own doing led to. Returns whether it was one too many.
    pub(crate) fn is_timer_storm(&mut self, id: &LiveId) -> bool {
        let now = self.now();
        let most = self.options.storm;
        let Some(slot) = self.live.get_mut(id) else { return false };
        while slot.storm.front().is_some_and(|at| later(*at, STORM_TIME) <= now) {
            slot.storm.pop_front();
        }
        slot.storm.push_back(now);
        slot.storm.len() > most
    }

    /// Stops a rule that was triggered too often.
    pub(crate) fn stop_storm(&mut self, id: &LiveId, firing: &Firing) {
        let Some(rule) = self.live.get(id).map(|slot| slot.rule.clone()) else { return };
        let found = Loop::Storm { most: self.options.storm, seconds: STORM_TIME.as_secs() };
        let now = self.now();
        let steps = vec![self.trigger_step(firing)];
        self.trace(super::Trace {
            rule: rule.id.clone(),
            run: None,
            at: now,
            ended_at: now,
            outcome: Outcome::Failed(Fault::Loop(found.clone())),
            cause: firing.cause.clone(),
            steps,
        });
        self.rest(id, &rule.id, &found);
    }

    /// Stops a chain of publications that is too long. Returns how the run ends.
    pub(crate) fn stop_chain(&mut self, act: &Act<'_>, topic: &Topic) -> Outcome {
        let found = Loop::Chain { most: self.options.chain, topic: topic.clone() };
        self.looping = Some(act.run.id);
        self.rest(act.slot, &act.rule.id, &found);
        Outcome::Failed(Fault::Loop(found))
    }

    /// Stops a rule that fails since rules fail, at the end of a chain.
    pub(crate) fn stop_failures(&mut self, rule: &RuleId) {
        let Some(id) = self.live.find(rule).cloned() else { return };
        if self.live.get(&id).is_none_or(|slot| slot.resting_until.is_some()) {
            return;
        }
        self.rest(&id, rule, &Loop::Failures { most: self.options.chain });
    }

    /// Stops a rule that what rules did has made begin, end or ask again too often.
    pub(crate) fn stop_circle(&mut self, id: &LiveId) {
        let Some(slot) = self.live.get(id).filter(|slot| slot.resting_until.is_none()) else { return };
        let rule = slot.rule.id.clone();
        self.rest(id, &rule, &Loop::Circle { most: self.options.chain });
    }

    /// Counts the runs of a rule in a row that were ended since they took too long; after the third it rests.
    pub(crate) fn count_interruptions(&mut self, rule: &RuleId) {
        let was_interrupted = self.evaluator.interrupted.remove(rule);
        self.evaluator.was_ever_interrupted |= was_interrupted;
        if !self.evaluator.was_ever_interrupted {
            return;
        }
        let Some(id) = self.live.find(rule).cloned() else { return };
        let Some(slot) = self.live.get_mut(&id) else { return };
        slot.interruptions = if was_interrupted { slot.interruptions + 1 } else { 0 };
        if slot.interruptions < MOST_INTERRUPTIONS {
            return;
        }
        slot.interruptions = 0;
        let limits = self.options.limits;
        let message = format!(
            "{MOST_INTERRUPTIONS} runs in a row needed more than {} operations or {} ms and were ended; the rule rests for a \
             minute",
            limits.operations,
            limits.evaluation.as_millis()
        );
        self.lay_to_rest(&id, rule, AlertKind::RuleFailed, message);
    }

    /// Lets a rule rest after a loop, and says so everywhere.
    fn rest(&mut self, id: &LiveId, rule: &RuleId, found: &Loop) {
        self.lay_to_rest(id, rule, AlertKind::LoopDetected, found.to_string());
        let (event, rule) = (HomeEvent::LoopDetected, Some(rule.clone()));
        self.inbox.push_back(Incoming::Home { event, rule, depth: 0 });
    }

    fn lay_to_rest(&mut self, id: &LiveId, rule: &RuleId, kind: AlertKind, message: String) {
        let until = later(self.now(), REST);
        if let Some(slot) = self.live.get_mut(id) {
            slot.storm.clear();
            if let Some(before) = slot.resting_until.replace(until) {
                self.deadlines.remove(before, id, Due::Rested);
            }
            self.deadlines.add(until, id, Due::Rested);
            self.unsaved.rules.insert(id.clone());
        }
        self.say(Some(rule), LogLevel::Error, message.clone());
        let alert = Alert { kind, rule: Some(rule.clone()), message };
        // As `loop_detected` does, it begins a new chain.
        self.queue_alert(&alert, 0);
        self.effects.push(Effect::Alert(alert));
    }

    /// Lets the rules that name `homerule/alert` hear what the shell publishes there.
    pub(crate) fn queue_alert(&mut self, alert: &Alert, depth: u32) {
        let (Ok(topic), Ok(payload)) = (Topic::parse(ALERT_TOPIC), serde_json::to_vec(alert)) else { return };
        let payload = Payload::from_bytes(payload);
        let message = Message { topic, payload, qos: Qos::AtLeastOnce, retain: false, origin: Origin::Own };
        self.inbox.push_back(Incoming::Message { message, depth, run: None });
    }

    pub(crate) fn say(&mut self, rule: Option<&RuleId>, level: LogLevel, text: String) {
        self.effects.push(Effect::Log { rule: rule.cloned(), level, text });
    }

    /// A rule has rested enough.
    pub(crate) fn end_rest(&mut self, id: &LiveId) {
        let now = self.now();
        let Some(slot) = self.live.get_mut(id) else { return };
        if slot.resting_until.is_none_or(|until| until > now) {
            return;
        }
        slot.resting_until = None;
        self.unsaved.rules.insert(id.clone());
        let cause = Cause::outside(CauseKind::Condition);
        self.reconsider(id, &cause);
    }
}
