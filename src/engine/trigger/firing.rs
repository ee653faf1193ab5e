//! A firing: what a trigger that fired sets (docs/language/expressions.md), and what led to it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::agenda::Occurrence;
use crate::model::schedule::{Calendar, Schedule};
use crate::model::{Map, Message, Name, Origin, Payload, Qos, RuleId, Topic, TopicFilter, TopicState, Value};
use crate::rules::Trigger;

use crate::engine::trace::{Cause, CauseKind, DueEvent};

/// What a trigger that fired has set. What it doesn't set is `()`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Firing {
    /// The trigger's `id`.
    pub(crate) trigger_id: Option<Name>,
    /// The trigger's place in the rule.
    pub(crate) path: Arc<str>,
    /// The message's topic.
    pub(crate) topic: Option<Topic>,
    /// The message's or the webhook's payload.
    pub(crate) payload: Option<Payload>,
    /// How surely the message is delivered.
    pub(crate) qos: Option<Qos>,
    /// The message's origin.
    pub(crate) origin: Option<Origin>,
    /// What the filter's wildcards matched.
    pub(crate) captures: Vec<Arc<str>>,
    /// Those that have a name.
    pub(crate) named: Vec<(Name, Arc<str>)>,
    /// The value before.
    pub(crate) old: Value,
    /// The value now.
    pub(crate) value: Value,
    /// The device whose property changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<Box<OfDevice>>,
    /// The MQTT client that came or went.
    pub(crate) client: Option<Arc<str>>,
    /// The rule that `loop_detected` or `rule_failed` means.
    pub(crate) rule: Option<RuleId>,
    /// The invariant that `invariant_broken` means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) invariant: Option<RuleId>,
    /// Which runs count as the same, where its captures don't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per: Option<Vec<Arc<str>>>,
    /// What the parts of a sequence set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Value>,
    /// The event of a calendar.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) event: Value,
    /// What led to it.
    pub(crate) cause: Cause,
}

/// The device whose property changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OfDevice {
    /// What it is called.
    pub(crate) name: Arc<str>,
    /// Where it is.
    pub(crate) area: Option<Arc<str>>,
    /// Which property.
    pub(crate) property: Arc<str>,
}

impl OfDevice {
    /// The variables that it sets.
    pub(crate) const NAMES: [&str; 3] = ["device", "area", "property"];

    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "device" => Some(Value::Text(Arc::clone(&self.name))),
            "area" => Some(self.area.clone().map_or(Value::Null, Value::Text)),
            "property" => Some(Value::Text(Arc::clone(&self.property))),
            _ => None,
        }
    }
}

impl Firing {
    /// Returns a firing that sets no variable.
    pub(crate) fn of_cause(path: Arc<str>, cause: Cause) -> Firing {
        Firing {
            trigger_id: None,
            path,
            topic: None,
            payload: None,
            qos: None,
            origin: None,
            captures: Vec::new(),
            named: Vec::new(),
            old: Value::Null,
            value: Value::Null,
            device: None,
            client: None,
            rule: None,
            invariant: None,
            per: None,
            parts: Vec::new(),
            event: Value::Null,
            cause,
        }
    }

    /// Returns what a time that was due sets.
    pub(crate) fn of_time(trigger: &Trigger, due: Timestamp, now: Timestamp) -> Firing {
        Firing::of_trigger(trigger, Cause::time(due, now))
    }

    /// Returns what a schedule that was due sets: of a calendar, once for each event that begins or ends then.
    pub(crate) fn of_schedule(
        trigger: &Trigger,
        schedule: &Schedule,
        due: Timestamp,
        (now, calendar): (Timestamp, &Calendar),
    ) -> Vec<Firing> {
        let Schedule::Events { calendar: name, edge, .. } = schedule else {
            return vec![Firing::of_time(trigger, due, now)];
        };
        let events = schedule.events(due, calendar);
        let firing = |event: &Occurrence| {
            let summary = Arc::clone(&event.event.summary);
            let of = DueEvent { calendar: Arc::clone(name), edge: edge.word().into(), summary: Arc::clone(&summary) };
            Firing {
                event: event.to_value(&calendar.zone),
                // Each event has its own runs: those of one evening don't end each other.
                per: Some(vec![summary, event.start.to_string().into()]),
                ..Firing::of_trigger(trigger, Cause::event(due, now, of))
            }
        };
        events.iter().map(firing).collect()
    }

    /// Returns what a trigger that fires sets, but for what made it fire.
    pub(crate) fn of_trigger(trigger: &Trigger, cause: Cause) -> Firing {
        Firing { trigger_id: trigger.id.clone(), ..Firing::of_cause(Arc::clone(&trigger.path), cause) }
    }

    /// Sets what a message that `filter` matches sets.
    pub(crate) fn with_message(mut self, filter: &TopicFilter, message: &Message) -> Firing {
        self.set_captures(filter, &message.topic);
        self.topic = Some(message.topic.clone());
        self.payload = Some(message.payload.clone());
        self.qos = Some(message.qos);
        self.origin = Some(message.origin);
        self
    }

    /// Sets what a message sets that says something of a device; of several devices, each has runs of its own.
    pub(crate) fn with_device(mut self, message: &Message, of: OfDevice, is_one_of_several: bool) -> Firing {
        self.topic = Some(message.topic.clone());
        self.payload = Some(message.payload.clone());
        self.qos = Some(message.qos);
        self.origin = Some(message.origin);
        if is_one_of_several {
            self.captures = vec![Arc::clone(&of.name)];
        }
        self.device = Some(Box::new(of));
        self
    }

    /// Sets what the last message of a topic sets, for a trigger that a time sets off.
    pub(crate) fn with_state(mut self, filter: &TopicFilter, topic: &Topic, state: Option<&TopicState>) -> Firing {
        self.set_captures(filter, topic);
        self.topic = Some(topic.clone());
        if let Some(state) = state {
            self.payload = Some(state.payload.clone());
            self.origin = Some(state.origin);
        }
        self
    }

    fn set_captures(&mut self, filter: &TopicFilter, topic: &Topic) {
        self.captures = filter.captures(topic).unwrap_or_default();
        self.named =
            filter.named(&self.captures).map(|(name, capture)| (Arc::clone(name), Arc::clone(capture))).collect();
    }

    /// Returns the variable `name`; `None` where the firing doesn't set it.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        match name {
            "topic" => self.topic.as_ref().map(|topic| Value::Text(topic.text())),
            "payload" => self.payload.as_ref().and_then(Payload::text).map(Value::from),
            "msg" => self.payload.as_ref().map(|payload| payload.value().clone()),
            "qos" => self.qos.map(|qos| Value::Int(u8::from(qos).into())),
            "origin" => self.origin.map(|origin| Value::from(origin.as_str())),
            "retained" => self.origin.map(|origin| Value::Bool(origin == Origin::Retained)),
            "captures" => Some(self.captures()),
            "old" => Some(self.old.clone()),
            "value" => Some(self.value.clone()),
            "trigger" => Some(self.trigger()),
            "device" | "area" | "property" if self.device.is_some() => self.device.as_ref()?.get(name),
            "event" if !self.event.is_null() => Some(self.event.clone()),
            _ => self
                .named
                .iter()
                .find(|(known, _)| **known == *name)
                .map(|(_, capture)| Value::Text(Arc::clone(capture))),
        }
    }

    /// Returns all that it sets as one map: what `wait` gives.
    pub(crate) fn to_map(&self) -> Map {
        let mut map = Map::default();
        for name in
            ["topic", "payload", "msg", "qos", "origin", "retained", "captures", "old", "value", "trigger", "event"]
        {
            map.insert(name.into(), self.get(name).unwrap_or_default());
        }
        for name in OfDevice::NAMES.iter().filter(|_| self.device.is_some()) {
            map.insert((*name).into(), self.get(name).unwrap_or_default());
        }
        for (name, capture) in &self.named {
            map.insert(Arc::clone(name), Value::Text(Arc::clone(capture)));
        }
        map
    }

    fn captures(&self) -> Value {
        Value::List(Arc::new(self.captures.iter().map(|capture| Value::Text(Arc::clone(capture))).collect()))
    }

    fn trigger(&self) -> Value {
        let mut trigger = Map::default();
        if let Some(id) = &self.trigger_id {
            trigger.insert("id".into(), Value::Text(Arc::clone(id)));
        }
        if let Some(client) = &self.client {
            trigger.insert("client".into(), Value::Text(Arc::clone(client)));
        }
        if let Some(rule) = &self.rule {
            trigger.insert("rule".into(), Value::from(rule.as_str()));
        }
        if let Some(invariant) = &self.invariant {
            trigger.insert("invariant".into(), Value::from(invariant.as_str()));
        }
        if self.topic.is_none() && !self.named.is_empty() {
            let named = self.named.iter().map(|(name, value)| (Arc::clone(name), Value::Text(Arc::clone(value))));
            trigger.insert("captures".into(), Value::Map(Arc::new(named.collect())));
        }
        if !self.parts.is_empty() {
            trigger.insert("parts".into(), Value::List(Arc::new(self.parts.clone())));
        }
        Value::Map(Arc::new(trigger))
    }
}

impl Cause {
    /// Returns a cause from outside.
    pub(crate) fn outside(kind: CauseKind) -> Cause {
        Cause { kind, depth: 0, run: None, armed: None }
    }

    /// Returns the cause of what is due, and is late where that was before `now`, after downtime.
    pub(crate) fn time(due: Timestamp, now: Timestamp) -> Cause {
        Cause::outside(CauseKind::Time { due, late: due < now, event: None })
    }

    /// Returns that an event of a calendar was due.
    pub(crate) fn event(due: Timestamp, now: Timestamp, event: DueEvent) -> Cause {
        Cause::outside(CauseKind::Time { due, late: due < now, event: Some(Box::new(event)) })
    }
}
