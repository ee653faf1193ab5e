//! How the `if` of a rule would be judged now, as if its triggers' last message came again. Nothing runs by it.

use jiff::Timestamp;

use crate::engine::condition::judge::Judging;
use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::engine::run::admission;
use crate::engine::trace::{Cause, CauseKind, Fault, Step, StepKind, StepResult, Verdict, WhyUnknown};
use crate::engine::trigger::firing::Firing;
use crate::model::{Map, Topic, TopicState};
use crate::rules::{Rule, Start, Trigger};

/// How a rule's `if` is judged.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The topic whose last message was taken for the one that triggers; `None`: there's none.
    pub topic: Option<Topic>,
    /// The conditions, the inner ones first; none if the rule has no `if`.
    pub steps: Vec<Step>,
}

/// Returns how the `if` of a rule is judged at `now`.
pub(crate) fn judged(core: &mut Core, id: LiveId, now: Timestamp) -> Judged {
    let rule = std::sync::Arc::clone(&core.live.get(id).rule);
    if rule.condition.is_none() {
        return Judged { topic: None, steps: Vec::new() };
    }
    let decided_at = std::mem::replace(&mut core.evaluator.world.now, now);
    // Only how it is judged is shown: nothing is counted.
    let passed_over = core.evaluator.failures_passed_over;
    let judged = judge(core, id, &rule);
    core.evaluator.failures_passed_over = passed_over;
    core.evaluator.world.now = decided_at;
    judged
}

fn judge(core: &mut Core, id: LiveId, rule: &Rule) -> Judged {
    let firing = last_firing(core, rule);
    let topic = firing.topic.clone();
    let locals = match &rule.start {
        Start::While(_) if core.live.get(id).while_state.begun_at.is_some() => {
            Ok(core.live.get(id).while_state.variables.clone())
        }
        Start::While(_) | Start::When(_) => admission::variables(core, id, rule, &firing, Map::default()),
    };
    let locals = match locals {
        Ok(locals) => locals,
        Err(failure) => {
            let verdict = Verdict::Failed(Box::new(Fault::from(&failure)));
            let result = StepResult::Judged { verdict, source: None };
            let step = Step::new(&"let".into(), core.now(), StepKind::Condition, result);
            return Judged { topic, steps: vec![step] };
        }
    };
    let scope = core.scope(id, rule, Some(&firing), &locals);
    let mut judging = Judging::new(&scope, core.live.get(id).trackers());
    if let Some(condition) = &rule.condition {
        let _ = core.evaluator.judge(&mut judging, condition);
    }
    let mut steps = judging.steps;
    if topic.is_none() {
        for step in &mut steps {
            without_message(step, rule);
        }
    }
    Judged { topic, steps }
}

/// What failed for want of a message is unknown: its topic has no value yet.
fn without_message(step: &mut Step, rule: &Rule) {
    let mut filters = rule.triggers().iter().filter_map(Trigger::filter);
    let topic = filters.find_map(|filter| Topic::parse(filter.as_str()).ok());
    if let (StepResult::Judged { verdict, .. }, Some(topic)) = (&mut step.result, topic)
        && matches!(verdict, Verdict::Failed(_))
    {
        *verdict = Verdict::Unknown(Box::new(WhyUnknown::NoValueYet(topic)));
    }
}

/// Returns what the trigger whose topic spoke last would set now; of a rule without one, nothing.
fn last_firing(core: &Core, rule: &Rule) -> Firing {
    let cause = Cause::outside(CauseKind::Condition);
    let mut last: Option<(&Trigger, &Topic, &TopicState)> = None;
    let states = &core.evaluator.world.states;
    for trigger in rule.triggers().iter().filter(|trigger| trigger.enabled) {
        let Some(filter) = trigger.filter() else { continue };
        for (topic, state) in states.matching(filter) {
            if last.is_none_or(|(_, _, known)| known.at < state.at) {
                last = Some((trigger, topic, state));
            }
        }
    }
    let Some((trigger, topic, state)) = last else { return Firing::of_cause("when".into(), cause) };
    let Some(filter) = trigger.filter() else { return Firing::of_cause("when".into(), cause) };
    let value = state.payload.value().clone();
    let firing = Firing::of_trigger(trigger, cause).with_state(filter, topic, Some(state));
    Firing { value, ..firing }
}
