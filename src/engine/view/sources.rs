//! Where the triggers of a rule hear, in topics of the broker, and what messages there say to them: those who ask why a rule
//! didn't run know messages, and triggers know devices and inputs by name.

use std::sync::Arc;

use crate::devices::Device;
use crate::engine::core::Core;
use crate::engine::device::target;
use crate::engine::people::input::PREFIX;
use crate::model::{Message, Name, Origin, Payload, RuleId, Topic, TopicFilter, input_topic, is_inner};
use crate::rules::{DeviceChoice, DeviceTrigger, InputKind, Rule, Trigger, TriggerKind};

/// Where the triggers of a rule hear.
#[derive(Debug, Clone)]
pub struct TriggerSources {
    /// The rule.
    pub rule: RuleId,
    /// The topics of the broker.
    pub filters: Vec<TopicFilter>,
    /// Of which devices triggers wait to hear that aren't known, in words.
    pub unknown: Vec<String>,
    named: Vec<Source>,
}

/// Where a trigger hears of a device or an input.
#[derive(Debug, Clone)]
struct Source {
    /// The trigger's path.
    path: Arc<str>,
    /// The topic that holds the value for the trigger.
    topic: Topic,
    filter: TopicFilter,
    reading: Reading,
}

/// How a message is read.
#[derive(Debug, Clone)]
enum Reading {
    /// As this property of the device.
    Property(Arc<Device>, Name),
    /// As an input.
    Input(InputKind),
}

impl TriggerSources {
    /// Returns where the triggers of `rule` hear now.
    pub(crate) fn of(core: &Core, rule: &Rule) -> TriggerSources {
        let (filters, named, unknown) = (Vec::new(), Vec::new(), Vec::new());
        let mut sources = TriggerSources { rule: rule.id.clone(), filters, unknown, named };
        for trigger in rule.triggers() {
            match (&trigger.kind, trigger.filter()) {
                (TriggerKind::Device(device), _) => sources.add_devices(core, trigger, device),
                (_, Some(filter)) if is_inner(filter.as_str()) => sources.add_input(core, trigger, filter),
                (_, Some(filter)) => sources.filters.push(filter.clone()),
                (_, None) => {}
            }
        }
        sources.filters.extend(sources.named.iter().map(|source| source.filter.clone()));
        sources.filters.dedup();
        sources
    }

    fn add_devices(&mut self, core: &Core, trigger: &Trigger, heard: &DeviceTrigger) {
        let devices = target::heard_by(&core.evaluator.world.devices, &heard.devices);
        if devices.is_empty() {
            self.unknown.push(match &heard.devices {
                DeviceChoice::Names(names) => {
                    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                    format!("no device is called {}", names.join(" or "))
                }
                DeviceChoice::Where(_) => "no device that is known fits".to_owned(),
            });
        }
        for known in devices {
            let device = core.devices.registry.device(&known.id);
            let (Some(device), Some(topic)) = (device, known.topic(&heard.property)) else { continue };
            let Some((_, property)) = device.property(&heard.property) else { continue };
            for filter in property.reads.iter().filter_map(|read| device.topics.get(read.topic)) {
                self.named.push(Source {
                    path: Arc::clone(&trigger.path),
                    topic: topic.clone(),
                    filter: filter.clone(),
                    reading: Reading::Property(Arc::clone(device), Arc::clone(&heard.property)),
                });
            }
        }
    }

    fn add_input(&mut self, core: &Core, trigger: &Trigger, filter: &TopicFilter) {
        let Some(topic) = filter.as_topic() else { return };
        let Some(input) = core.inputs.values().find(|input| input_topic(&input.name).as_ref() == Some(&topic)) else {
            return;
        };
        let Ok(filter) = TopicFilter::parse(&format!("{PREFIX}{}", input.name)) else { return };
        let reading = Reading::Input(input.kind.clone());
        self.named.push(Source { path: Arc::clone(&trigger.path), topic, filter, reading });
    }

    /// Returns what a message says of devices and inputs to triggers: the paths of these, and messages as they hear them.
    #[must_use]
    pub fn said(&self, message: &Message) -> Vec<(&Arc<str>, Message)> {
        let heard = self.named.iter().filter(|source| source.filter.matches_in_rules(&message.topic));
        heard.filter_map(|source| Some((&source.path, source.read(message)?))).collect()
    }
}

/// Returns the topics of the broker on which what a topic of the engine's own holds is said.
pub(crate) fn said_on(core: &Core, topic: &Topic) -> Vec<Topic> {
    if let Some(input) = core.inputs.values().find(|input| input_topic(&input.name).as_ref() == Some(topic)) {
        let public = |ending: &str| Topic::parse(&format!("{PREFIX}{}{ending}", input.name)).ok();
        return [public(""), public("/set")].into_iter().flatten().collect();
    }
    let mut devices = core.evaluator.world.devices.iter();
    let device = devices.find(|device| device.properties.iter().any(|property| property.topic == *topic));
    device.map(|device| device.hears.clone()).unwrap_or_default()
}

impl Source {
    fn read(&self, message: &Message) -> Option<Message> {
        let value = match &self.reading {
            Reading::Property(device, property) => {
                let (_, property) = device.property(property)?;
                if property.holds.is_event() && !matches!(message.origin, Origin::Live | Origin::Own) {
                    return None;
                }
                let is_here = |topic: usize| {
                    device.topics.get(topic).is_some_and(|filter| filter.matches_in_rules(&message.topic))
                };
                let mut reads = property.reads.iter().filter(|read| is_here(read.topic));
                reads.find_map(|read| read.reader.read(&message.payload).ok().flatten())?
            }
            Reading::Input(kind) => kind.accept(message.payload.value()).ok()?,
        };
        let payload = Payload::exactly(&value);
        Some(Message { topic: self.topic.clone(), payload, ..message.clone() })
    }
}
