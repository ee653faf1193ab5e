//! Inputs: each has its value as the state of a topic of the engine's own (`$input/vacation`), and tells it on
//! `homerule/input/NAME` (docs/inputs.md).

use std::sync::Arc;

use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::core::Core;
use crate::engine::effect::{Alert, AlertKind, Effect, Publication};
use crate::engine::inbox::Incoming;
use crate::engine::often::loop_guard;
use crate::engine::trace::{Cause, RunId, StepKind, StepResult};
use crate::model::{Message, Name, Origin, Payload, Qos, RuleId, Size, Topic, Value, input_topic};
use crate::rules::{Input, InputKind, Inputs, LogLevel};
use crate::script::{Failure, Template};

/// How the topics begin on which inputs tell their values.
/// How the topics of inputs begin that clients see.
pub(crate) const PREFIX: &str = "homerule/input/";

/// Who sets an input.
enum By<'a> {
    /// Somebody from outside.
    Outside,
    /// A run of a rule.
    Run { rule: &'a RuleId, run: RunId, depth: u32, cause: Cause },
}

/// Puts the inputs of the rules in force: what somebody has set stays, and all others are what the file says.
pub(crate) fn put_in_force(core: &mut Core, inputs: &Arc<Inputs>) {
    if *core.inputs == **inputs && core.has_started {
        return;
    }
    let before = std::mem::replace(&mut core.inputs, Arc::clone(inputs));
    for gone in before.keys().filter(|name| !inputs.contains_key(*name)) {
        if let Some(topic) = input_topic(gone) {
            core.evaluator.world.states.forget(&topic);
        }
        tell(core, gone, Payload::default(), true, &By::Outside);
    }
    let topics = inputs.keys().filter_map(|name| Some((Arc::clone(name), input_topic(name)?)));
    core.evaluator.world.inputs = Arc::new(topics.collect());
    for input in inputs.values().filter(|input| input.kind != InputKind::Button) {
        begin(core, input);
    }
}

/// Gives an input the value that it begins with.
fn begin(core: &mut Core, input: &Input) {
    let Some(topic) = input_topic(&input.name) else { return };
    let now = core.now();
    let known = core.evaluator.world.states.get(topic.as_str());
    // What nobody has set is as good as retained: it follows the file.
    let set = known.filter(|known| known.origin != Origin::Retained).map(|known| known.payload.value().clone());
    let given = core.options.devices.given_inputs.get(&input.name).filter(|_| !core.has_started);
    let (value, origin) =
        match (given.map(|given| input.kind.accept(given)), set.map(|value| (input.kind.accept(&value), value))) {
            (Some(Ok(given)), _) => (given, Origin::Live),
            (_, Some((Ok(accepted), value))) if accepted == value => return,
            (_, Some((_, value))) => {
                let text = format!(
                    "the input `{}` was `{value}`, which it can't be any more: it's its default now",
                    input.name
                );
                core.log(None, LogLevel::Warn, text);
                (input.default.clone(), Origin::Retained)
            }
            (_, None) => (input.default.clone(), Origin::Retained),
        };
    if known_value(core, &topic).is_some_and(|known| *known == value) {
        return;
    }
    let message = inner(topic, &value, origin);
    if core.has_started {
        core.inbox.push(Incoming::Message { message, depth: 0, run: None, client: None });
        tell(core, &input.name, Payload::from_value(&input.kind.wire(&value)), true, &By::Outside);
    } else {
        core.evaluator.world.states.note(now, &message, Size::Fits);
    }
}

fn known_value<'a>(core: &'a Core, topic: &Topic) -> Option<&'a Value> {
    core.evaluator.world.states.get(topic.as_str()).map(|known| known.payload.value())
}

/// At the start: tells the value of each input, where the broker doesn't keep it already.
pub(crate) fn tell_all(core: &mut Core) {
    let inputs = Arc::clone(&core.inputs);
    for input in inputs.values().filter(|input| input.kind != InputKind::Button) {
        let Some(value) = input_topic(&input.name).and_then(|topic| known_value(core, &topic).cloned()) else {
            continue;
        };
        let payload = Payload::from_value(&input.kind.wire(&value));
        let public = format!("{PREFIX}{}", input.name);
        let kept = core.evaluator.world.states.get(&public);
        if kept.is_none_or(|kept| kept.payload != payload || !kept.retained) {
            tell(core, &input.name, payload, true, &By::Outside);
        }
    }
}

/// A message has come: it may set an input.
pub(crate) fn heard(core: &mut Core, message: &Message) {
    let Some(name) = message.topic.as_str().strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix("/set")) else {
        return;
    };
    if matches!(message.origin, Origin::Retained | Origin::Restored) {
        return;
    }
    let Some(input) = core.inputs.get(name).cloned() else {
        return core.log(None, LogLevel::Warn, format!("there is no input `{name}`: nothing is set"));
    };
    let given = match (&input.kind, message.payload.text()) {
        _ if message.payload.is_empty() => Ok(input.default.clone()),
        (InputKind::Text, Some(text)) => Ok(Value::text(text)),
        (kind, _) => kind.accept(message.payload.value()),
    };
    match given {
        Ok(value) => set(core, &input, &value, &By::Outside),
        Err(why) => {
            let message = format!("the input `{name}` {why}: nothing is set");
            core.log(None, LogLevel::Warn, message.clone());
            loop_guard::raise_alert(
                core,
                Alert { kind: AlertKind::InputRefused, rule: None, invariant: None, message },
            );
        }
    }
}

/// `input`: sets inputs, in order.
///
/// # Errors
/// When a template fails, or an input doesn't take its value.
pub(crate) fn act(act: &mut Act<'_>, values: &[(Name, Template)]) -> Result<Next, Failure> {
    for (name, template) in values {
        let value = act.evaluate(|engine, scope, reads| engine.render(scope, template, reads))?;
        let failed = |message: String| Failure { place: Some(act.action.place.clone()), ..Failure::plain(message) };
        let input = act.at.core.inputs.get(name).cloned();
        let input = input.ok_or_else(|| failed(format!("there is no input `{name}`")))?;
        let value = if value.is_null() { Ok(input.default.clone()) } else { input.kind.accept(&value) };
        let value = value.map_err(|why| failed(format!("the input `{name}` {why}")))?;
        let result = StepResult::Set(Arc::clone(name), value.clone());
        if act.at.rule.dry_run {
            act.note(StepKind::Input, StepResult::Would(Box::new(result)));
            continue;
        }
        let run = &*act.at.run;
        let depth = run.firing.cause.depth + 1;
        if depth > act.at.core.options.chain {
            let Some(topic) = input_topic(name) else { continue };
            return Ok(Next::End(loop_guard::stop_chain(act.at.core, act.at.id, run.id, &topic)));
        }
        let cause = Cause { run: Some(run.id), ..run.firing.cause.clone() };
        let by = By::Run { rule: &act.at.rule.id, run: run.id, depth, cause };
        set(act.at.core, &input, &value, &by);
        act.note(StepKind::Input, result);
    }
    Ok(Next::GoOn)
}

/// Sets an input, and tells it.
fn set(core: &mut Core, input: &Input, value: &Value, by: &By<'_>) {
    let Some(topic) = input_topic(&input.name) else { return };
    let (origin, depth, run) = match by {
        By::Outside => (Origin::Live, 0, None),
        By::Run { run, depth, .. } => (Origin::Own, *depth, Some(*run)),
    };
    let is_lasting = input.kind != InputKind::Button;
    tell(core, &input.name, Payload::from_value(&input.kind.wire(value)), is_lasting, by);
    core.inbox.push(Incoming::Message { message: inner(topic, value, origin), depth, run, client: None });
}

fn inner(topic: Topic, value: &Value, origin: Origin) -> Message {
    Message { topic, payload: Payload::exactly(value), qos: Qos::AtMostOnce, retain: false, origin, expires_at: None }
}

/// Tells an input's value to everybody.
fn tell(core: &mut Core, name: &str, payload: Payload, retain: bool, by: &By<'_>) {
    let Ok(topic) = Topic::parse(&format!("{PREFIX}{name}")) else { return };
    let message = Message { topic, payload, qos: Qos::AtLeastOnce, retain, origin: Origin::Own, expires_at: None };
    let (depth, run) = match by {
        By::Outside => {
            core.effects.push(Effect::Tell(message.clone()));
            (0, None)
        }
        By::Run { rule, run, depth, cause } => {
            let rule = (*rule).clone();
            core.effects.push(Effect::Publish(Publication { message: message.clone(), rule, cause: cause.clone() }));
            (*depth, Some(*run))
        }
    };
    core.inbox.push(Incoming::Message { message, depth, run, client: None });
}
