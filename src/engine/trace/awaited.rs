//! What a run or a rule waits for.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Value, spoken};
use crate::rules::{
    ActionKind, ClientChange, Condition, ConditionKind, DeviceTrigger, HomeEvent, Order, Trigger, TriggerKind,
};

use super::{Missing, RunId};

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Its turn, in mode `queued`: the end of the run before it.
    Turn,
    /// A time.
    Time(Timestamp),
    /// The first of these.
    Events {
        /// What may happen.
        events: Vec<Awaited>,
        /// When it gives up.
        until: Option<Timestamp>,
    },
    /// The end of a run that it called.
    Run(RunId),
    /// An answer to a request, or the end of a program.
    Answer,
    /// What devices or topics must say.
    Confirm {
        /// What hasn't been said yet.
        missing: Vec<Missing>,
        /// When it is asked for again, or given up.
        until: Timestamp,
    },
}

/// Something that may happen, and that a trigger or a `wait` is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// A message.
    Message {
        /// The topic filter.
        filter: Arc<str>,
        /// Its payload, one of these; empty: any.
        payload: Vec<Value>,
    },
    /// A change of a value.
    Change {
        /// The topic filter.
        filter: Arc<str>,
        /// The path in the payload; `None`: the whole.
        field: Option<Arc<str>>,
        /// The value before, one of these; empty: any.
        from: Vec<Value>,
        /// The value after, one of these; empty: any.
        to: Vec<Value>,
        /// What the number must come to be above.
        above: Option<f64>,
        /// What the number must come to be below.
        below: Option<f64>,
        /// How long it must stay so.
        hold: Option<Duration>,
    },
    /// No message.
    Silence {
        /// The topic filter.
        filter: Arc<str>,
        /// For how long.
        hold: Duration,
    },
    /// A time.
    Time,
    /// Several things, one after the other.
    Sequence {
        /// How many.
        parts: u16,
        /// How often, where it's the same thing.
        times: Option<u16>,
        /// Within what time.
        within: Duration,
    },
    /// An MQTT client that connects or disconnects.
    Client {
        /// The pattern of its id.
        pattern: Arc<str>,
        /// Which of both.
        connects: bool,
    },
    /// One of the daemon's own events, by its word.
    Event(Arc<str>),
    /// A webhook, by its name.
    Webhook(Arc<str>),
    /// A condition that becomes true: its expression; `None`: it's another kind.
    Condition(Option<Arc<str>>),
}

impl Awaited {
    /// Returns what an action waits for; empty if it waits for nothing that happens.
    #[must_use]
    pub fn of_action(action: &ActionKind) -> Vec<Awaited> {
        let triggers = action.triggers();
        if !triggers.is_empty() {
            return triggers.iter().map(Awaited::from).collect();
        }
        match action {
            ActionKind::Wait(_) | ActionKind::Repeat { .. } => {
                action.conditions().first().map(|condition| until(condition)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl From<&Trigger> for Awaited {
    fn from(trigger: &Trigger) -> Awaited {
        match &trigger.kind {
            TriggerKind::Topic { filter, payload, .. } => {
                Awaited::Message { filter: filter.as_str().into(), payload: payload.clone().unwrap_or_default() }
            }
            TriggerKind::State(state) => Awaited::Change {
                filter: spoken(state.filter.as_str()).into(),
                field: (!state.field.is_whole()).then(|| state.field.to_string().into()),
                from: state.from.clone().unwrap_or_default(),
                to: state.to.clone().unwrap_or_default(),
                above: state.range.and_then(|range| range.above),
                below: state.range.and_then(|range| range.below),
                hold: state.hold,
            },
            TriggerKind::Device(DeviceTrigger { devices, property, state }) => Awaited::Change {
                filter: devices.to_string().into(),
                field: Some(Arc::clone(property)),
                from: state.from.clone().unwrap_or_default(),
                to: state.to.clone().unwrap_or_default(),
                above: state.range.and_then(|range| range.above),
                below: state.range.and_then(|range| range.below),
                hold: state.hold,
            },
            TriggerKind::Silent { filter, hold } => Awaited::Silence { filter: filter.as_str().into(), hold: *hold },
            TriggerKind::Schedule { .. } | TriggerKind::AtExpression { .. } => Awaited::Time,
            TriggerKind::Sequence(sequence) => Awaited::Sequence {
                parts: sequence.parts,
                times: match sequence.order {
                    Order::Times { times, .. } => Some(times),
                    Order::AsWritten | Order::Any => None,
                },
                within: sequence.within,
            },
            TriggerKind::Client { pattern, is } => {
                Awaited::Client { pattern: Arc::clone(pattern), connects: *is == ClientChange::Connected }
            }
            TriggerKind::Event(event) => {
                let word = HomeEvent::ALL.iter().find(|(_, known)| known == event).map_or("", |(word, _)| word);
                Awaited::Event(word.into())
            }
            TriggerKind::Webhook(name) => Awaited::Webhook(Arc::clone(name)),
        }
    }
}

fn until(condition: &Condition) -> Awaited {
    match &condition.kind {
        ConditionKind::Expression(expression) => Awaited::Condition(Some(expression.text())),
        ConditionKind::All(_)
        | ConditionKind::Any(_)
        | ConditionKind::Not(_)
        | ConditionKind::State(_)
        | ConditionKind::Device(_)
        | ConditionKind::Time(_)
        | ConditionKind::Sun { .. } => Awaited::Condition(None),
    }
}
