//! From values to messages, and from messages that command a device back to values.

use std::sync::Arc;

use crate::devices::device::Device;
use crate::devices::device::property::{Form, Property, Write};
use crate::devices::device::reader::with_member;
use crate::devices::template::TemplateError;
use crate::model::{Map, Payload, Qos, Topic, Value};

/// A message that a command sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// Where to.
    pub topic: Topic,
    /// What.
    pub payload: Payload,
    /// How surely it is delivered.
    pub qos: Qos,
    /// Whether the broker keeps it.
    pub retain: bool,
}

/// Why a value can't be sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::devices) enum EncodeError {
    /// The device's words don't have it.
    Unsayable,
    /// The topic has wildcards, or a command's name makes none of it.
    NoTopic,
    /// The template failed.
    Template(TemplateError),
}

/// What is gathered for one message.
struct Draft<'a> {
    write: &'a Write,
    topic: Topic,
    /// The members, variables or parameters so far.
    entries: Map,
    /// Tasmota's commands, or the one payload.
    texts: Vec<(Arc<str>, String)>,
    is_off: bool,
}

/// Returns the messages that say these values, in the order that the protocol needs.
pub(in crate::devices) fn publications(
    device: &Device,
    values: &[(&Property, &Write, &Value)],
) -> Result<Vec<Publication>, EncodeError> {
    let mut sorted: Vec<_> = values.iter().collect();
    sorted.sort_by_key(|(_, write, _)| write.order);
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (property, write, value) in sorted {
        let topic = device.command_topic(write.topic).ok_or(EncodeError::NoTopic)?;
        let wire = write.codec.encode(value).ok_or(EncodeError::Unsayable)?;
        let shared = drafts.iter().position(|draft| draft.topic == topic && are_shared(&draft.write.form, &write.form));
        let draft = match shared.and_then(|place| drafts.get_mut(place)) {
            Some(draft) => draft,
            None => {
                drafts.push(Draft { write, topic, entries: Map::default(), texts: Vec::new(), is_off: false });
                let Some(draft) = drafts.last_mut() else { continue };
                draft
            }
        };
        add(draft, write, wire)?;
        draft.is_off |= &*property.name == "on" && **value == Value::Bool(false);
    }
    drafts.into_iter().map(finished).collect()
}

/// Returns whether two values go in one message.
fn are_shared(one: &Form, other: &Form) -> bool {
    match (one, other) {
        (Form::Member(_), Form::Member(_)) | (Form::Tasmota(_), Form::Tasmota(_)) => true,
        (Form::Shared { on, .. }, Form::Shared { on: other, .. }) => on == other,
        (
            Form::Rpc { method, component, parameter: Some(_) },
            Form::Rpc { method: other, component: other_component, parameter: Some(_) },
        ) => method == other && component == other_component,
        _ => false,
    }
}

/// Returns whether values go in one call of the device, which is carried out as a whole: one that also switches it off doesn't have
/// it go on before.
pub(in crate::devices) fn go_together<'a>(mut writes: impl Iterator<Item = &'a Write>) -> bool {
    let Some(first) = writes.next() else { return true };
    let is_call = matches!(first.form, Form::Rpc { .. });
    is_call && writes.all(|write| write.topic == first.topic && are_shared(&first.form, &write.form))
}

fn add(draft: &mut Draft<'_>, write: &Write, wire: Value) -> Result<(), EncodeError> {
    match &write.form {
        // Of a call without a parameter, the value is the method.
        Form::Payload | Form::Rpc { parameter: None, .. } => draft.texts.push(("".into(), wire.to_string())),
        Form::Member(keys) => {
            let entries = std::mem::take(&mut draft.entries);
            if let Value::Map(entries) = with_member(entries, keys, wire) {
                draft.entries = Arc::unwrap_or_clone(entries);
            }
        }
        Form::Template(template) => {
            // A map's members are variables too: the red, green and blue of a colour.
            let mut variables: Vec<(&str, Value)> = vec![("value", wire.clone()), ("position", wire.clone())];
            if let Value::Map(entries) = &wire {
                variables.extend(entries.iter().map(|(key, value)| (&**key, value.clone())));
            }
            let text = template.render(&variables).map_err(EncodeError::Template)?;
            draft.texts.push(("".into(), text));
        }
        Form::Shared { variable, .. } => match wire {
            Value::Map(entries) => draft.entries.extend(Arc::unwrap_or_clone(entries)),
            wire => {
                draft.entries.insert(Arc::clone(variable), wire);
            }
        },
        Form::Tasmota(command) => draft.texts.push((Arc::clone(command), wire.to_string())),
        Form::Rpc { parameter: Some(parameter), .. } => {
            let keys: Vec<Arc<str>> = parameter.split('.').map(Arc::from).collect();
            let entries = std::mem::take(&mut draft.entries);
            if let Value::Map(entries) = with_member(entries, &keys, wire) {
                draft.entries = Arc::unwrap_or_clone(entries);
            }
        }
    }
    Ok(())
}

fn finished(draft: Draft<'_>) -> Result<Publication, EncodeError> {
    let Draft { write, topic, entries, texts, is_off } = draft;
    let text = |text: String| Payload::from_bytes(text);
    let (topic, payload) = match &write.form {
        Form::Payload | Form::Template(_) => (topic, text(texts.into_iter().map(|(_, text)| text).collect())),
        Form::Member(_) => (topic, Payload::from_value(&Value::Map(entries.into()))),
        Form::Shared { on, off, .. } => {
            let variables: Vec<(&str, Value)> = entries.iter().map(|(key, value)| (&**key, value.clone())).collect();
            let template = if is_off { off } else { on };
            (topic, text(template.render(&variables).map_err(EncodeError::Template)?))
        }
        Form::Tasmota(_) => {
            let (command, payload) = match texts.as_slice() {
                [(command, payload)] => (&**command, payload.clone()),
                several => {
                    let lines: Vec<String> =
                        several.iter().map(|(command, payload)| format!("{command} {payload}")).collect();
                    ("Backlog0", lines.join(";"))
                }
            };
            (Topic::parse(&format!("{topic}/{command}")).map_err(|_| EncodeError::NoTopic)?, text(payload))
        }
        Form::Rpc { method, component, .. } => {
            let mut params = Map::from_iter([("id".into(), Value::Int((*component).into()))]);
            params.extend(entries);
            let call = Map::from_iter([
                ("id".into(), Value::Int(1)),
                ("src".into(), "homerule-rpc".into()),
                (
                    "method".into(),
                    texts
                        .into_iter()
                        .next()
                        .map_or_else(|| Value::Text(Arc::clone(method)), |(_, method)| Value::text(method)),
                ),
                ("params".into(), Value::Map(params.into())),
            ]);
            (topic, Payload::from_value(&Value::Map(call.into())))
        }
    };
    Ok(Publication { topic, payload, qos: write.qos, retain: write.retain })
}

/// Returns what a message on one of the device's command topics commands: the properties' places, and their values.
pub(in crate::devices) fn commanded(device: &Device, topic: &Topic, payload: &Payload) -> Vec<(usize, Value)> {
    let mut commanded: Vec<(usize, Value)> = Vec::new();
    for (place, property) in device.properties.iter().enumerate() {
        let Some(write) = &property.write else { continue };
        let Some(own) = device.command_topic(write.topic) else { continue };
        let wire = match &write.form {
            Form::Payload if own == *topic => payload.text().map(Value::text),
            Form::Member(keys) if own == *topic => member(payload.value(), keys),
            Form::Template(template) if own == *topic => template.plain().and_then(|_| payload.text().map(Value::text)),
            Form::Tasmota(command) => tasmota(&own, command, topic, payload),
            Form::Rpc { method, component, parameter } if own == *topic => {
                rpc(payload.value(), method, *component, parameter.as_deref())
            }
            _ => None,
        };
        if let Some(value) = wire.and_then(|wire| write.codec.decode(&wire)) {
            commanded.push((place, value));
        }
    }
    commanded
}

fn member(value: &Value, keys: &[Arc<str>]) -> Option<Value> {
    let step = |value: &Value, key: &Arc<str>| match value {
        Value::Map(entries) => entries.get(key).cloned(),
        _ => None,
    };
    keys.iter().try_fold(value.clone(), |value, key| step(&value, key))
}

/// Returns what a message gives one of Tasmota's commands, alone or in a `Backlog`.
fn tasmota(base: &Topic, command: &str, topic: &Topic, payload: &Payload) -> Option<Value> {
    let given = topic.as_str().strip_prefix(base.as_str())?.strip_prefix('/')?;
    let text = payload.text()?;
    if given.eq_ignore_ascii_case(command) {
        return Some(Value::text(text));
    }
    if !matches!(given.to_ascii_lowercase().as_str(), "backlog" | "backlog0" | "backlog1" | "backlog2" | "backlog3") {
        return None;
    }
    let mut lines = text.split(';').filter_map(|line| line.trim().split_once(' '));
    lines.find(|(name, _)| name.eq_ignore_ascii_case(command)).map(|(_, value)| Value::text(value.trim()))
}

fn rpc(call: &Value, method: &str, component: u32, parameter: Option<&str>) -> Option<Value> {
    let part = |value: &Value, key: &str| member(value, &[key.into()]);
    let params = part(call, "params")?;
    let called = part(call, "method")?;
    if part(&params, "id")? != Value::Int(component.into()) {
        return None;
    }
    match parameter {
        Some(_) if called.as_text() != Some(method) => None,
        Some(parameter) => member(&params, &parameter.split('.').map(Arc::from).collect::<Vec<_>>()),
        None => Some(called),
    }
}
