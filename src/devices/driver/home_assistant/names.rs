//! What the properties of several components of one device are called.

use std::sync::Arc;

use super::entity::Entity;
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Property;
use crate::devices::device::vocabulary::{is_channel, snake_case, word};

/// Names the properties of a device's components, which come in the order of their topics.
pub(super) fn name(entities: &mut [Entity]) {
    // Longer than most: each step takes the names that those before it left.
    entities.sort_by_key(|entity| natural(&entity.object));
    // What the device is there for gets its words first.
    entities.sort_by_key(|entity| !entity.is_main);
    let mains: Vec<Kind> = entities.iter().filter(|entity| entity.is_main).map(|entity| entity.kind).collect();
    let has = |kind: Kind| mains.contains(&kind);
    let has_light = has(Kind::Light);
    let has_other_main =
        [Kind::Light, Kind::Fan, Kind::Humidifier, Kind::Climate, Kind::Cover, Kind::Vacuum].into_iter().any(has);
    for kind in [
        Kind::Light,
        Kind::Fan,
        Kind::Switch,
        Kind::Siren,
        Kind::Lock,
        Kind::Cover,
        Kind::Valve,
        Kind::Climate,
        Kind::Humidifier,
        Kind::Alarm,
        Kind::Vacuum,
        Kind::Mower,
        Kind::Button,
        Kind::Scene,
    ] {
        let is_of = |entity: &Entity| role(entity.kind) == kind && !entity.properties.is_empty();
        let is_switch = kind == Kind::Switch;
        // A switch beside a light is an extra, and so is one that is a setting; several buttons are told apart by their names.
        let mains = entities.iter().filter(|entity| is_of(entity) && entity.is_main).count();
        let all = entities.iter().filter(|entity| is_of(entity)).count();
        let is_named_by_source = match kind {
            Kind::Switch => has_other_main,
            Kind::Button | Kind::Scene => mains > 1 || (mains == 0 && all > 1),
            _ => false,
        };
        let channels = channels(entities.iter().filter(|entity| is_of(entity) && entity.is_main));
        let mut number = 0;
        for entity in entities.iter_mut().filter(|entity| is_of(entity)) {
            let is_extra = is_named_by_source || (!entity.is_main && (is_switch || mains > 0));
            if is_extra {
                by_object(entity);
                continue;
            }
            if mains > 1 {
                let channel = channels.get(number).cloned().unwrap_or_else(|| (number + 1).to_string());
                entity
                    .properties
                    .iter_mut()
                    .for_each(|property| property.name = format!("{}_{channel}", property.name).into());
            } else if kind == Kind::Fan && has_light {
                entity
                    .properties
                    .iter_mut()
                    .filter(|property| &*property.name == "on")
                    .for_each(|property| property.name = "fan_on".into());
            }
            number += 1;
        }
    }
    settle(entities);
}

/// Returns the kind whose place in a device it takes.
fn role(kind: Kind) -> Kind {
    if kind == Kind::Plug { Kind::Switch } else { kind }
}

/// Returns what tells several of a kind apart: the last part of their object ids, where that names a channel in each; none where
/// they are counted.
fn channels<'a>(entities: impl Iterator<Item = &'a Entity>) -> Vec<String> {
    let lasts: Vec<String> =
        entities.map(|entity| snake_case(&entity.object).rsplit('_').next().unwrap_or_default().to_owned()).collect();
    let mut apart = lasts.clone();
    apart.sort_unstable();
    apart.dedup();
    let is_good = apart.len() == lasts.len() && lasts.iter().all(|last| is_channel("on", last) && last != "0");
    if is_good { lasts } else { Vec::new() }
}

/// Names a component's properties by its object id.
fn by_object(entity: &mut Entity) {
    let object = snake_case(&entity.object);
    let object = if word(&object).is_some() { format!("{object}_raw") } else { object };
    let count = entity.properties.len();
    for property in &mut entity.properties {
        let is_first = count == 1 || matches!(&*property.name, "on" | "press");
        property.name = if is_first { Arc::from(&*object) } else { format!("{object}_{}", property.name).into() };
    }
}

/// Gives each property a name of its own: a setting or diagnosis gives way to its object id, and a second of a kind gets `_2`.
fn settle(entities: &mut [Entity]) {
    let mut taken: std::collections::BTreeSet<Arc<str>> = std::collections::BTreeSet::new();
    for entity in entities.iter_mut() {
        let object = snake_case(&entity.object);
        let is_only = entity.properties.len() == 1;
        for property in &mut entity.properties {
            if taken.contains(&property.name) && !entity.is_main && is_only && word(&object).is_none() {
                property.name = Arc::from(&*object);
            }
            apart(property, &mut taken);
        }
    }
}

fn apart(property: &mut Property, taken: &mut std::collections::BTreeSet<Arc<str>>) {
    let base = Arc::clone(&property.name);
    let mut count = 1;
    while !taken.insert(Arc::clone(&property.name)) {
        count += 1;
        property.name = format!("{base}_{count}").into();
    }
}

/// Returns what sorts `relay_2` before `relay_10`.
fn natural(object: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = object;
    while !rest.is_empty() {
        let text_end = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let (text, after) = rest.split_at_checked(text_end).unwrap_or((rest, ""));
        let number_end = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at_checked(number_end).unwrap_or((after, ""));
        parts.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = after;
    }
    parts
}
