//! The entities file: which entity is which device or topic, as a person says it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;

use super::entity::{Entity, Source, TopicEntity};
use super::registries::Registries;
use crate::lang::import::home_assistant::yaml::{Node, Value, parse};

/// Returns the entities of an entities file.
///
/// # Errors
/// When it can't be read, with the line.
pub(in crate::lang::import::home_assistant) fn read_file(
    name: &str,
    text: &str,
) -> Result<BTreeMap<String, Entity>, String> {
    let file: Arc<str> = name.into();
    let (node, _) = parse(&file, text).map_err(|error| format!("{name}:{}: {}", error.line, error.message))?;
    let mut found = BTreeMap::new();
    for entry in node.as_ref().and_then(Node::as_map).unwrap_or_default() {
        let id = entry.name().to_owned();
        let line = entry.value.place.line;
        let source = source(&entry.value).map_err(|message| format!("{name}:{line}: {message}"))?;
        let Some(source) = source else { continue };
        if !id.contains('.') {
            return Err(format!("{name}:{line}: `{id}` isn't an entity id: write `light.hall: Hall lamp.on`"));
        }
        found.insert(id.clone(), Entity { id, name: None, source });
    }
    Ok(found)
}

/// The keys of a topic.
const KEYS: [&str; 6] = ["topic", "path", "set", "on", "off", "attributes"];

fn source(node: &Node) -> Result<Option<Source>, String> {
    if node.is_null() {
        return Ok(None);
    }
    if let Some(text) = node.as_text() {
        let (device, property) = text
            .rsplit_once('.')
            .filter(|(device, property)| !device.trim().is_empty() && !property.trim().is_empty())
            .ok_or_else(|| format!("`{text}` needs a device and its property: `Hall lamp.on`"))?;
        let (name, property) = (device.trim().to_owned(), property.trim().to_owned());
        return Ok(Some(Source::Device { name, property }));
    }
    let Some(entries) = node.as_map() else {
        return Err("an entity is `DEVICE.property`, or a map with `topic`".to_owned());
    };
    if let Some(unknown) = entries.iter().find(|entry| !KEYS.contains(&entry.name())) {
        return Err(format!("`{}` isn't one of `{}`", unknown.name(), KEYS.join("`, `")));
    }
    let text = |key: &str| node.get(key).and_then(Node::to_text);
    let topic = text("topic").ok_or("the map needs `topic`")?;
    for named in [Some(&topic), text("set").as_ref()].into_iter().flatten() {
        if named.is_empty() || named.contains(['+', '#', '\0']) {
            return Err(format!("`{named}` can't be the topic of an entity: it's one topic, without `+` and `#`"));
        }
    }
    let attributes = node.get("attributes").and_then(Node::as_map).unwrap_or_default();
    let attributes =
        attributes.iter().filter_map(|entry| Some((entry.name().to_owned(), entry.value.to_text()?))).collect();
    let (on, off) = (node.get("on").map(word), node.get("off").map(word));
    Ok(Some(Source::Topic(TopicEntity { topic, path: text("path"), set: text("set"), on, off, attributes })))
}

/// Returns what is sent: `ON` is the text, whatever YAML 1.1 makes of it.
fn word(node: &Node) -> Json {
    let Some(scalar) = node.as_scalar() else { return Json::Null };
    match scalar.value {
        Value::Int(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Bool(value) if matches!(&*scalar.text, "true" | "false") => value.into(),
        _ => scalar.text.to_string().into(),
    }
}

/// Returns the entities file: what was given or guessed, and what goes through Home Assistant, to be edited.
pub(in crate::lang::import::home_assistant) fn write_file(
    used: &BTreeMap<String, Entity>,
    registries: &Registries,
) -> String {
    let mut text = String::from(
        "# Which entity of Home Assistant is which device or topic here.\n\
         # Edit it and import again with `--entities homeassistant-entities.yaml`:\n\
         #   light.hall: Hall lamp.on\n\
         #   sensor.outside: { topic: garden/weather, path: temperature }\n\
         #   switch.pump: { topic: garden/pump, set: garden/pump/set, on: ON, off: OFF }\n",
    );
    let mut left = Vec::new();
    for (id, entity) in used {
        match &entity.source {
            Source::Device { name, property } => {
                let _ = writeln!(
                    text,
                    "{id}: {}",
                    crate::lang::import::home_assistant::write::scalar(&format!("{name}.{property}"))
                );
            }
            Source::Topic(topic) => {
                let mut keys =
                    vec![format!("topic: {}", crate::lang::import::home_assistant::write::scalar(&topic.topic))];
                for (key, value) in [("path", &topic.path), ("set", &topic.set)] {
                    keys.extend(
                        value.as_ref().map(|value| {
                            format!("{key}: {}", crate::lang::import::home_assistant::write::scalar(value))
                        }),
                    );
                }
                for (key, value) in [("on", &topic.on), ("off", &topic.off)] {
                    keys.extend(
                        value
                            .as_ref()
                            .map(|value| format!("{key}: {}", crate::lang::import::home_assistant::write::json(value))),
                    );
                }
                if !topic.attributes.is_empty() {
                    let attributes = topic.attributes.iter().map(|(key, path)| {
                        format!("{key}: {}", crate::lang::import::home_assistant::write::scalar(path))
                    });
                    keys.push(format!("attributes: {{ {} }}", attributes.collect::<Vec<_>>().join(", ")));
                }
                let _ = writeln!(text, "{id}: {{ {} }}", keys.join(", "));
            }
            Source::Bridge => {
                let device = registries.entities.get(id).and_then(|entity| registries.device_of(entity));
                let name = device.and_then(|device| device.name.clone());
                left.push(match name {
                    Some(name) => format!("# {id}:    # of the device {}\n", name.replace('\n', " ")),
                    None => format!("# {id}:\n"),
                });
            }
            _ => {}
        }
    }
    if !left.is_empty() {
        text.push_str("\n# These go through Home Assistant until they are named here:\n");
        for line in &left {
            text.push_str(line);
        }
    }
    text
}
