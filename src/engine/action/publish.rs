//! `publish` and `scene`: what a rule publishes is noted at once, and handled after what is being handled.

use crate::engine::core::Core;
use crate::engine::device::set;
use crate::engine::effect::{Effect, Publication};
use crate::engine::inbox::Incoming;
use crate::engine::invariant;
use crate::engine::often::loop_guard;
use crate::engine::trace::{Cause, Outcome, StepKind, StepResult};
use crate::engine::yielding::noting;
use crate::model::{Message, Origin, Payload, Topic};
use crate::rules::{IfChanged, Publish};
use crate::script::Failure;

use super::act::Act;
use super::next::Next;

/// Publishes messages in order.
///
/// # Errors
/// When a template fails, or gives no topic or no payload.
pub(crate) fn publish_all(act: &mut Act<'_>, messages: &[Publish]) -> Result<Next, Failure> {
    for message in messages {
        match publish(act, message)? {
            Next::GoOn => {}
            other => return Ok(other),
        }
    }
    Ok(Next::GoOn)
}

/// Publishes one message.
fn publish(act: &mut Act<'_>, publish: &Publish) -> Result<Next, Failure> {
    let kind = StepKind::of(&act.action.kind);
    let topic = act.evaluate(|engine, scope, reads| engine.topic(scope, &publish.topic, reads))?;
    if topic.as_str().starts_with('$') {
        let message = format!("rules can't publish to `{topic}`: `$` topics belong to the broker");
        return Err(at_action(act, message));
    }
    let value = act.evaluate(|engine, scope, reads| engine.render(scope, &publish.payload, reads))?;
    if value.is_null() && publish.payload.as_constant().is_none() {
        return Err(at_action(act, format!("the payload for `{topic}` is `()`: write `null` to clear a topic")));
    }
    let payload = Payload::from_value(&value);
    if let Some(same) = unchanged(act, publish, &topic, &payload)? {
        act.note(kind, StepResult::Unchanged(same, payload.value().clone()));
        return Ok(Next::GoOn);
    }
    let message =
        Message { topic, payload, qos: publish.qos, retain: publish.retain, origin: Origin::Own, expires_at: None };
    if let Some(outcome) = send(act, kind, message.clone()) {
        return Ok(Next::End(outcome));
    }
    match &publish.confirm {
        Some(confirm) => set::confirm_publish(act, confirm, message),
        None => Ok(Next::GoOn),
    }
}

/// Sends a message of the run. Returns how the run ends, where this was one too many.
pub(crate) fn send(act: &mut Act<'_>, kind: StepKind, message: Message) -> Option<Outcome> {
    let result = StepResult::Published(message.topic.clone(), message.payload.clone());
    if act.at.rule.dry_run {
        act.note(kind, StepResult::Would(Box::new(result)));
        return None;
    }
    let depth = act.at.run.firing.cause.depth + 1;
    if depth > act.at.core.options.chain {
        let outcome = loop_guard::stop_chain(act.at.core, act.at.id, act.at.run.id, &message.topic);
        act.note(kind, StepResult::Withheld(message.topic, message.payload));
        return Some(outcome);
    }
    act.note(kind, result);
    let (rule, cause) = (act.at.rule.id.clone(), cause_of(act));
    noting::note(act.at.core, act.at.rule, act.at.run, &message);
    invariant::hear::on_publication(act.at.core, &message, &Cause { depth, ..cause.clone() });
    act.at.core.effects.push(Effect::Publish(Publication { message: message.clone(), rule, cause }));
    act.at.core.inbox.push(Incoming::Message { message, depth, run: Some(act.at.run.id), client: None });
    None
}

/// Returns what leads to what the run publishes now.
fn cause_of(act: &Act<'_>) -> Cause {
    let run = &*act.at.run;
    let cause = Cause { run: Some(run.id), ..run.firing.cause.clone() };
    if run.started_at < act.at.core.now() && cause.message().is_some() {
        // Its message may not be the last one of its topic any more.
        return cause.since(run.started_at);
    }
    cause
}

/// Returns the topic that already says what would be published, if `if_changed` leaves it out then.
fn unchanged(act: &mut Act<'_>, publish: &Publish, topic: &Topic, payload: &Payload) -> Result<Option<Topic>, Failure> {
    // What is compared is what would be sent: the text `21` is the number that devices say. Nothing else needs it read.
    let is_so = |topic, core: &Core| core.value_of(topic).is_some_and(|state| state.says(payload.value()));
    match &publish.if_changed {
        IfChanged::Always => Ok(None),
        IfChanged::OwnTopic => {
            let core = &*act.at.core;
            let last = core.inbox.last_value(topic).or_else(|| core.value_of(topic));
            Ok((last == Some(payload.value())).then(|| topic.clone()))
        }
        IfChanged::Topic(other) => {
            let other = act.evaluate(|engine, scope, reads| engine.topic(scope, other, reads))?;
            Ok(is_so(&other, act.at.core).then_some(other))
        }
    }
}

/// Returns a failure at the place of the action.
fn at_action(act: &Act<'_>, message: String) -> Failure {
    Failure { place: Some(act.action.place.clone()), ..Failure::plain(message) }
}
