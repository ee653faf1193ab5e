//! What a watched topic says: an echo of what rules commanded, a change on its way there, or a change by somebody else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::core::Core;
use crate::engine::live::id::LiveId;
use crate::engine::run::key::RunKey;
use crate::model::{Message, Name, Origin, Topic, Value};
use crate::rules::{Watched, Yields};

use super::begin::{self, About};
use super::commanded::Commanded;
use super::device;
use super::noting;
use super::state::OverriddenBy;

/// How long after a `toggle` a report says what was commanded.
const ADOPTS: Duration = Duration::from_secs(5);

/// Keys that say how a device is in one word, where only a scalar was commanded.
const STATE_KEYS: [&str; 5] = ["state", "POWER", "value", "on", "output"];

/// Keys that a person changes, where nobody has commanded any.
const PLAIN_KEYS: [&str; 11] = [
    "state",
    "POWER",
    "on",
    "output",
    "brightness",
    "color_temp",
    "color",
    "position",
    "mode",
    "system_mode",
    "occupied_heating_setpoint",
];

/// Keys whose values devices round: they may be one step off.
const ROUNDED_KEYS: [&str; 9] =
    ["brightness", "Dimmer", "position", "tilt", "level", "volume", "color_temp", "fan", "percentage"];

/// Returns whether a rule that yields watches what `topic` says.
pub(crate) fn is_watched(core: &Core, topic: &Topic) -> bool {
    core.live.yields_any() && !core.live.watching(topic).is_empty()
}

/// Notes what a message of somebody else commands.
pub(crate) fn note_others(core: &mut Core, message: &Message, client: Option<&Arc<str>>) {
    if core.live.yields_any() && core.has_started && message.origin == Origin::Live {
        noting::note_other(core, message, client);
        device::note_other(core, message, client);
    }
}

/// A watched topic spoke: `before` is what it said before.
pub(crate) fn hear(core: &mut Core, message: &Message, before: Option<&Value>, client: Option<&Arc<str>>) {
    if !core.has_started {
        return;
    }
    let is_live = message.origin == Origin::Live;
    let (topic, value) = (&message.topic, message.payload.value());
    let now = core.now();
    let by_hand = core.commanded.hand(topic, now).filter(|hand| hand.rule.is_some());
    let is_by_hand = message.origin == Origin::Own && by_hand.is_some_and(|hand| hand.at == now);
    if !is_live && !is_by_hand {
        return;
    }
    if adopt(core, topic, value) {
        return;
    }
    let by = who(core, message, client);
    for (id, about) in overridden(core, topic, before, value) {
        begin::begin(core, id, about, by.clone());
    }
    note_echo(core, topic, value);
}

/// Returns who is behind a report: who commanded it of late, or else who says it.
fn who(core: &Core, message: &Message, client: Option<&Arc<str>>) -> OverriddenBy {
    let hand = core.commanded.hand(&message.topic, core.now());
    let rule = hand.and_then(|hand| hand.rule.clone());
    let client = hand.and_then(|hand| hand.client.clone()).or_else(|| client.cloned()).filter(|_| rule.is_none());
    OverriddenBy { client, rule, topic: message.topic.clone(), value: message.payload.value().clone() }
}

/// After `toggle`, the first report says what was commanded. Returns whether this was it.
fn adopt(core: &mut Core, topic: &Topic, value: &Value) -> bool {
    let now = core.now();
    if !core.commanded.get(topic).is_some_and(|known| known.adopts && known.is_in_grace(now, ADOPTS)) {
        return false;
    }
    core.commanded.edit(topic, |commanded| {
        commanded.adopts = false;
        commanded.has_echoed = true;
        commanded.value = match (&commanded.value, value) {
            (Value::Map(wanted), Value::Map(said)) => {
                let of = |key: &Arc<str>| said.get(key).map(|value| (Arc::clone(key), value.clone()));
                Value::Map(Arc::new(wanted.keys().filter_map(of).collect()))
            }
            _ => value.clone(),
        };
    });
    true
}

/// Notes that a topic says what was commanded.
fn note_echo(core: &mut Core, topic: &Topic, value: &Value) {
    let Some(known) = core.commanded.get(topic).filter(|known| !known.has_echoed) else { return };
    let is_echo = match (&known.value, value) {
        (Value::Map(wanted), Value::Map(said)) => {
            let mut told = wanted.iter().filter_map(|(key, wanted)| Some((key, wanted, said.get(key)?))).peekable();
            told.peek().is_some() && told.all(|(key, wanted, said)| is_same(Some(key), wanted, said))
        }
        (wanted, Value::Map(said)) => {
            let key = STATE_KEYS.iter().find(|key| said.contains_key(**key));
            key.and_then(|key| said.get(*key)).is_some_and(|said| is_same(None, wanted, said))
        }
        (wanted, said) => is_same(None, wanted, said),
    };
    if is_echo {
        core.commanded.edit(topic, |commanded| commanded.has_echoed = true);
    }
}

/// Returns the rules that a report overrides, and which of their runs.
fn overridden(core: &Core, topic: &Topic, before: Option<&Value>, value: &Value) -> Vec<(LiveId, About)> {
    // The first value ever is no change.
    let Some(before) = before.filter(|before| !before.is_null()) else { return Vec::new() };
    let mut found = Vec::new();
    for id in core.live.watching(topic) {
        let live = core.live.get(id);
        let Some(yields) = live.rule.yields.as_ref().filter(|_| live.is_enabled()) else { continue };
        let Some(watched) = yields.to.iter().find(|watched| watched.filter.matches(topic)) else { continue };
        let commanded = core.commanded.get(topic);
        if commanded.is_some_and(|known| known.is_in_grace(core.now(), yields.grace)) {
            continue;
        }
        if is_override(yields, watched, commanded, (before, value)) {
            let captures = watched.filter.captures(topic).unwrap_or_default();
            let named = named(watched, &captures);
            let key = key_of(commanded, &live.rule.id, &named);
            found.push((id, About { key, captures, named }));
        }
    }
    found
}

fn named(watched: &Watched, captures: &[Arc<str>]) -> Vec<(Name, Arc<str>)> {
    watched.filter.named(captures).map(|(name, value)| (Arc::clone(name), Arc::clone(value))).collect()
}

/// Returns which runs of a rule commanded it last, where the names of what is watched don't say it.
pub(super) fn key_of(
    commanded: Option<&Commanded>,
    rule: &crate::model::RuleId,
    named: &[(Name, Arc<str>)],
) -> Option<RunKey> {
    let (_, key, of_run) = commanded?.runs.iter().find(|(id, ..)| id == rule)?;
    (named.is_empty() && !of_run.is_empty()).then(|| key.clone())
}

/// Returns whether a report is a change of what the rule commands that isn't what was commanded, nor on its way there.
fn is_override(
    yields: &Yields,
    watched: &Watched,
    commanded: Option<&Commanded>,
    (before, value): (&Value, &Value),
) -> bool {
    let wanted = |key: Option<&str>| commanded.and_then(|known| known.of(key));
    let differs = |key: Option<&str>, before: Option<&Value>, value: Option<&Value>, wanted: Option<&Value>| {
        let (Some(before), Some(value)) = (before.filter(|it| !it.is_null()), value.filter(|it| !it.is_null())) else {
            return false;
        };
        if before == value {
            return false;
        }
        let has_arrived = commanded.is_none_or(|known| known.has_echoed);
        wanted.is_none_or(|wanted| !is_same(key, wanted, value) && (has_arrived || !moves_on(wanted, before, value)))
    };
    if !watched.fields.is_empty() {
        return watched.fields.iter().any(|field| {
            let text = field.to_string();
            let of_field = match commanded.map(|known| &known.value) {
                Some(known @ Value::Map(_)) => known.at(field),
                known => known.filter(|_| watched.fields.len() == 1),
            };
            differs(Some(&text), before.at(field), value.at(field), of_field)
        });
    }
    let Value::Map(said) = value else { return differs(None, Some(before), Some(value), wanted(None)) };
    let of_before = |key: &str| match before {
        Value::Map(before) => before.get(key),
        _ => None,
    };
    if let Some(Value::Map(_)) | None = commanded.map(|known| &known.value) {
        return keys(yields, commanded, said.keys())
            .iter()
            .any(|key| differs(Some(key), of_before(key), said.get(key), wanted(Some(key))));
    }
    let Some(key) = STATE_KEYS.iter().find(|key| said.contains_key(**key)) else { return false };
    differs(Some(key), of_before(key), said.get(*key), wanted(None))
}

/// Returns the keys that are watched: those that were commanded, or that the rule may command; else those that people change.
fn keys<'a>(
    yields: &Yields,
    commanded: Option<&Commanded>,
    said: impl Iterator<Item = &'a Arc<str>>,
) -> BTreeSet<Arc<str>> {
    let said: BTreeSet<Arc<str>> = said.cloned().collect();
    let of_command = commanded.and_then(|known| match &known.value {
        Value::Map(map) => Some(map.keys().cloned().collect::<BTreeSet<_>>()),
        _ => None,
    });
    let known: BTreeSet<Arc<str>> = of_command.into_iter().flatten().chain(yields.keys.iter().cloned()).collect();
    let known: BTreeSet<Arc<str>> = known.intersection(&said).cloned().collect();
    if !known.is_empty() {
        return known;
    }
    said.into_iter().filter(|key| PLAIN_KEYS.contains(&&**key)).collect()
}

/// Returns whether a device says what was commanded, as it may round it.
pub(crate) fn is_same(key: Option<&str>, wanted: &Value, said: &Value) -> bool {
    if wanted == said || said.says(wanted) {
        return true;
    }
    match (wanted, said) {
        (Value::Map(wanted), Value::Map(said)) => wanted.iter().all(|(key, wanted)| {
            said.get(key).is_some_and(|said| match (wanted.as_number(), said.as_number()) {
                (Some(wanted), Some(said)) => (wanted - said).abs() <= wanted.abs().mul_add(0.02, 0.01),
                _ => wanted == said,
            })
        }),
        (Value::Text(wanted), Value::Text(said)) => wanted.eq_ignore_ascii_case(said),
        (Value::Text(wanted), Value::Bool(said)) | (Value::Bool(said), Value::Text(wanted)) => {
            wanted.eq_ignore_ascii_case(if *said { "on" } else { "off" })
        }
        _ => {
            let is_rounded = key.is_some_and(|key| ROUNDED_KEYS.iter().any(|known| key.ends_with(known)));
            match (wanted.as_number(), said.as_number()) {
                (Some(wanted), Some(said)) => (wanted - said).abs() <= if is_rounded { 1.0 } else { 1e-9 },
                _ => false,
            }
        }
    }
}

/// Returns whether a number moves towards what was commanded.
pub(super) fn moves_on(wanted: &Value, before: &Value, value: &Value) -> bool {
    match (wanted.as_number(), before.as_number(), value.as_number()) {
        (Some(wanted), Some(before), Some(value)) => {
            (value - wanted).abs() < (before - wanted).abs() && (value - wanted) * (before - wanted) >= 0.0
        }
        _ => false,
    }
}
