//! The last messages with who published them, within a bound, and who spoke last on each topic.
//!
//! `why` goes back to a client by them, `why-not` finds messages that came near, and a test is cut out of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::cause_of;
use crate::engine::{Cause, Publication};
use crate::model::recording::Recorded;
use crate::model::{Message, RuleId, Topic};

/// What a message takes beside its topic and payload, about.
const OVERHEAD: usize = 200;

/// The last messages.
pub(in crate::daemon) struct Heard {
    memory: usize,
    used: usize,
    /// All messages after this are here.
    since: Timestamp,
    messages: VecDeque<HeardMessage>,
    last: HashMap<Topic, Spoke>,
}

/// A message that was heard.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct HeardMessage {
    pub(in crate::daemon) at: Timestamp,
    pub(in crate::daemon) message: Message,
    pub(in crate::daemon) speaker: Speaker,
}

/// Who published a message.
#[derive(Debug, Clone)]
pub(in crate::daemon) enum Speaker {
    /// A client with this id; `None`: nobody knows, as with a will.
    Client(Option<Arc<str>>),
    /// A rule, and what made it do so.
    Rule(RuleId, Cause),
}

/// Who spoke last on a topic.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Spoke {
    pub(in crate::daemon) at: Timestamp,
    pub(in crate::daemon) speaker: Speaker,
}

impl Heard {
    /// Keeps messages from `now` on within `memory` bytes.
    pub(in crate::daemon) fn new(memory: usize, now: Timestamp) -> Heard {
        Heard { memory, used: 0, since: now, messages: VecDeque::new(), last: HashMap::new() }
    }

    /// From now on keeps them within `memory` bytes.
    pub(in crate::daemon) fn resize(&mut self, memory: usize) {
        self.memory = memory;
        self.make_room();
    }

    /// A client published `message`.
    pub(in crate::daemon) fn message(&mut self, at: Timestamp, message: &Message, client: Option<&Arc<str>>) {
        self.push(HeardMessage { at, message: message.clone(), speaker: Speaker::Client(client.cloned()) });
    }

    /// A rule published.
    pub(in crate::daemon) fn publication(&mut self, at: Timestamp, publication: &Publication) {
        let speaker = Speaker::Rule(publication.rule.clone(), publication.cause.clone());
        self.push(HeardMessage { at, message: publication.message.clone(), speaker });
    }

    fn push(&mut self, heard: HeardMessage) {
        let spoke = Spoke { at: heard.at, speaker: heard.speaker.clone() };
        match self.last.get_mut(heard.message.topic.as_str()) {
            Some(last) => *last = spoke,
            None => {
                self.last.insert(heard.message.topic.clone(), spoke);
            }
        }
        self.used += heard.size();
        self.messages.push_back(heard);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.used > self.memory
            && let Some(oldest) = self.messages.pop_front()
        {
            self.used -= oldest.size();
            self.since = oldest.at;
        }
    }

    /// Returns since when all messages are here; what came at that very time may not be.
    pub(in crate::daemon) fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns who spoke last on `topic`.
    pub(in crate::daemon) fn last(&self, topic: &Topic) -> Option<&Spoke> {
        self.last.get(topic.as_str())
    }

    /// Returns the messages, oldest first.
    pub(in crate::daemon) fn messages(&self) -> impl DoubleEndedIterator<Item = &HeardMessage> {
        self.messages.iter()
    }

    /// Returns the last message of `topic` at or before `at`.
    pub(in crate::daemon) fn before(&self, topic: &Topic, at: Timestamp) -> Option<&HeardMessage> {
        self.find(topic, at, |_| true)
    }

    /// Returns the last message of `topic` at or before `at` that `is_wanted`.
    pub(in crate::daemon) fn find(
        &self,
        topic: &Topic,
        at: Timestamp,
        is_wanted: impl Fn(&HeardMessage) -> bool,
    ) -> Option<&HeardMessage> {
        let is_it = |heard: &&HeardMessage| heard.at <= at && heard.message.topic == *topic && is_wanted(heard);
        self.messages.iter().rev().find(is_it)
    }
}

impl HeardMessage {
    /// Returns a message as it was recorded; `None` where a rule published it and its cause isn't known.
    pub(in crate::daemon) fn of_recorded(recorded: Recorded) -> Option<HeardMessage> {
        let Recorded { at, message, rule, client, cause, .. } = recorded;
        let speaker = match rule {
            None => Speaker::Client(client),
            Some(rule) => Speaker::Rule(rule, cause_of(&serde_json::from_str(&cause?).ok()?)?),
        };
        Some(HeardMessage { at, message, speaker })
    }

    fn size(&self) -> usize {
        OVERHEAD + self.message.topic.as_str().len() + self.message.payload.bytes().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, Payload, Qos};

    fn message(topic: &str) -> Message {
        Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes("x"),
            qos: Qos::AtLeastOnce,
            retain: false,
            origin: Origin::Live,
        }
    }

    #[test]
    fn who_spoke_last_is_known_when_the_message_is_kept_no_more() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut heard = Heard::new(10_000, at(0));
        heard.message(at(0), &message("quiet"), Some(&"phone".into()));
        for second in 1..1000 {
            heard.message(at(second), &message("busy"), None);
            assert!(heard.used <= heard.memory);
        }
        let quiet = Topic::parse("quiet").unwrap();
        assert!(heard.before(&quiet, at(1000)).is_none());
        assert_eq!(heard.messages().next().unwrap().at, heard.since() + jiff::SignedDuration::from_secs(1));
        let last = heard.last(&quiet).unwrap();
        assert!(matches!(&last.speaker, Speaker::Client(Some(client)) if **client == *"phone"), "{last:?}");
        let busy = Topic::parse("busy").unwrap();
        assert_eq!(heard.before(&busy, at(990)).unwrap().at, at(990));
    }
}
