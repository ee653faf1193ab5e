//! What rules command of devices by name, and what those devices say: the same as for topics, property by property.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::devices::Address;
use crate::engine::core::Core;
use crate::engine::device::hear::Said;
use crate::engine::device::target::select;
use crate::engine::instant::later;
use crate::engine::live::id::LiveId;
use crate::engine::run::Run;
use crate::model::{Map, Message, Origin, Topic, Value, parse_duration};
use crate::rules::{ActionKind, Rule, SetAction};
use crate::script::{KnownDevice, Template};

use super::begin::{self, About};
use super::commanded::{Commanded, Hand};
use super::related::{is_command_of, is_commanding};
use super::report::{is_same, key_of, moves_on};
use super::state::OverriddenBy;

/// Properties of which a light has one at a time.
const COLOR_MODES: [&str; 2] = ["color", "color_temp"];

/// A rule commands a device: notes it, for the device and the members of a group.
pub(crate) fn note(
    core: &mut Core,
    rule: &Rule,
    run: &Run,
    device: &KnownDevice,
    wanted: &Map,
    values: &[(Arc<str>, Value)],
) {
    if !core.live.yields_any() {
        return;
    }
    let transition = transition(wanted);
    let mut devices: Vec<Arc<KnownDevice>> = members(core, device);
    devices.extend(core.evaluator.world.devices.get(&device.id).cloned());
    for device in devices {
        for (property, value) in values {
            let Some(topic) = device.topic(property).cloned() else { continue };
            if rule.hand {
                let hand = Hand { at: core.now(), client: None, rule: Some(rule.id.clone()) };
                core.commanded.forget(&topic);
                core.commanded.note_hand(topic, hand);
                continue;
            }
            for other in COLOR_MODES.iter().filter(|_| COLOR_MODES.contains(&&**property)) {
                if let Some(other) = device.topic(other).filter(|other| **other != topic).cloned() {
                    core.commanded.forget(&other);
                }
            }
            let before = core.value_of(&topic).cloned().unwrap_or_default();
            let at = later(core.now(), transition);
            let mut runs = core.commanded.get(&topic).map(|known| known.runs.clone()).unwrap_or_default();
            runs.retain(|(id, ..)| *id != rule.id);
            runs.push((rule.id.clone(), run.key.clone(), run.firing.named.clone()));
            let value = value.clone();
            let commanded = Commanded { value, at, before, has_echoed: false, adopts: false, runs };
            core.commanded.put(topic, commanded);
        }
    }
}

fn transition(wanted: &Map) -> Duration {
    match wanted.get("transition") {
        Some(Value::Text(text)) => parse_duration(text).unwrap_or_default(),
        Some(other) => other.as_number().and_then(|it| Duration::try_from_secs_f64(it).ok()).unwrap_or_default(),
        None => Duration::ZERO,
    }
}

/// Returns the members of a group that are known.
pub(crate) fn members(core: &Core, device: &KnownDevice) -> Vec<Arc<KnownDevice>> {
    let registry = &core.devices.registry;
    let Some(group) = registry.device(&device.id).filter(|device| !device.members.is_empty()) else {
        return Vec::new();
    };
    let is_member = |addresses: &[Address]| addresses.iter().any(|address| group.members.contains(address));
    let found = registry.devices().filter(|device| is_member(&device.addresses));
    found.filter_map(|device| core.evaluator.world.devices.get(&device.id).cloned()).collect()
}

/// Somebody else commands what may be a device's: whatever it says from now on isn't about our command.
pub(crate) fn note_other(core: &mut Core, message: &Message, client: Option<&Arc<str>>) {
    if !is_commanding(&message.topic) {
        return;
    }
    let mut topics: Vec<Topic> = Vec::new();
    for id in core.live.yielding() {
        for device in devices_of(core, *id) {
            let is_spoken_to =
                device.hears.iter().any(|heard| *heard != message.topic && is_command_of(&message.topic, heard));
            if is_spoken_to {
                topics.extend(device.properties.iter().map(|property| property.topic.clone()));
            }
        }
    }
    for topic in topics {
        let hand = Hand { at: core.now(), client: client.cloned(), rule: None };
        core.commanded.note_hand(topic, hand);
    }
}

/// Devices spoke: `message` is what they said.
pub(crate) fn hear(core: &mut Core, message: &Message, said: &[Said], client: Option<&Arc<str>>) {
    if !core.live.yields_any() || !core.has_started {
        return;
    }
    for said in said.iter().filter(|said| !said.is_event && said.origin == Origin::Live) {
        if said.is_news {
            let by = who(core, message, said, client);
            for (id, about) in overridden(core, said) {
                begin::begin(core, id, about, by.clone());
                let (device, property) = (Arc::clone(&said.device.id), Arc::clone(&said.property));
                crate::engine::device::confirm::supersede(core, None, &device, &property, None);
            }
        }
        let is_echo = core
            .commanded
            .get(&said.topic)
            .is_some_and(|known| !known.has_echoed && is_so(&said.property, &known.value, &said.value));
        if is_echo {
            core.commanded.edit(&said.topic, |commanded| commanded.has_echoed = true);
        }
    }
}

fn who(core: &Core, message: &Message, said: &Said, client: Option<&Arc<str>>) -> OverriddenBy {
    let hand = core.commanded.hand(&said.topic, core.now());
    let rule = hand.and_then(|hand| hand.rule.clone());
    let client = hand.and_then(|hand| hand.client.clone()).or_else(|| client.cloned()).filter(|_| rule.is_none());
    OverriddenBy { client, rule, topic: message.topic.clone(), value: said.value.clone() }
}

fn overridden(core: &Core, said: &Said) -> Vec<(LiveId, About)> {
    // The first value ever is no change.
    if said.before.is_null() || said.before == said.value || is_other_mode(core, said) {
        return Vec::new();
    }
    let commanded = core.commanded.get(&said.topic);
    let mut found = Vec::new();
    for id in core.live.yielding() {
        let live = core.live.get(*id);
        let Some(yields) = live.rule.yields.as_ref().filter(|_| live.is_enabled()) else { continue };
        let key = key_of(commanded, &live.rule.id, &[]);
        let has_commanded = commanded.is_some_and(|known| known.runs.iter().any(|(rule, ..)| *rule == live.rule.id));
        if !has_commanded && !watches(core, &live.rule, said) {
            continue;
        }
        if commanded.is_some_and(|known| known.is_in_grace(core.now(), yields.grace)) {
            continue;
        }
        let is_ours = commanded.is_some_and(|known| {
            is_so(&said.property, &known.value, &said.value)
                || (!known.has_echoed && moves_on(&known.value, &said.before, &said.value))
        });
        if !is_ours {
            found.push((*id, About { key, captures: Vec::new(), named: Vec::new() }));
        }
    }
    found
}

/// Returns whether a light says a colour of the mode in which it wasn't commanded: it follows from the other.
fn is_other_mode(core: &Core, said: &Said) -> bool {
    if !COLOR_MODES.contains(&&*said.property) || core.commanded.get(&said.topic).is_some() {
        return false;
    }
    let others = COLOR_MODES.iter().filter(|mode| ***mode != *said.property);
    others.filter_map(|mode| said.device.topic(mode)).any(|topic| core.commanded.get(topic).is_some())
}

/// Returns whether a rule commands this property of this device, as far as its text tells.
fn watches(core: &Core, rule: &Rule, said: &Said) -> bool {
    sets(rule).any(|set| {
        let has_property = match &set.to {
            Template::Constant(Value::Map(map)) => map.contains_key(&*said.property),
            Template::Map(entries) => {
                entries.iter().any(|(key, _)| key.as_constant().and_then(Value::as_text) == Some(&*said.property))
            }
            _ => false,
        };
        has_property && targets(core, set).contains(&said.device.id)
    })
}

fn sets(rule: &Rule) -> impl Iterator<Item = &SetAction> {
    let scenes = rule.scenes.values().flat_map(ActionKind::sets);
    rule.actions().flat_map(|action| action.kind.sets()).chain(scenes)
}

/// Returns the devices that a command means, where its target is written out.
fn targets(core: &Core, set: &SetAction) -> BTreeSet<Arc<str>> {
    let target = set.target.as_constant();
    let found = target.and_then(|target| select(&core.evaluator.world.devices, target).ok());
    let found = found.map(|(devices, _)| devices).unwrap_or_default();
    let members: Vec<Arc<KnownDevice>> = found.iter().flat_map(|device| members(core, device)).collect();
    found.into_iter().chain(members).map(|device| Arc::clone(&device.id)).collect()
}

/// Returns the devices that a rule commands, as far as its text tells.
fn devices_of(core: &Core, id: LiveId) -> Vec<Arc<KnownDevice>> {
    let rule = Arc::clone(&core.live.get(id).rule);
    let ids: BTreeSet<Arc<str>> = sets(&rule).flat_map(|set| targets(core, set)).collect();
    ids.iter().filter_map(|id| core.evaluator.world.devices.get(id).cloned()).collect()
}

/// Returns whether a device says what was commanded, as it encodes it: give or take one step.
fn is_so(property: &str, wanted: &Value, said: &Value) -> bool {
    if is_same(Some(property), wanted, said) {
        return true;
    }
    match (wanted, said, property) {
        (Value::Text(wanted), Value::Text(said), "color") => near_color(wanted, said),
        (_, _, "color_temp") => match (wanted.as_number(), said.as_number()) {
            // One mired.
            (Some(wanted), Some(said)) => (wanted - said).abs() <= wanted * wanted / 1_000_000.0 + 1.0,
            _ => false,
        },
        (_, _, "position" | "tilt") => match (wanted, said) {
            (Value::Text(word), other) => match (&**word, other.as_number()) {
                ("open", Some(number)) => number >= 99.0,
                ("closed", Some(number)) => number <= 1.0,
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

fn near_color(wanted: &str, said: &str) -> bool {
    let part = |text: &str, at: usize| {
        let digits = text.strip_prefix('#')?.get(at..at + 2)?;
        i32::from_str_radix(digits, 16).ok()
    };
    [0, 2, 4].into_iter().all(|at| match (part(wanted, at), part(said, at)) {
        (Some(wanted), Some(said)) => (wanted - said).abs() <= 12,
        _ => false,
    })
}
