//! `restore`: commands devices back, and publishes what topics said (docs/language/snapshots.md).

use std::sync::Arc;

use crate::devices::{CommandOptions, Since};
use crate::engine::device::set::{Commanded, command, in_words, said};
use crate::engine::live::snapshots::{Remembered, RememberedDevice};
use crate::engine::trace::{StepKind, StepResult};
use crate::model::{Map, Qos, TopicFilter, Value};
use crate::rules::{IfChanged, Publish, snapshot_name};
use crate::script::{Failure, Template};

use super::act::Act;
use super::next::Next;
use super::publish::publish_all;
use super::snapshot::key_of;

/// Brings back what is remembered under a name, and forgets it: publishes the payload of each topic to where `to` says, then commands
/// the devices. Each device is tried, whatever becomes of the others.
///
/// # Errors
/// When it isn't said where payloads go, a message can't be published, or a device can't be commanded.
pub(crate) fn restore(act: &mut Act<'_>, name: &Template, to: Option<&Template>) -> Result<Next, Failure> {
    let name = act.evaluate(|engine, scope, reads| engine.render(scope, name, reads))?;
    let name = snapshot_name(&name);
    let now = act.at.core.now();
    let key = key_of(act, &name);
    let Some(remembered) = act.at.core.snapshots.get(&key, now).cloned() else {
        act.note(StepKind::Restore, StepResult::Words(format!("nothing is remembered as `{name}`")));
        return Ok(Next::GoOn);
    };
    if let Next::End(outcome) = publish_back(act, &name, &remembered, to)? {
        return Ok(Next::End(outcome));
    }
    if !act.at.rule.dry_run {
        act.at.core.snapshots.take(&key, now);
    }
    let mut wrong: Vec<String> = Vec::new();
    for device in &remembered.devices {
        if let Next::End(outcome) = command_back(act, device, &mut wrong) {
            return Ok(Next::End(outcome));
        }
    }
    if wrong.is_empty() {
        return Ok(Next::GoOn);
    }
    Err(Failure { place: Some(act.action.place.clone()), ..Failure::plain(wrong.join("; ")) })
}

/// Publishes what topics said.
fn publish_back(
    act: &mut Act<'_>,
    name: &str,
    remembered: &Remembered,
    to: Option<&Template>,
) -> Result<Next, Failure> {
    if remembered.topics.is_empty() {
        return Ok(Next::GoOn);
    }
    let Some(to) = to else {
        return Err(Failure::plain(format!(
            "`restore: {name}` needs `to`: where the payloads go, e.g. `${{topic}}/set`"
        )));
    };
    let filters: Vec<TopicFilter> =
        remembered.filters.iter().filter_map(|filter| TopicFilter::parse(filter).ok()).collect();
    for (topic, payload) in &remembered.topics {
        let mut locals = Map::default();
        locals.insert("topic".into(), Value::Text(topic.text()));
        locals.insert("msg".into(), payload.value().clone());
        if let Some(captures) = filters.iter().find_map(|filter| filter.captures(topic)) {
            let captures = captures.into_iter().map(Value::Text).collect();
            locals.insert("captures".into(), Value::List(Arc::new(captures)));
        }
        let target =
            act.with_locals(locals, |act| act.evaluate(|engine, scope, reads| engine.topic(scope, to, reads)))?;
        let publish = Publish {
            topic: Template::Constant(Value::Text(target.text())),
            payload: Template::Constant(payload.value().clone()),
            qos: Qos::AtLeastOnce,
            retain: false,
            if_changed: IfChanged::Always,
            confirm: None,
        };
        match publish_all(act, &[publish])? {
            Next::GoOn => {}
            other => return Ok(other),
        }
    }
    Ok(Next::GoOn)
}

/// Commands one device back; what it doesn't take is added to `wrong`.
fn command_back(act: &mut Act<'_>, remembered: &RememberedDevice, wrong: &mut Vec<String>) -> Next {
    let core = &*act.at.core;
    let known = core.evaluator.world.devices.get(&remembered.id).cloned();
    let Some((known, device)) = known.zip(core.devices.registry.device(&remembered.id)) else {
        wrong.push(format!("`{}` is gone", remembered.label));
        return Next::GoOn;
    };
    let since = Since {
        is_commanded: &|property| remembered.commanded.contains(property),
        said: &|property| said(core, &known, property),
    };
    let (commands, refused) = device.commands_back(&remembered.values, &since);
    if !refused.is_empty() {
        wrong.push(in_words(&refused));
    }
    if commands.is_empty() && refused.is_empty() {
        act.note(StepKind::Restore, StepResult::Words(format!("{} is as it was", known.label)));
    }
    for wanted in &commands {
        match command(act, StepKind::Restore, &known, wanted, CommandOptions::default()) {
            Commanded::Sent(_) => {}
            Commanded::Refused(why) => wrong.push(why),
            Commanded::Stopped(next) => return next,
        }
    }
    Next::GoOn
}
