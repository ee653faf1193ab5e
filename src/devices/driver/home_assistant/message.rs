//! What one discovery topic told: one component, or a device with all of them.

use std::sync::Arc;

use super::super::parts::get;
use super::abbreviations::Keys;
use super::component;
use super::config::{About, Config, based, device, expanded};
use super::entity::Entity;
use crate::model::{Map, Payload, Topic, Value};

/// The most components of one device.
pub(super) const MOST_COMPONENTS: usize = 500;

/// What one discovery topic told.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) key: Arc<str>,
    pub(super) about: About,
    pub(super) entities: Vec<Entity>,
    pub(super) diagnostics: Vec<Arc<str>>,
    /// Why a later message couldn't be read; this one counts on.
    pub(super) later: Option<Arc<str>>,
}

/// Reads a discovery message.
pub(super) fn read(component: &str, object: &str, topic: &Topic, payload: &Payload) -> Result<Message, String> {
    let Value::Map(entries) = payload.value() else {
        return Err(format!("`{topic}` isn't a JSON object"));
    };
    let entries = expanded(entries, Keys::Component);
    let base = entries.get("~").and_then(Value::as_text).map(Arc::from);
    if component == "device" {
        several(object, topic, &entries, base)
    } else {
        one(component, object, topic, entries, base)
    }
}

fn one(component: &str, object: &str, topic: &Topic, entries: Map, base: Option<Arc<str>>) -> Result<Message, String> {
    let entries = Value::Map(based(entries, base.as_deref())?.into());
    let (key, about) = device(&entries, topic, &entries);
    let config = Config { component, object, entries };
    match component::read(&config) {
        Ok(entity) => {
            let diagnostics = entity.diagnostics.clone();
            Ok(Message { key, about, entities: vec![entity], diagnostics, later: None })
        }
        // The device is known by it all the same, and says what is wrong.
        Err(reason) if config.get("device").is_some() => {
            let reason = format!("its {component} `{object}`: {reason}").into();
            Ok(Message { key, about, entities: Vec::new(), diagnostics: vec![reason], later: None })
        }
        Err(reason) => Err(reason),
    }
}

fn several(object: &str, topic: &Topic, entries: &Map, base: Option<Arc<str>>) -> Result<Message, String> {
    let top = Value::Map(based(entries.clone(), base.as_deref())?.into());
    let Some(Value::Map(components)) = get(&top, "components") else {
        return Err(format!("`{topic}` has no `components`"));
    };
    if get(&top, "device").is_none() {
        return Err(format!("`{topic}` has no `device`"));
    }
    let (key, about) = device(&top, topic, &top);
    let mut message = Message { key, about, entities: Vec::new(), diagnostics: Vec::new(), later: None };
    for (name, component) in components.iter().take(MOST_COMPONENTS) {
        let Value::Map(component) = component else {
            message.diagnostics.push(format!("its component `{name}` isn't a JSON object").into());
            continue;
        };
        let mut component = expanded(component, Keys::Component);
        let own_base = component.get("~").and_then(Value::as_text).map(Arc::from);
        let Some(platform) = component.get("platform").and_then(Value::as_text).map(Arc::<str>::from) else {
            message.diagnostics.push(format!("its component `{name}` has no `platform`").into());
            continue;
        };
        // A component with nothing but its platform is taken back.
        if component.len() == 1 {
            continue;
        }
        for shared in SHARED {
            if let (Some(value), None) = (get(&top, shared), component.get(shared)) {
                component.insert(shared.into(), value.clone());
            }
        }
        let read = based(component, own_base.as_deref().or(base.as_deref())).and_then(|entries| {
            component::read(&Config { component: &platform, object: name, entries: Value::Map(entries.into()) })
        });
        match read {
            Ok(entity) => {
                message.diagnostics.extend(entity.diagnostics.iter().cloned());
                message.entities.push(entity);
            }
            Err(reason) => message.diagnostics.push(format!("its component `{name}`: {reason}").into()),
        }
    }
    let _ = object;
    Ok(message)
}

/// What the components of a device share with it, unless they say otherwise.
const SHARED: [&str; 12] = [
    "availability",
    "availability_mode",
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "command_topic",
    "state_topic",
    "qos",
    "encoding",
    "origin",
    "retain",
];
