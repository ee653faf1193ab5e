//! What a run waits for that commanded devices, and who waits for what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::devices::DeviceId;
use crate::engine::instant::Shift;
use crate::engine::run::thread::ActionPlace;
use crate::engine::trace::{Missing, RunId};
use crate::model::{Message, Topic, Value};

/// What a thread waits for: that devices do what they were told, or that topics say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Confirming {
    /// The action that waits.
    pub(crate) at: ActionPlace,
    /// What hasn't been said yet.
    pub(crate) pending: Vec<Pending>,
    /// How long an answer may take.
    pub(crate) within: Duration,
    /// Until when.
    pub(crate) due: Timestamp,
    /// How often it may be sent again.
    pub(crate) tries: u32,
    /// How often it was sent.
    pub(crate) asked: u32,
}

/// What hasn't been said yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// A device hasn't done it.
    Device {
        /// Its id: it may be renamed meanwhile.
        device: DeviceId,
        /// What it was called.
        label: Arc<str>,
        /// What it is to be.
        wanted: Vec<(Arc<str>, Value)>,
        /// What it has said of that since.
        said: Vec<(Arc<str>, Value)>,
    },
    /// A topic doesn't say it.
    Topic {
        /// The topic.
        state: Topic,
        /// The value's path in its payload.
        field: String,
        /// What it must say: one of these.
        is: Vec<Value>,
        /// What it has said since.
        said: Option<Value>,
        /// The message that is sent again.
        message: Message,
    },
}

/// The threads that wait, by what they wait for: a device's id, or a topic.
#[derive(Debug, Default)]
pub(crate) struct Waiters(BTreeMap<Arc<str>, BTreeSet<(RunId, u32)>>);

impl Waiters {
    pub(crate) fn add(&mut self, run: RunId, thread: u32, confirming: &Confirming) {
        for subject in confirming.subjects() {
            self.0.entry(subject).or_default().insert((run, thread));
        }
    }

    pub(crate) fn remove(&mut self, run: RunId, thread: u32, confirming: &Confirming) {
        for subject in confirming.subjects() {
            if let Some(waiters) = self.0.get_mut(&subject) {
                waiters.remove(&(run, thread));
                if waiters.is_empty() {
                    self.0.remove(&subject);
                }
            }
        }
    }

    /// Returns whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn of(&self, subject: &str) -> Vec<(RunId, u32)> {
        self.0.get(subject).into_iter().flatten().copied().collect()
    }
}

impl Confirming {
    /// Returns what it waits for: ids of devices, topics, and the topics that were published to.
    fn subjects(&self) -> Vec<Arc<str>> {
        self.pending
            .iter()
            .flat_map(|pending| match pending {
                Pending::Device { device, .. } => vec![Arc::clone(device)],
                Pending::Topic { state, message, .. } => vec![state.text(), message.topic.text()],
            })
            .collect()
    }

    /// Returns what is still missing, for people.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        let of = |pending: &Pending| match pending {
            Pending::Device { label, wanted, said, .. } => wanted
                .iter()
                .map(|(property, value)| Missing {
                    of: format!("{label}.{property}").into(),
                    wanted: vec![value.clone()],
                    said: said.iter().find(|(name, _)| name == property).map(|(_, value)| value.clone()),
                })
                .collect(),
            Pending::Topic { state, field, is, said, .. } => {
                let of = if field.is_empty() { state.to_string() } else { format!("{field} of {state}") };
                vec![Missing { of: of.into(), wanted: is.clone(), said: said.clone() }]
            }
        };
        self.pending.iter().flat_map(of).collect::<Vec<Missing>>()
    }
}

impl Shift for Confirming {
    fn shift(&mut self, by: SignedDuration) {
        self.due.shift(by);
    }
}
