//! What a standby heard and the leader has perhaps not handled: it is handled at a takeover.

use std::collections::VecDeque;

use crate::model::{Fingerprint, Message};

/// How many messages are remembered at most.
const MOST: usize = 10_000;

/// Returns the mark by which a leader says which message it has handled last.
#[must_use]
pub fn mark(message: &Message) -> u64 {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text(message.topic.as_str());
    fingerprint.bytes(message.payload.bytes());
    fingerprint.value()
}

/// The messages since the last that the leader says to have handled.
#[derive(Debug, Default)]
pub struct Unhandled {
    messages: VecDeque<(u64, Message)>,
    /// A mark of the leader's that hasn't been heard here yet: the leader may hear a message first.
    ahead: Option<u64>,
}

impl Unhandled {
    /// Takes a live message.
    pub fn heard(&mut self, message: Message) {
        let mark = mark(&message);
        if self.ahead == Some(mark) {
            self.ahead = None;
            self.messages.clear();
            return;
        }
        if self.messages.len() >= MOST {
            self.messages.pop_front();
        }
        self.messages.push_back((mark, message));
    }

    /// Takes note that the leader has handled all up to the message with this mark. Of several alike the first one counts: rather
    /// once more than not at all.
    pub fn handled(&mut self, mark: u64) {
        match self.messages.iter().position(|(known, _)| *known == mark) {
            Some(place) => drop(self.messages.drain(..=place)),
            None => self.ahead = Some(mark),
        }
    }

    /// Takes out what is left, in order.
    pub fn take(&mut self) -> Vec<Message> {
        self.ahead = None;
        self.messages.drain(..).map(|(_, message)| message).collect()
    }

    /// Returns how many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Payload, Qos, Topic};

    fn message(payload: &str) -> Message {
        Message {
            topic: Topic::parse("home/motion").unwrap(),
            payload: Payload::from_bytes(payload.to_owned()),
            qos: Qos::AtLeastOnce,
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        }
    }

    #[test]
    fn what_the_leader_has_handled_is_forgotten_and_the_rest_is_kept() {
        let mut unhandled = Unhandled::default();
        ["1", "2", "3"].map(message).into_iter().for_each(|message| unhandled.heard(message));
        unhandled.handled(mark(&message("2")));
        assert_eq!(unhandled.len(), 1);
        // The leader heard it before we did.
        unhandled.handled(mark(&message("5")));
        unhandled.heard(message("4"));
        unhandled.heard(message("5"));
        unhandled.heard(message("6"));
        assert_eq!(unhandled.take(), [message("6")]);
        // Of two alike, the leader may have handled only the first.
        ["7", "7"].map(message).into_iter().for_each(|message| unhandled.heard(message));
        unhandled.handled(mark(&message("7")));
        assert_eq!(unhandled.take(), [message("7")]);
    }
}
