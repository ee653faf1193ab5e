//! What is kept of each topic that a `state` or `silent` trigger follows, or a `state` condition with `for`: a row of its
//! own, so that a change of one topic costs the same beside ten thousand others.

use crate::engine::condition::tracker::Tracker;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::trigger::state::TriggerState;
use crate::model::{RuleId, Topic};

use super::rule::LiveRule;
use super::saved_rule::{SavedRule, from_json, to_json};

/// How the keys of triggers' topics begin.
const TRIGGER: &str = "trigger/";

/// How those of conditions' topics do.
const CONDITION: &str = "condition/";

/// How those of what conditions that ignore values know do.
const KNOWN: &str = "known/";

/// Names what a rule knows of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrackKey {
    pub(super) rule: RuleId,
    pub(super) part: TrackPart,
    pub(super) topic: Topic,
}

/// The part of a rule that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TrackPart {
    /// A trigger of `when`.
    Trigger(u16),
    /// A `state` condition with `for`.
    Condition(u16),
    /// A `state` condition that ignores some values.
    Known(u16),
}

impl TrackKey {
    /// Returns the name under which it is kept: `trigger/8/tv:watch/0/home/tv`. Both a rule's id and a topic may have a `/`, so
    /// the id's length stands before it.
    pub(super) fn to_save_key(&self) -> SaveKey {
        let (kind, index) = match self.part {
            TrackPart::Trigger(index) => (TRIGGER, index),
            TrackPart::Condition(index) => (CONDITION, index),
            TrackPart::Known(index) => (KNOWN, index),
        };
        let rule = self.rule.as_str();
        SaveKey(format!("{kind}{}/{rule}/{index}/{}", rule.len(), self.topic).into())
    }

    /// Reads such a name; `None` where it is another one.
    pub(crate) fn parse(key: &str) -> Option<TrackKey> {
        let kind = [TRIGGER, CONDITION, KNOWN].into_iter().find(|kind| key.starts_with(kind))?;
        let rest = key.strip_prefix(kind)?;
        let part = match kind {
            TRIGGER => TrackPart::Trigger,
            CONDITION => TrackPart::Condition,
            _ => TrackPart::Known,
        };
        let (length, rest) = rest.split_once('/')?;
        let (rule, rest) = rest.split_at_checked(length.parse().ok()?)?;
        let (index, topic) = rest.strip_prefix('/')?.split_once('/')?;
        Some(TrackKey {
            rule: RuleId::from_text(rule),
            part: part(index.parse().ok()?),
            topic: Topic::parse(topic).ok()?,
        })
    }
}

impl LiveRule {
    /// Returns the names of all that it knows of topics.
    pub(super) fn track_keys(&self) -> Vec<TrackKey> {
        keys(&self.rule.id, &self.triggers, &self.trackers)
    }

    /// Returns what is kept under a name; `None` where nothing is.
    pub(super) fn track_value(&self, key: &TrackKey) -> Option<String> {
        value_of(&self.triggers, &self.trackers, key)
    }
}

impl SavedRule {
    /// Returns the names of all that it knows of topics, where it is of the rule `rule`.
    pub(super) fn track_keys(&self, rule: &RuleId) -> Vec<TrackKey> {
        keys(rule, &self.triggers, &self.trackers)
    }

    /// Returns what is kept under a name; `None` where nothing is.
    pub(super) fn track_value(&self, key: &TrackKey) -> Option<String> {
        value_of(&self.triggers, &self.trackers, key)
    }

    /// Takes back what was kept of a topic.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn restore_track(&mut self, key: &TrackKey, value: &str) -> Result<(), String> {
        let topic = key.topic.clone();
        match key.part {
            TrackPart::Trigger(index) => {
                let track = from_json(value)?;
                if let Some(trigger) = self.triggers.get_mut(usize::from(index)) {
                    trigger.restore_track(topic, track);
                }
            }
            TrackPart::Condition(index) => {
                let since = from_json(value)?;
                if let Some(tracker) = self.trackers.get_mut(usize::from(index)) {
                    tracker.since.insert(topic, since);
                }
            }
            TrackPart::Known(index) => {
                let value = from_json(value)?;
                if let Some(tracker) = self.trackers.get_mut(usize::from(index)) {
                    tracker.known.insert(topic, value);
                }
            }
        }
        Ok(())
    }
}

fn keys(rule: &RuleId, triggers: &[TriggerState], trackers: &[Tracker]) -> Vec<TrackKey> {
    let key = |part, topic: &Topic| TrackKey { rule: rule.clone(), part, topic: topic.clone() };
    let triggers = (0..)
        .zip(triggers)
        .flat_map(|(index, trigger)| trigger.tracks().keys().map(move |topic| key(TrackPart::Trigger(index), topic)));
    let known = trackers;
    let trackers = (0..)
        .zip(trackers)
        .flat_map(|(index, tracker)| tracker.since.keys().map(move |topic| key(TrackPart::Condition(index), topic)));
    let known = (0..)
        .zip(known)
        .flat_map(|(index, tracker)| tracker.known.keys().map(move |topic| key(TrackPart::Known(index), topic)));
    triggers.chain(trackers).chain(known).collect()
}

fn value_of(triggers: &[TriggerState], trackers: &[Tracker], key: &TrackKey) -> Option<String> {
    match key.part {
        TrackPart::Trigger(index) => to_json(triggers.get(usize::from(index))?.tracks().get(&key.topic)?),
        TrackPart::Condition(index) => to_json(trackers.get(usize::from(index))?.since.get(&key.topic)?),
        TrackPart::Known(index) => to_json(trackers.get(usize::from(index))?.known.get(&key.topic)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_whatever_the_rule_and_the_topic_have_in_them() {
        for rule in ["tv:watch", "tv:watch[a/0/b]", "küche:licht/1"] {
            for part in [TrackPart::Trigger(0), TrackPart::Condition(17), TrackPart::Known(3)] {
                for topic in ["a", "home/1/tv", "/", "küche//x"] {
                    let topic = Topic::parse(topic).unwrap();
                    let key = TrackKey { rule: RuleId::from_text(rule), part, topic };
                    assert_eq!(TrackKey::parse(&key.to_save_key().0), Some(key));
                }
            }
        }
    }

    #[test]
    fn what_is_no_such_key_is_none() {
        for key in [
            "",
            "rule/a:b",
            "trigger/",
            "trigger/3/a:b",
            "trigger/3/a:b/x/t",
            "trigger/99/a:b/0/t",
            "trigger/1/ü:b/0/t",
        ] {
            assert_eq!(TrackKey::parse(key), None, "{key}");
        }
    }
}
