//! What is kept of each topic that a `state` or `silent` trigger follows, or a `state` condition with `for`: a row of its
//! own, so that a change of one topic costs the same beside ten thousand others.

use crate::model::{RuleId, Topic};

use crate::engine::condition::tracker::Tracker;
use crate::engine::live::deadlines::Owner;
use crate::engine::live::saved::{SavedRule, from_json, to_json};
use crate::engine::live::table::LiveId;
use crate::engine::trigger::state::TriggerState;
use crate::engine::{Engine, SaveKey};

/// How the keys of triggers' topics begin.
const TRIGGER: &str = "trigger/";

/// How those of conditions' topics do.
const CONDITION: &str = "condition/";

/// Names what a rule knows of one topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TrackKey {
    rule: RuleId,
    part: TrackPart,
    topic: Topic,
}

/// How soon a change must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Soon {
    /// Before anything that follows from it: a hold, a silence.
    AtOnce,
    /// Within a second: a last value.
    Late,
}

/// The part of a rule that knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TrackPart {
    /// A trigger of `when`.
    Trigger(u16),
    /// A `state` condition with `for`.
    Condition(u16),
}

impl TrackKey {
    /// Returns the name under which it is kept: `trigger/8/tv:watch/0/home/tv`. Both a rule's id and a topic may have a `/`, so
    /// the id's length stands before it.
    fn to_save_key(&self) -> SaveKey {
        let (kind, index) = match self.part {
            TrackPart::Trigger(index) => (TRIGGER, index),
            TrackPart::Condition(index) => (CONDITION, index),
        };
        let rule = self.rule.as_str();
        SaveKey(format!("{kind}{}/{rule}/{index}/{}", rule.len(), self.topic).into())
    }

    /// Reads such a name; `None` where it is another one.
    pub(crate) fn parse(key: &str) -> Option<TrackKey> {
        let part = if key.starts_with(TRIGGER) { TrackPart::Trigger } else { TrackPart::Condition };
        let rest = key.strip_prefix(TRIGGER).or_else(|| key.strip_prefix(CONDITION))?;
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

impl Engine {
    /// Notes that what a trigger knows of `topic` has changed, and how soon that must be kept.
    pub(crate) fn note_track(&mut self, slot: &LiveId, owner: Owner, index: u16, topic: &Topic, soon: Soon) {
        match owner {
            Owner::Rule => {
                let key = self.track_key(slot, TrackPart::Trigger(index), topic);
                match soon {
                    Soon::AtOnce => self.unsaved.tracks.extend(key),
                    Soon::Late => self.unsaved.tracks_late.extend(key),
                }
            }
            Owner::OpenWait(run, _) => {
                match soon {
                    Soon::AtOnce => self.unsaved.runs.insert(run),
                    Soon::Late => self.unsaved.runs_late.insert(run),
                };
            }
        }
    }

    /// Notes that since when a condition holds for `topic` must be kept at once.
    pub(crate) fn note_tracker_changed(&mut self, slot: &LiveId, index: u16, topic: &Topic) {
        let key = self.track_key(slot, TrackPart::Condition(index), topic);
        self.unsaved.tracks.extend(key);
    }

    /// Notes that all that rules know of topics must be kept anew.
    pub(crate) fn mark_tracks_unsaved(&mut self) {
        for (_, slot) in self.live.iter() {
            self.unsaved.tracks.extend(keys(&slot.rule.id, &slot.triggers, &slot.trackers));
        }
        for (rule, saved) in &self.dormant {
            self.unsaved.tracks.extend(saved.track_keys(rule));
        }
    }

    /// Says what must be kept of one topic, or that nothing must any more.
    pub(crate) fn save_track(&mut self, key: &TrackKey) {
        let slot = self.live.find(&key.rule).and_then(|id| Some((id, self.live.get(id)?)));
        let value = match slot {
            Some((_, slot)) => value_of(&slot.triggers, &slot.trackers, key),
            None => self.dormant.get(&key.rule).and_then(|saved| value_of(&saved.triggers, &saved.trackers, key)),
        };
        // Its rule's row says of which rule it is true.
        if let Some((id, _)) = slot
            && !self.unsaved.kept_rules.contains(&key.rule)
        {
            let id = id.clone();
            self.save_rule(&id);
        }
        self.save(key.to_save_key(), value);
    }

    /// Takes back what was kept of a topic. That of a rule of which nothing is known counts for nothing.
    pub(crate) fn restore_track(&mut self, key: &TrackKey, value: &str) -> Result<(), String> {
        let Some(saved) = self.dormant.get_mut(&key.rule) else { return Ok(()) };
        let topic = key.topic.clone();
        match key.part {
            TrackPart::Trigger(index) => {
                let track = from_json(value)?;
                if let Some(trigger) = saved.triggers.get_mut(usize::from(index)) {
                    trigger.topics.insert(topic, track);
                }
            }
            TrackPart::Condition(index) => {
                let since = from_json(value)?;
                if let Some(tracker) = saved.trackers.get_mut(usize::from(index)) {
                    tracker.since.insert(topic, since);
                }
            }
        }
        Ok(())
    }

    fn track_key(&self, slot: &LiveId, part: TrackPart, topic: &Topic) -> Option<TrackKey> {
        let rule = self.live.get(slot)?.rule.id.clone();
        Some(TrackKey { rule, part, topic: topic.clone() })
    }
}

impl SavedRule {
    /// Returns the names of all that it knows of topics, where it is of the rule `rule`.
    pub(crate) fn track_keys(&self, rule: &RuleId) -> Vec<TrackKey> {
        keys(rule, &self.triggers, &self.trackers)
    }
}

fn keys(rule: &RuleId, triggers: &[TriggerState], trackers: &[Tracker]) -> Vec<TrackKey> {
    let key = |part, topic: &Topic| TrackKey { rule: rule.clone(), part, topic: topic.clone() };
    let triggers = (0..)
        .zip(triggers)
        .flat_map(|(index, trigger)| trigger.topics.keys().map(move |topic| key(TrackPart::Trigger(index), topic)));
    let trackers = (0..)
        .zip(trackers)
        .flat_map(|(index, tracker)| tracker.since.keys().map(move |topic| key(TrackPart::Condition(index), topic)));
    triggers.chain(trackers).collect()
}

fn value_of(triggers: &[TriggerState], trackers: &[Tracker], key: &TrackKey) -> Option<String> {
    match key.part {
        TrackPart::Trigger(index) => to_json(triggers.get(usize::from(index))?.topics.get(&key.topic)?),
        TrackPart::Condition(index) => to_json(trackers.get(usize::from(index))?.since.get(&key.topic)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_whatever_the_rule_and_the_topic_have_in_them() {
        for rule in ["tv:watch", "tv:watch[a/0/b]", "küche:licht/1"] {
            for part in [TrackPart::Trigger(0), TrackPart::Condition(17)] {
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
