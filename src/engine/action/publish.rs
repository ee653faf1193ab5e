//! `publish` and `scene`: what a rule publishes is noted at once, and heard after what is being handled.

use crate::model::{Message, Origin, Payload, Topic, Value};
use crate::rules::{IfChanged, Publish};
use crate::script::Failure;

use crate::engine::action::perform::{Act, step_kind};
use crate::engine::run::stepper::Next;
use crate::engine::trigger::dispatch::Incoming;
use crate::engine::{Cause, Effect, Engine, Outcome, Publication, StepResult};

impl Engine {
    /// Publishes messages in order.
    pub(crate) fn publish_all(&mut self, act: &mut Act<'_>, messages: &[Publish]) -> Result<Next, Failure> {
        for publish in messages {
            if let Some(outcome) = self.publish(act, publish)? {
                return Ok(Next::End(outcome));
            }
        }
        Ok(Next::GoOn)
    }

    /// Publishes one message. Returns how the run ends, where this was one too many.
    fn publish(&mut self, act: &mut Act<'_>, publish: &Publish) -> Result<Option<Outcome>, Failure> {
        let topic = self.in_scope(act, |engine, scope, reads| engine.topic(scope, &publish.topic, reads))?;
        if topic.as_str().starts_with('$') {
            let message = format!("rules can't publish to `{topic}`: `$` topics belong to the broker");
            return Err(at_action(act, message));
        }
        let value = self.in_scope(act, |engine, scope, reads| engine.render(scope, &publish.payload, reads))?;
        if value.is_null() && publish.payload.as_constant().is_none() {
            return Err(at_action(act, format!("the payload for `{topic}` is `()`: write `null` to clear a topic")));
        }
        let payload = Payload::from_value(&value);
        let kind = step_kind(&act.action.kind);
        if let Some(same) = self.is_unchanged(act, publish, &topic, &payload)? {
            let result = StepResult::Unchanged(same, payload.value().clone());
            self.note_step(act.run, &act.action.path, kind, result);
            return Ok(None);
        }
        let result = StepResult::Published(topic.clone(), payload.clone());
        if act.rule.dry_run {
            self.note_step(act.run, &act.action.path, kind, StepResult::Would(Box::new(result)));
            return Ok(None);
        }
        let depth = act.run.firing.cause.depth + 1;
        if depth > self.options.chain {
            let outcome = self.stop_chain(act, &topic);
            self.note_step(act.run, &act.action.path, kind, StepResult::Withheld(topic, payload));
            return Ok(Some(outcome));
        }
        self.note_step(act.run, &act.action.path, kind, result);
        let message = Message { topic, payload, qos: publish.qos, retain: publish.retain, origin: Origin::Own };
        let mut cause = Cause { run: Some(act.run.id), ..act.run.firing.cause.clone() };
        if act.run.started_at < self.now() && cause.message().is_some() {
            // Its message may not be the last one of its topic any more.
            cause = cause.since(act.run.started_at);
        }
        let rule = act.rule.id.clone();
        self.effects.push(Effect::Publish(Publication { message: message.clone(), rule, cause }));
        self.inbox.push_back(Incoming::Message { message, depth, run: Some(act.run.id) });
        Ok(None)
    }

    /// Returns the topic that already says what would be published, if `if_changed` leaves it out then.
    fn is_unchanged(
        &mut self,
        act: &mut Act<'_>,
        publish: &Publish,
        topic: &Topic,
        payload: &Payload,
    ) -> Result<Option<Topic>, Failure> {
        // What is compared is what would be sent: the text `21` is the number that devices say.
        match &publish.if_changed {
            IfChanged::Always => Ok(None),
            IfChanged::OwnTopic => {
                let value = payload.value();
                let last = self.last_published(topic).or_else(|| self.value_of(topic.as_str()));
                Ok((last.as_ref() == Some(value)).then(|| topic.clone()))
            }
            IfChanged::Topic(other) => {
                let other = self.in_scope(act, |engine, scope, reads| engine.topic(scope, other, reads))?;
                let value = payload.value();
                let is_so = self.value_of(other.as_str()).is_some_and(|state| state.says(value));
                Ok(is_so.then_some(other))
            }
        }
    }

    /// Returns what a rule published to `topic` that hasn't been heard yet.
    fn last_published(&self, topic: &Topic) -> Option<Value> {
        self.inbox.iter().rev().find_map(|incoming| match incoming {
            Incoming::Message { message, .. } if message.topic == *topic => Some(message.payload.value().clone()),
            _ => None,
        })
    }

    fn value_of(&self, topic: &str) -> Option<Value> {
        self.evaluator.world.states.get(topic).map(|state| state.payload.value().clone())
    }
}

/// Returns a failure at the place of the action.
fn at_action(act: &Act<'_>, message: String) -> Failure {
    Failure { place: Some(act.action.place.clone()), ..Failure::plain(message) }
}
