//! The state of a home: each topic's last message, and since when it is so.

use std::collections::BTreeSet;
use std::ops::Bound;

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Hashing, Message, Origin, Payload, Told, Topic, TopicFilter, Value};

/// What is known of one topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicState {
    /// The last message's payload.
    pub payload: Payload,
    /// When the last message came. A broker that replays what is known already brings none.
    pub at: Timestamp,
    /// When the payload last changed.
    pub changed_at: Timestamp,
    /// Whether a broker keeps the payload as the topic's retained message.
    pub retained: bool,
    /// Where the last message came from.
    pub origin: Origin,
    /// Whether the topic ever had a value: a payload that isn't empty.
    pub has_had_value: bool,
    /// Until when the payload counts, where its message was retained for a time only (MQTT 5.0, 3.3.2.3.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many bytes the payload had, where that was too many to keep: then there is none here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_large: Option<usize>,
}

impl TopicState {
    /// Returns the payload's value as people are shown it: of one that was too large to keep, that, with its size.
    #[must_use]
    pub fn told(&self) -> Value {
        match self.too_large {
            Some(bytes) => Value::text(Told::TooLarge(bytes).in_words(str::to_owned)),
            None => self.payload.value().clone(),
        }
    }
}

/// The state of all topics: found by a hash of their names, and told in the order of them.
#[derive(Debug, Clone, Default)]
pub struct States {
    topics: IndexMap<Topic, Known, Hashing>,
    /// Their names, in order.
    names: BTreeSet<Topic>,
    /// Those that have changed since they were last kept, as they did.
    changed: Vec<Topic>,
    /// Those whose payload counts for a time only, by its end.
    expiries: BTreeSet<(Timestamp, Topic)>,
}

/// Whether a payload may be kept as a topic's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// It may.
    Fits,
    /// It's too large.
    TooLarge,
}

/// The state of one topic.
#[derive(Debug, Clone)]
struct Known {
    state: TopicState,
    /// Whether it is among those that have changed.
    is_changed: bool,
}

impl States {
    /// Returns what is known of `topic`; `None` where no message of it was ever seen.
    #[must_use]
    pub fn get(&self, topic: &str) -> Option<&TopicState> {
        self.topics.get(topic).map(|known| &known.state)
    }

    /// Notes `message`, which came at `now` and whose payload has this `size`, and returns what was known before.
    pub fn note(&mut self, now: Timestamp, message: &Message, size: Size) -> Option<TopicState> {
        let has_value = !message.payload.is_null();
        let retained = (message.retain || message.origin == Origin::Retained) && !message.payload.is_empty();
        let too_large = (size == Size::TooLarge).then(|| message.payload.bytes().len());
        let new = TopicState {
            payload: if too_large.is_some() { Payload::default() } else { message.payload.clone() },
            at: now,
            changed_at: now,
            retained,
            origin: message.origin,
            has_had_value: has_value,
            expires_at: message.expires_at.filter(|_| retained),
            too_large,
        };
        if let Some(expires_at) = new.expires_at {
            self.expiries.insert((expires_at, message.topic.clone()));
        }
        let Some(known) = self.topics.get_mut(message.topic.as_str()) else {
            self.insert(message.topic.clone(), Known { state: new, is_changed: true });
            self.changed.push(message.topic.clone());
            return None;
        };
        if !std::mem::replace(&mut known.is_changed, true) {
            self.changed.push(message.topic.clone());
        }
        let state = &mut known.state;
        // What was too large can't be compared.
        let is_equal = state.payload == new.payload && too_large.is_none() && state.too_large.is_none();
        // A broker that replays what is known already: nobody spoke.
        let is_replay = is_equal && message.origin == Origin::Retained;
        let new = TopicState {
            at: if is_replay { state.at } else { now },
            changed_at: if is_equal { state.changed_at } else { now },
            retained: retained || (state.retained && !message.retain),
            has_had_value: state.has_had_value || has_value,
            ..new
        };
        if let Some(before) = state.expires_at.filter(|before| new.expires_at != Some(*before)) {
            self.expiries.remove(&(before, message.topic.clone()));
        }
        Some(std::mem::replace(state, new))
    }

    /// Returns when the first payload ends to count.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Returns the topics whose payload no longer counts at `now`, with when it ended to, in that order. Until
    /// [`States::expire`] they are as they were.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Vec<(Timestamp, Topic)> {
        self.expiries.iter().take_while(|(at, _)| *at <= now).cloned().collect()
    }

    /// Lets the payload of `topic` no longer count from `at` on, as if it had been cleared then. Returns false where a
    /// message has replaced it.
    pub fn expire(&mut self, at: Timestamp, topic: &Topic) -> bool {
        if !self.expiries.remove(&(at, topic.clone())) {
            return false;
        }
        self.clear(at, topic);
        true
    }

    /// Clears all payloads that no longer count at `now`; [`States::expired`] still tells of them.
    pub fn clear_expired(&mut self, now: Timestamp) {
        for (at, topic) in self.expired(now) {
            self.clear(at, &topic);
        }
    }

    fn clear(&mut self, at: Timestamp, topic: &Topic) {
        let Some(known) = self.topics.get_mut(topic) else { return };
        let state = &mut known.state;
        if state.retained {
            state.payload = Payload::default();
            (state.changed_at, state.retained, state.too_large) = (at, false, None);
            if !std::mem::replace(&mut known.is_changed, true) {
                self.changed.push(topic.clone());
            }
        }
        if !self.expiries.contains(&(at, topic.clone())) {
            known.state.expires_at = None;
        }
    }

    /// Moves all times by so much, as the clock was: ages stay as they are.
    pub fn shift(&mut self, by: SignedDuration) {
        for known in self.topics.values_mut() {
            let state = &mut known.state;
            for at in [&mut state.at, &mut state.changed_at].into_iter().chain(&mut state.expires_at) {
                *at = at.checked_add(by).unwrap_or(*at);
            }
        }
        let expiry = |(topic, known): (&Topic, &Known)| Some((known.state.expires_at?, topic.clone()));
        self.expiries = self.topics.iter().filter_map(expiry).collect();
    }

    /// Puts back what was known of `topic` before a restart.
    pub fn restore(&mut self, topic: Topic, state: TopicState) {
        self.expiries.extend(state.expires_at.map(|at| (at, topic.clone())));
        self.insert(topic, Known { state, is_changed: false });
    }

    /// Forgets a topic, and returns what was known of it.
    pub fn forget(&mut self, topic: &Topic) -> Option<TopicState> {
        let known = self.topics.swap_remove(topic)?;
        self.names.remove(topic);
        if !known.is_changed {
            self.changed.push(topic.clone());
        }
        Some(known.state)
    }

    /// Makes what was known of `topic` be so again under its name now.
    pub fn rename(&mut self, topic: &Topic, new: Topic) {
        let Some(state) = self.forget(topic) else { return };
        self.changed.push(new.clone());
        self.insert(new, Known { state, is_changed: true });
    }

    fn insert(&mut self, topic: Topic, known: Known) {
        if self.topics.insert(topic.clone(), known).is_none() {
            self.names.insert(topic);
        }
    }

    fn of<'a>(&'a self, topic: &'a Topic) -> Option<(&'a Topic, &'a TopicState)> {
        self.topics.get(topic).map(|known| (topic, &known.state))
    }

    /// Makes all topics count as changed.
    pub fn change_all(&mut self) {
        self.topics.values_mut().for_each(|known| known.is_changed = true);
        self.changed = self.names.iter().cloned().collect();
    }

    /// Returns the topics that have changed since this was last asked, in the order of their names.
    pub fn take_changed(&mut self) -> Vec<Topic> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        changed.dedup();
        for topic in &changed {
            if let Some(known) = self.topics.get_mut(topic) {
                known.is_changed = false;
            }
        }
        changed
    }

    /// Returns the topics that a rule's filter matches, with their state, in the order of their names.
    pub fn matching<'a>(&'a self, filter: &'a TopicFilter) -> impl Iterator<Item = (&'a Topic, &'a TopicState)> {
        let prefix = filter.literal_prefix();
        self.names
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |topic| topic.as_str().starts_with(prefix))
            .filter(|topic| filter.matches_in_rules(topic))
            .filter_map(|topic| self.of(topic))
    }

    /// Returns all topics with their state, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Topic, &TopicState)> + Clone {
        self.names.iter().filter_map(|topic| self.of(topic))
    }

    /// Returns the topics after `topic` with their state, in the order of their names; `None`: all.
    pub fn after<'a>(&'a self, topic: Option<&'a str>) -> impl Iterator<Item = (&'a Topic, &'a TopicState)> {
        let begin = topic.map_or(Bound::Unbounded, Bound::Excluded);
        self.names.range::<str, _>((begin, Bound::Unbounded)).filter_map(|topic| self.of(topic))
    }

    /// Returns how many topics were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Returns whether no topic was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Qos, Value, any_filter, any_topic};
    use super::*;

    fn message(topic: &Topic, payload: &str, retain: bool, origin: Origin) -> Message {
        let payload = Payload::from_bytes(payload.as_bytes().to_vec());
        Message { topic: topic.clone(), payload, qos: Qos::AtLeastOnce, retain, origin, expires_at: None }
    }

    fn second(number: i64) -> Timestamp {
        Timestamp::from_second(number).unwrap()
    }

    #[test]
    fn a_state_knows_when_a_message_came_and_when_the_payload_changed() {
        let (mut states, topic) = (States::default(), Topic::parse("home/tv").unwrap());
        assert_eq!(states.note(second(1), &message(&topic, "ON", false, Origin::Live), Size::Fits), None);
        let before = states.note(second(2), &message(&topic, "ON", false, Origin::Live), Size::Fits).unwrap();
        assert_eq!((before.at, before.changed_at), (second(1), second(1)));
        states.note(second(3), &message(&topic, "OFF", false, Origin::Own), Size::Fits);
        let now = states.get("home/tv").unwrap();
        assert_eq!((now.at, now.changed_at, now.origin), (second(3), second(3), Origin::Own));
        assert_eq!(*now.payload.value(), Value::from("OFF"));
    }

    #[test]
    fn a_replay_of_what_is_known_is_no_message() {
        let (mut states, topic) = (States::default(), Topic::parse("home/tv").unwrap());
        states.note(second(1), &message(&topic, "ON", true, Origin::Live), Size::Fits);
        states.note(second(2), &message(&topic, "ON", true, Origin::Retained), Size::Fits);
        assert_eq!(states.get("home/tv").unwrap().at, second(1));
        states.note(second(3), &message(&topic, "OFF", true, Origin::Retained), Size::Fits);
        assert_eq!(states.get("home/tv").unwrap().at, second(3));
    }

    #[test]
    fn an_empty_retained_payload_clears_what_the_broker_keeps_and_not_that_there_was_a_value() {
        let (mut states, topic) = (States::default(), Topic::parse("home/tv").unwrap());
        states.note(second(1), &message(&topic, "", false, Origin::Live), Size::Fits);
        assert!(!states.get("home/tv").unwrap().has_had_value);
        states.note(second(2), &message(&topic, "ON", true, Origin::Live), Size::Fits);
        assert!(states.get("home/tv").unwrap().retained);
        states.note(second(3), &message(&topic, "OFF", false, Origin::Live), Size::Fits);
        assert!(states.get("home/tv").unwrap().retained, "the broker still keeps a message");
        states.note(second(4), &message(&topic, "", true, Origin::Live), Size::Fits);
        let state = states.get("home/tv").unwrap();
        assert!(!state.retained && state.has_had_value && state.payload.is_empty());
    }

    #[test]
    fn a_retained_payload_counts_until_it_expires_and_what_follows_it_for_ever() {
        let (mut states, topic) = (States::default(), Topic::parse("home/tv").unwrap());
        let expiring = |at| Message { expires_at: Some(second(at)), ..message(&topic, "ON", true, Origin::Live) };
        states.note(second(1), &expiring(5), Size::Fits);
        states.note(second(2), &expiring(7), Size::Fits);
        assert_eq!(states.expired(second(9)), [(second(7), topic.clone())], "the second counts longer");
        assert!(states.expired(second(6)).is_empty());
        states.shift(SignedDuration::from_secs(10));
        assert_eq!(states.next_expiry(), Some(second(17)));
        assert!(states.expire(second(17), &topic) && !states.expire(second(17), &topic));
        let state = states.get("home/tv").unwrap();
        assert!(state.payload.is_empty() && !state.retained && state.has_had_value);
        assert_eq!((state.at, state.changed_at), (second(12), second(17)), "nobody spoke");
        states.note(second(20), &expiring(30), Size::Fits);
        states.note(second(21), &message(&topic, "OFF", false, Origin::Live), Size::Fits);
        assert_eq!(states.next_expiry(), None, "what isn't retained doesn't expire");
        let live = Message { retain: false, ..expiring(40) };
        states.note(second(22), &live, Size::Fits);
        assert_eq!(states.next_expiry(), None);
    }

    #[test]
    fn of_a_payload_that_is_too_large_only_its_size_is_kept() {
        let (mut states, topic) = (States::default(), Topic::parse("home/door/picture").unwrap());
        states.note(second(1), &message(&topic, "abc", true, Origin::Live), Size::TooLarge);
        let state = states.get("home/door/picture").unwrap().clone();
        assert_eq!((state.payload.is_empty(), state.too_large, state.retained), (true, Some(3), true));
        assert_eq!(state.told(), Value::text("(too large to keep: 3 bytes)"));
        states.note(second(2), &message(&topic, "xyz", true, Origin::Live), Size::TooLarge);
        assert_eq!(states.get("home/door/picture").unwrap().changed_at, second(2), "it may be another one");
        states.note(second(3), &message(&topic, "x", true, Origin::Live), Size::Fits);
        assert_eq!(states.get("home/door/picture").unwrap().too_large, None);
    }

    #[test]
    fn a_topic_has_changed_once_until_that_was_asked() {
        let mut states = States::default();
        let [door, tv] = ["home/door", "home/tv"].map(|topic| Topic::parse(topic).unwrap());
        states.restore(door.clone(), states_of(&tv));
        for payload in ["ON", "OFF"] {
            states.note(second(1), &message(&tv, payload, false, Origin::Live), Size::Fits);
        }
        assert_eq!(states.take_changed(), std::slice::from_ref(&tv));
        assert_eq!(states.take_changed(), []);
        states.note(second(2), &message(&tv, "OFF", false, Origin::Live), Size::Fits);
        states.note(second(2), &message(&door, "open", false, Origin::Live), Size::Fits);
        assert_eq!(states.take_changed(), [door.clone(), tv.clone()]);
        states.change_all();
        assert_eq!(states.take_changed(), [door, tv]);
    }

    fn states_of(topic: &Topic) -> TopicState {
        let mut states = States::default();
        states.note(second(0), &message(topic, "closed", false, Origin::Live), Size::Fits);
        states.get(topic.as_str()).unwrap().clone()
    }

    #[test]
    fn json_null_is_no_value() {
        let (mut states, topic) = (States::default(), Topic::parse("home/tv").unwrap());
        states.note(second(1), &message(&topic, "null", false, Origin::Live), Size::Fits);
        assert!(!states.get("home/tv").unwrap().has_had_value);
    }

    proptest! {
        #[test]
        fn the_matching_topics_are_those_that_a_look_at_each_finds(
            topics in proptest::collection::vec(any_topic(), 0..30),
            filter in any_filter(),
        ) {
            let mut states = States::default();
            for topic in &topics {
                states.note(second(0), &message(topic, "x", false, Origin::Live), Size::Fits);
            }
            let found: Vec<&Topic> = states.matching(&filter).map(|(topic, _)| topic).collect();
            let expected: Vec<&Topic> =
                states.iter().map(|(topic, _)| topic).filter(|topic| filter.matches_in_rules(topic)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
