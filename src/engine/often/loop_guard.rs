//! The loop guard: rules that set each other off are stopped and shown, and their neighbours run on
//! (docs/language/loops.md).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Message, Origin, Payload, Qos, RuleId, Topic};
use crate::rules::{HomeEvent, LogLevel};

use crate::engine::core::Core;
use crate::engine::effect::ALERT_TOPIC;
use crate::engine::effect::{Alert, AlertKind, Effect};
use crate::engine::inbox::Incoming;
use crate::engine::instant::later;
use crate::engine::live::deadlines::Due;
use crate::engine::live::id::LiveId;
use crate::engine::run::unstarted::trigger_step;
use crate::engine::trace::masked::Masker;
use crate::engine::trace::{CauseKind, Fault, Loop, Outcome, RunId, Trace};
use crate::engine::trigger::firing::Firing;

/// How long a rule rests after a loop.
pub(crate) const REST: Duration = Duration::from_mins(1);

/// How many runs in a row may take too long.
const MOST_INTERRUPTIONS: u32 = 3;

/// Over which time rules' own publications are counted.
const STORM_TIME: Duration = Duration::from_secs(10);

/// How many runs of a rule in a row took too long and were ended.
#[derive(Debug, Default)]
pub(crate) struct Interruptions(BTreeMap<LiveId, u32>);

impl Interruptions {
    /// Forgets them: the rules are put in force anew.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets those of a rule.
    pub(crate) fn forget(&mut self, rule: LiveId) {
        self.0.remove(&rule);
    }

    /// Counts a run that has ended. Returns whether it was the last one of too many.
    fn count(&mut self, rule: LiveId, was_interrupted: bool) -> bool {
        if !was_interrupted {
            self.0.remove(&rule);
            return false;
        }
        let count = self.0.entry(rule).or_default();
        *count += 1;
        let is_enough = *count >= MOST_INTERRUPTIONS;
        if is_enough {
            self.0.remove(&rule);
        }
        is_enough
    }
}

/// Counts a trigger by one of our own publications. Returns whether it was one too many.
pub(crate) fn is_storm(core: &mut Core, id: LiveId, firing: &Firing) -> bool {
    matches!(firing.cause.kind, CauseKind::Message { origin: Origin::Own, .. }) && counts_as_storm(core, id)
}

/// Counts what a rule's own doing led to. Returns whether it was one too many.
pub(crate) fn counts_as_storm(core: &mut Core, id: LiveId) -> bool {
    let (now, most) = (core.now(), core.options.storm);
    let storm = core.live.edit_storm(id);
    while storm.front().is_some_and(|at| later(*at, STORM_TIME) <= now) {
        storm.pop_front();
    }
    storm.push_back(now);
    storm.len() > most
}

/// Stops a rule that was triggered too often.
pub(crate) fn stop_storm(core: &mut Core, id: LiveId, firing: &Firing) {
    let found = Loop::Storm { most: core.options.storm, seconds: STORM_TIME.as_secs() };
    let (rule, now) = (core.live.get(id).rule.id.clone(), core.now());
    let (steps, outcome) = (vec![trigger_step(core, firing)], Outcome::Failed(Fault::Loop(found.clone())));
    core.trace(Trace { rule, run: None, at: now, ended_at: now, outcome, cause: firing.cause.clone(), steps });
    stop_loop(core, id, &found);
}

/// Stops a rule that runs too often, whatever sets it off.
pub(crate) fn stop_for_rate(core: &mut Core, id: LiveId, most: usize, time: Duration) {
    stop_loop(core, id, &Loop::Rate { most, seconds: time.as_secs() });
}

/// Stops a chain of publications that is too long, which would go on with one to `topic`. Returns how the run ends.
pub(crate) fn stop_chain(core: &mut Core, id: LiveId, run: RunId, topic: &Topic) -> Outcome {
    let found = Loop::Chain { most: core.options.chain, topic: topic.clone() };
    core.runs.set_looping(run);
    stop_loop(core, id, &found);
    Outcome::Failed(Fault::Loop(found))
}

/// Stops a rule that what rules did has made begin, end or ask again too often.
pub(crate) fn stop_circle(core: &mut Core, id: LiveId) {
    if core.live.get(id).resting_until.is_some() {
        return;
    }
    stop_loop(core, id, &Loop::Circle { most: core.options.chain });
}

/// How often is told that there was no room for runs of a rule.
const NO_ROOM_TOLD: Duration = Duration::from_mins(1);

/// Says that a rule failed: in the log, as an alert, and to the rules that wait for it. Failures that set each other off
/// without end are a loop.
pub(crate) fn rule_failed(core: &mut Core, rule: &RuleId, fault: &Fault, depth: u32) {
    if matches!(fault, Fault::NoRoom(_)) && !tells_of_no_room(core, rule) {
        return;
    }
    let mut message = fault.to_string();
    Masker(&core.secrets).text(&mut message);
    core.log(Some(rule), LogLevel::Error, message.clone());
    let alert = Alert { kind: AlertKind::RuleFailed, rule: Some(rule.clone()), invariant: None, message };
    if depth < core.options.chain {
        queue_alert(core, &alert, depth + 1);
        let (event, rule) = (HomeEvent::RuleFailed, Some(rule.clone()));
        core.inbox.push(Incoming::HomeEvent { event, rule, depth: depth + 1 });
        core.effects.push(Effect::Alert(alert));
    } else {
        core.effects.push(Effect::Alert(alert));
        stop_failures(core, rule);
    }
}

/// Returns whether it is told that there was no room for a run of `rule`: once a minute, since a rule that fills all room does so
/// with each message. Its traces have each of them.
fn tells_of_no_room(core: &mut Core, rule: &RuleId) -> bool {
    let now = core.now();
    let told = core.no_room_told.insert(rule.maker(), now);
    let is_new = told.is_none_or(|told| later(told, NO_ROOM_TOLD) <= now);
    if let Some(told) = told.filter(|_| !is_new) {
        core.no_room_told.insert(rule.maker(), told);
    }
    is_new
}

/// Counts the runs of a rule in a row that were ended since they took too long; after the third it rests.
pub(crate) fn count_interruptions(core: &mut Core, rule: &RuleId) {
    let was_interrupted = core.evaluator.interrupted.remove(rule);
    core.evaluator.was_ever_interrupted |= was_interrupted;
    if !core.evaluator.was_ever_interrupted {
        return;
    }
    let Some(id) = core.live.find(rule) else { return };
    if !core.interruptions.count(id, was_interrupted) {
        return;
    }
    let limits = core.options.limits;
    let message = format!(
        "{MOST_INTERRUPTIONS} runs in a row needed more than {} operations or {} ms and were ended; the rule is paused for a \
         minute",
        limits.operations,
        limits.evaluation.as_millis()
    );
    rest(core, id, AlertKind::RuleFailed, message);
}

/// A rule has rested until now. Returns whether it may run again: another loop may have made it rest longer.
pub(crate) fn end_rest(core: &mut Core, id: LiveId) -> bool {
    let now = core.now();
    if core.live.get(id).resting_until.is_none_or(|until| until > now) {
        return false;
    }
    core.live.edit(id).resting_until = None;
    true
}

/// Stops a rule that fails since rules fail, at the end of a chain.
fn stop_failures(core: &mut Core, rule: &RuleId) {
    let Some(id) = core.live.find(rule).filter(|id| core.live.get(*id).resting_until.is_none()) else { return };
    stop_loop(core, id, &Loop::Failures { most: core.options.chain });
}

/// Lets a rule rest after a loop, and says so everywhere.
fn stop_loop(core: &mut Core, id: LiveId, found: &Loop) {
    rest(core, id, AlertKind::LoopDetected, found.to_string());
    let (event, rule) = (HomeEvent::LoopDetected, Some(core.live.get(id).rule.id.clone()));
    core.inbox.push(Incoming::HomeEvent { event, rule, depth: 0 });
}

fn rest(core: &mut Core, id: LiveId, kind: AlertKind, message: String) {
    let until = later(core.now(), REST);
    let live = core.live.edit(id);
    live.storm.clear();
    live.resting_until = Some(until);
    let rule = live.rule.id.clone();
    core.deadlines.set(id, Due::Rested, Some(until));
    core.log(Some(&rule), LogLevel::Error, message.clone());
    // As `loop_detected` does, it begins a new chain.
    raise_alert(core, Alert { kind, rule: Some(rule), invariant: None, message });
}

/// Shows an alert, and tells the rules that name `homerule/alert` of it.
pub(crate) fn raise_alert(core: &mut Core, alert: Alert) {
    queue_alert(core, &alert, 0);
    core.effects.push(Effect::Alert(alert));
}

/// Tells the rules that name `homerule/alert` what the shell publishes there.
pub(crate) fn queue_alert(core: &mut Core, alert: &Alert, depth: u32) {
    let (Ok(topic), Ok(payload)) = (Topic::parse(ALERT_TOPIC), serde_json::to_vec(alert)) else { return };
    let payload = Payload::from_bytes(payload);
    let message =
        Message { topic, payload, qos: Qos::AtLeastOnce, retain: false, origin: Origin::Own, expires_at: None };
    core.inbox.push(Incoming::Message { message, depth, run: None, client: None });
}
