//! Devices that do what they are told, and say so.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analysis::{Known, state_of};
use crate::model::{Map, Payload, Topic, Value};

/// Which topics answer to which commands.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Obey {
    /// By the topic of the command: the topic of the answer, and whether that says maps.
    by_habit: BTreeMap<Topic, (Topic, bool)>,
    /// The devices that are known.
    devices: Option<Arc<Known>>,
}

impl Obey {
    /// Returns what the devices of `known` do, and those that `commands` are known for by the habit of their topics.
    pub(in crate::sim) fn new(known: &Arc<Known>, commands: &[Topic]) -> Obey {
        let mut by_habit = BTreeMap::new();
        for command in commands.iter().filter(|command| !known.is_command(command)) {
            let Some(state) = state_of(command) else { continue };
            let Some(heard) = known.topic(&state) else { continue };
            let says_maps = heard.payloads.iter().any(|payload| matches!(payload.value(), Value::Map(_)));
            by_habit.insert(command.clone(), (state, says_maps));
        }
        Obey { by_habit, devices: Some(Arc::clone(known)) }
    }

    /// Returns whether there are devices that tests know by name, too.
    pub(in crate::sim) fn knows_devices(&self) -> bool {
        self.devices.as_ref().is_some_and(|known| known.devices.devices().next().is_some())
    }

    /// Returns whether an answer on `state` is one of these.
    pub(in crate::sim) fn is_of_device(&self, state: &Topic) -> bool {
        self.devices.as_ref().is_some_and(|known| known.listens_on(state).is_some())
    }

    /// Returns whether a command to `topic` is answered on `state`.
    pub(in crate::sim) fn is_answer(&self, state: &Topic) -> bool {
        self.by_habit.values().any(|(known, _)| known == state)
            || self.devices.as_ref().is_some_and(|known| known.listens_on(state).is_some())
    }

    /// Returns what devices say after a command; `last` is what topics said before.
    pub(in crate::sim) fn answers(
        &self,
        topic: &Topic,
        payload: &Payload,
        last: &dyn Fn(&Topic) -> Option<Payload>,
    ) -> Vec<(Topic, Payload)> {
        if let Some((state, says_maps)) = self.by_habit.get(topic) {
            return vec![(state.clone(), answer(payload, last(state), *says_maps))];
        }
        let Some(known) = self.devices.as_ref().filter(|known| known.is_command(topic)) else { return Vec::new() };
        let mut said = Vec::new();
        let mut by_device: BTreeMap<Arc<str>, Vec<(Arc<str>, Value)>> = BTreeMap::new();
        for reading in known.devices.commanded(topic, payload) {
            by_device.entry(reading.device).or_default().push((reading.property, reading.value));
        }
        for (device, values) in by_device {
            let Some(device) = known.devices.device(&device) else { continue };
            let Ok(publications) = device.says(&device.obeyed(&values), last) else { continue };
            said.extend(publications.into_iter().map(|publication| (publication.topic, publication.payload)));
        }
        said
    }
}

/// Returns what is said after a command: its keys, beside what was said before.
fn answer(payload: &Payload, last: Option<Payload>, says_maps: bool) -> Payload {
    let before = match last.as_ref().map(Payload::value) {
        Some(Value::Map(map)) => (**map).clone(),
        _ => Map::default(),
    };
    let toggled = |key: &str, value: &Value| -> Value {
        let is_toggle = value.as_text().is_some_and(|text| text.eq_ignore_ascii_case("toggle"));
        match before.get(key).and_then(Value::as_text) {
            Some("ON") if is_toggle => Value::text("OFF"),
            _ if is_toggle => Value::text("ON"),
            _ => value.clone(),
        }
    };
    match payload.value() {
        Value::Map(told) => {
            let mut said = before.clone();
            said.extend(told.iter().map(|(key, value)| (Arc::clone(key), toggled(key, value))));
            Payload::from_value(&Value::Map(said.into()))
        }
        value if says_maps => {
            let mut said = before.clone();
            said.insert("state".into(), toggled("state", value));
            Payload::from_value(&Value::Map(said.into()))
        }
        _ => payload.clone(),
    }
}
