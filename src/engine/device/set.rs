//! `set`: commands devices by name (docs/devices.md).

use std::sync::Arc;

use jiff::Timestamp;

use crate::devices::{CommandError, CommandOptions, Publication as DevicePublication};
use crate::engine::action::act::Act;
use crate::engine::action::next::Next;
use crate::engine::action::publish::send;
use crate::engine::core::Core;
use crate::engine::instant::later;
use crate::engine::trace::{DeviceStep, StepKind, StepResult};
use crate::engine::yielding;
use crate::model::{Map, Message, Origin, Value};
use crate::rules::{Confirm, PublishConfirm, SetAction};
use crate::script::{Failure, KnownDevice};

use super::confirm;
use super::confirming::{Confirming, Pending};
use super::target::select;

/// Commands devices. Each is tried, whatever becomes of the others.
///
/// # Errors
/// When a template fails, or a device can't be commanded so: with all that is wrong.
pub(crate) fn set(act: &mut Act<'_>, set: &SetAction) -> Result<Next, Failure> {
    let target = act.evaluate(|engine, scope, reads| engine.render(scope, &set.target, reads))?;
    let to = act.evaluate(|engine, scope, reads| engine.render(scope, &set.to, reads))?;
    let within = match &set.confirm {
        None => None,
        Some(Confirm { within, retry }) => {
            Some((act.evaluate(|engine, scope, reads| engine.duration(scope, within, reads))?, *retry))
        }
    };
    let Value::Map(wanted) = to else {
        return Err(at_action(act, format!("`to` takes a map of properties, and this is {}", to.kind())));
    };
    let (devices, mut wrong) =
        select(&act.at.core.evaluator.world.devices, &target).map_err(|why| at_action(act, why))?;
    if devices.is_empty() && wrong.is_empty() {
        act.note(StepKind::Set, StepResult::Device(DeviceStep::Nobody));
        return Ok(Next::GoOn);
    }
    let options = CommandOptions { if_changed: set.if_changed };
    let mut pending = Vec::new();
    for device in devices {
        match command(act, StepKind::Set, &device, &wanted, options) {
            Commanded::Stopped(next) => return Ok(next),
            Commanded::Refused(why) => wrong.push(why),
            Commanded::Sent(wanted) if wanted.is_empty() => {}
            Commanded::Sent(wanted) => pending.push(Pending::Device {
                device: Arc::clone(&device.id),
                label: Arc::clone(&device.label),
                wanted,
                said: Vec::new(),
            }),
        }
    }
    if !wrong.is_empty() {
        return Err(at_action(act, wrong.join("; ")));
    }
    let Some((within, tries)) = within.filter(|_| !pending.is_empty() && !act.at.rule.dry_run) else {
        return Ok(Next::GoOn);
    };
    let due = later(act.at.core.now(), within);
    let confirming = Confirming { at: act.place, pending, within, due, tries, asked: 1 };
    Ok(wait(act, confirming))
}

/// Gives all commands of a scene. Each is tried, whatever becomes of the others.
///
/// # Errors
/// When a template fails, or a device can't be commanded so: with all that is wrong.
pub(crate) fn set_all(act: &mut Act<'_>, sets: &[SetAction]) -> Result<Next, Failure> {
    let mut wrong: Option<Failure> = None;
    for one in sets {
        match set(act, one) {
            Ok(Next::GoOn) => {}
            Ok(other) => return Ok(other),
            Err(failure) => {
                wrong = Some(match wrong {
                    None => failure,
                    Some(before) => Failure { message: format!("{}; {}", before.message, failure.message), ..before },
                });
            }
        }
    }
    wrong.map_or(Ok(Next::GoOn), Err)
}

/// Makes the thread wait until it is said.
fn wait(act: &mut Act<'_>, confirming: Confirming) -> Next {
    let (id, thread) = (act.at.id, act.at.thread);
    Next::Wait(confirm::begin(act.at.core, id, act.at.run, thread, confirming))
}

/// Waits until a topic says what a message was published for.
///
/// # Errors
/// When a template fails.
pub(crate) fn confirm_publish(act: &mut Act<'_>, confirm: &PublishConfirm, message: Message) -> Result<Next, Failure> {
    let state = act.evaluate(|engine, scope, reads| engine.topic(scope, &confirm.state, reads))?;
    let within = act.evaluate(|engine, scope, reads| engine.duration(scope, &confirm.confirm.within, reads))?;
    if act.at.rule.dry_run {
        return Ok(Next::GoOn);
    }
    let due = later(act.at.core.now(), within);
    let field = if confirm.field.is_whole() { String::new() } else { confirm.field.to_string() };
    let pending = vec![Pending::Topic { state, field, is: confirm.is.clone(), said: None, message }];
    let tries = confirm.confirm.retry;
    Ok(wait(act, Confirming { at: act.place, pending, within, due, tries, asked: 1 }))
}

/// What became of a command to one device.
pub(crate) enum Commanded {
    /// It was sent; what it can be seen to have done.
    Sent(Vec<(Arc<str>, Value)>),
    /// The device doesn't take it, in words.
    Refused(String),
    /// A loop was stopped.
    Stopped(Next),
}

/// Commands one device; `kind` is the step of the trace.
pub(crate) fn command(
    act: &mut Act<'_>,
    kind: StepKind,
    device: &KnownDevice,
    wanted: &Map,
    options: CommandOptions,
) -> Commanded {
    let core = &*act.at.core;
    let Some(known) = core.devices.registry.device(&device.id) else {
        return Commanded::Refused(format!("`{}` is gone", device.label));
    };
    let command = match known.command(wanted, &|property| said(core, device, property), options) {
        Ok(command) => command,
        Err(errors) => return Commanded::Refused(in_words(&errors)),
    };
    let values: Map = command.values.iter().cloned().collect();
    let (device_name, values) = (Arc::clone(&device.label), Value::Map(Arc::new(values)));
    if command.publications.is_empty() {
        act.note(kind, StepResult::Device(DeviceStep::Unchanged { device: device_name, values }));
        return Commanded::Sent(Vec::new());
    }
    let step = StepResult::Device(DeviceStep::Commanded { device: device_name, values });
    let step = if act.at.rule.dry_run { StepResult::Would(Box::new(step)) } else { step };
    act.note(kind, step);
    if !act.at.rule.dry_run {
        yielding::device::note(act.at.core, act.at.rule, act.at.run, device, wanted, &command.values);
        let by = Some(act.at.run.id);
        for (property, _) in &command.values {
            confirm::supersede(act.at.core, Some(act.at.run), &device.id, property, by);
        }
        if act.at.core.snapshots.has_devices() {
            let members = yielding::device::members(act.at.core, device);
            for id in members.iter().map(|member| &member.id).chain([&device.id]) {
                act.at.core.snapshots.note_commanded(id, command.values.iter().map(|(property, _)| property));
            }
        }
    }
    for publication in command.publications {
        if let Some(outcome) = send(act, kind, message(publication)) {
            return Commanded::Stopped(Next::End(outcome));
        }
    }
    Commanded::Sent(command.confirmable)
}

/// Returns what a device last said of a property.
pub(crate) fn said(core: &Core, device: &KnownDevice, property: &str) -> Option<Value> {
    said_at(core, device, property).map(|(value, _)| value)
}

/// Returns what a device last said of a property, and since when it says so.
pub(crate) fn said_at(core: &Core, device: &KnownDevice, property: &str) -> Option<(Value, Timestamp)> {
    let state = core.evaluator.world.states.get(device.topic(property)?.as_str())?;
    let value = state.payload.value();
    (!value.is_null()).then(|| (value.clone(), state.changed_at))
}

/// Returns what is wrong with a command, in one sentence.
pub(crate) fn in_words(errors: &[CommandError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Returns a device's message as one of the rule's.
pub(super) fn message(publication: DevicePublication) -> Message {
    let DevicePublication { topic, payload, qos, retain } = publication;
    Message { topic, payload, qos, retain, origin: Origin::Own, expires_at: None }
}

/// Returns a failure at the place of the action.
fn at_action(act: &Act<'_>, message: String) -> Failure {
    Failure { place: Some(act.action.place.clone()), ..Failure::plain(message) }
}
