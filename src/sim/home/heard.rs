//! The last messages of a test, for those who ask why a rule did nothing.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::model::{Message, Origin, Topic};

/// The most messages that are kept.
const MOST_HEARD: usize = 10_000;

/// The last messages of a test: of devices, and of rules.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Heard(VecDeque<(Timestamp, Message)>);

impl Heard {
    /// Keeps a message.
    pub(in crate::sim) fn note(&mut self, at: Timestamp, message: &Message) {
        if self.0.len() == MOST_HEARD {
            self.0.pop_front();
        }
        self.0.push_back((at, message.clone()));
    }

    /// Forgets all.
    pub(in crate::sim) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the messages, oldest first.
    pub(in crate::sim) fn messages(&self) -> Vec<(Timestamp, &Message)> {
        self.0.iter().map(|(at, message)| (*at, message)).collect()
    }

    /// Returns the topics on which devices spoke.
    pub(in crate::sim) fn topics_of_devices(&self) -> impl Iterator<Item = &Topic> + Clone {
        let of_devices = self.0.iter().filter(|(_, message)| message.origin != Origin::Own);
        of_devices.map(|(_, message)| &message.topic)
    }

    /// Returns the topics that spoke.
    pub(in crate::sim) fn topics(&self) -> impl Iterator<Item = &Topic> + Clone {
        self.0.iter().map(|(_, message)| &message.topic)
    }
}
