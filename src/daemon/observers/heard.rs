//! The last messages with who published them, within a bound, and who spoke last on each topic.
//!
//! `why` goes back to a client by them, `why-not` finds messages that came near, and a test is cut out of them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{Publication, TriggerSources};
use crate::explain::{HeardMessage, History, Speaker};
use crate::model::{Hashing, Message, Topic};

/// What a message takes beside its topic and payload, about.
const OVERHEAD: usize = 200;

/// The last messages.
pub(in crate::daemon) struct Heard {
    memory: usize,
    used: usize,
    /// All messages after this are here.
    since: Timestamp,
    messages: VecDeque<HeardMessage>,
    last: HashMap<Topic, Spoke, Hashing>,
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
        Heard { memory, used: 0, since: now, messages: VecDeque::new(), last: HashMap::default() }
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
        let speaker = Speaker::Rule(publication.rule.clone(), Some(publication.cause.clone()));
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
        self.used += size_of_message(&heard);
        self.messages.push_back(heard);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.used > self.memory
            && let Some(oldest) = self.messages.pop_front()
        {
            self.used -= size_of_message(&oldest);
            self.since = oldest.at;
        }
    }

    /// Returns since when all messages are here; what came at that very time may not be.
    pub(in crate::daemon) fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns the last messages, newest first.
    pub(in crate::daemon) fn recent(&self) -> impl Iterator<Item = &HeardMessage> {
        self.messages.iter().rev()
    }

    /// Returns who spoke last on `topic`.
    pub(in crate::daemon) fn spoke_last(&self, topic: &Topic) -> Option<&Spoke> {
        self.last.get(topic.as_str())
    }
}

impl History for Heard {
    fn last(&self, topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool) -> Option<HeardMessage> {
        let is_it = |heard: &&HeardMessage| heard.at <= at && heard.message.topic == *topic && is_wanted(heard);
        self.messages.iter().rev().find(is_it).cloned()
    }

    fn within(&self, from: Timestamp, until: Timestamp, topics: &BTreeSet<Topic>) -> Vec<HeardMessage> {
        let within = self.messages.iter().filter(|heard| heard.at > from && heard.at <= until);
        within.filter(|heard| topics.contains(&heard.message.topic)).cloned().collect()
    }

    fn walk(
        &self,
        from: Timestamp,
        until: Timestamp,
        sources: &TriggerSources,
        take: &mut dyn FnMut(&[HeardMessage]) -> ControlFlow<()>,
    ) {
        let is_wanted = |heard: &&HeardMessage| {
            let is_own = || matches!(&heard.speaker, Speaker::Rule(speaker, _) if *speaker == sources.rule);
            sources.filters.iter().any(|filter| filter.matches_in_rules(&heard.message.topic)) || is_own()
        };
        let within = self.messages.iter().filter(|heard| heard.at > from && heard.at <= until);
        let part: Vec<HeardMessage> = within.filter(is_wanted).cloned().collect();
        let _ = take(&part);
    }
}

/// Returns about how many bytes a message takes.
fn size_of_message(heard: &HeardMessage) -> usize {
    OVERHEAD + heard.message.topic.as_str().len() + heard.message.payload.bytes().len()
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
            expires_at: None,
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
        assert!(heard.last(&quiet, at(1000), &|_| true).is_none());
        assert_eq!(heard.messages.front().unwrap().at, heard.since() + jiff::SignedDuration::from_secs(1));
        let last = heard.spoke_last(&quiet).unwrap();
        assert!(matches!(&last.speaker, Speaker::Client(Some(client)) if **client == *"phone"), "{last:?}");
        let busy = Topic::parse("busy").unwrap();
        assert_eq!(heard.last(&busy, at(990), &|_| true).unwrap().at, at(990));
    }
}
