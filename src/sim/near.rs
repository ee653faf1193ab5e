//! Messages of a test that have the topic of a rule's trigger and set it off not: what was wrong with them.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::explain::{miss, payload_text};
use crate::model::{Message, Origin, Topic};
use crate::rules::Rule;

use super::local_clock::LocalClock;

/// So many messages of a test are kept.
const MOST_HEARD: usize = 10_000;

/// So many that came near are told.
const MOST_NEAR: usize = 5;

/// The last messages of a test: of devices, and of rules.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(VecDeque<(Timestamp, Message)>);

impl Heard {
    /// Keeps a message.
    pub(super) fn note(&mut self, at: Timestamp, message: &Message) {
        if self.0.len() == MOST_HEARD {
            self.0.pop_front();
        }
        self.0.push_back((at, message.clone()));
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the topics on which devices spoke.
    pub(super) fn topics_of_devices(&self) -> impl Iterator<Item = &Topic> + Clone {
        let of_devices = self.0.iter().filter(|(_, message)| message.origin != Origin::Own);
        of_devices.map(|(_, message)| &message.topic)
    }

    /// Returns the topics that spoke.
    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> + Clone {
        self.0.iter().map(|(_, message)| &message.topic)
    }

    /// Returns a line for each message that came near one of the rule's triggers, oldest first, of the last ones.
    pub(super) fn near(&self, rule: &Rule, clock: &LocalClock) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, (at, message)) in self.0.iter().enumerate().rev() {
            let mut earlier = self.0.iter().take(index).rev();
            let before = earlier.find(|(_, earlier)| earlier.topic == message.topic);
            let before = before.map(|(_, before)| before.payload.value());
            let mut misses = rule.triggers().iter().filter_map(|trigger| {
                let why = miss(trigger, message, before)?;
                Some(format!("{}: {why}", trigger.path))
            });
            let Some(why) = misses.next() else { continue };
            let payload = payload_text(&message.payload);
            lines.push(format!("    {} {} {payload}   {why}", clock.text(*at), message.topic));
            if lines.len() == MOST_NEAR {
                break;
            }
        }
        lines.reverse();
        lines
    }
}
