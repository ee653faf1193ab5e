//! Messages that came near a rule's triggers, and set none off; those that memory doesn't hold are found in the recorder.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::disk::recorded::{Past, Wanted};
use crate::explain::miss;
use crate::model::recording::Recorded;
use crate::model::{Message, TopicFilter, Value};
use crate::rules::{Rule, Trigger};

use super::Obstacle;

/// How many messages that came near are told.
pub(super) const NEAR: usize = 5;

/// A message that came near.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Near {
    pub(super) at: Timestamp,
    topic: String,
    value: serde_json::Value,
    /// The trigger's path.
    path: Arc<str>,
    /// What kept it from setting the trigger off.
    why: String,
}

impl Near {
    /// Returns why `message` set off no trigger of `rule`; `None` where it has nothing to do with them, or nothing in it
    /// kept it. `before` is what the topic's value was before.
    pub(super) fn of(rule: &Rule, at: Timestamp, message: &Message, before: Option<&Value>) -> Option<Near> {
        let missed = |trigger| miss(trigger, message, before);
        let mut triggers = rule.triggers().iter();
        let (path, why) = triggers.find_map(|trigger| missed(trigger).map(|why| (Arc::clone(&trigger.path), why)))?;
        let value = message.payload.value().to_json();
        Some(Near { at, topic: message.topic.to_string(), value, path, why })
    }
}

/// Where to look for what memory doesn't hold.
#[derive(Debug)]
pub(in crate::daemon) struct Beyond {
    pub(super) rule: Arc<Rule>,
    /// When the rule last ran, or might have, as memory knows; `None`: never.
    pub(super) since: Option<Timestamp>,
    /// Later messages are in memory, or not asked for.
    pub(super) until: Timestamp,
    /// How many are wanted.
    pub(super) most: usize,
    pub(super) zone: TimeZone,
}

impl Beyond {
    /// Adds what came near to what was found in memory, back to the rule's own last publication.
    pub(in crate::daemon) fn look(&self, past: &Past, found: &mut Obstacle) {
        let mut near = Vec::new();
        let mut ran = None;
        let prefixes = self.filters().map(TopicFilter::literal_prefix);
        let Some(wanted) = Wanted::new(std::iter::empty(), prefixes, Some(&self.rule.id)) else { return };
        past.walk(self.since.unwrap_or(Timestamp::MIN), self.until, &wanted, |messages| {
            for (index, recorded) in messages.iter().enumerate().rev() {
                if recorded.rule.as_ref() == Some(&self.rule.id) {
                    ran = Some((recorded.at, self.ran(recorded)));
                    return ControlFlow::Break(());
                }
                if !self.listens_to(&recorded.message) {
                    continue;
                }
                let earlier = messages.get(..index).unwrap_or_default().iter().rev();
                let before = earlier.into_iter().find(|earlier| earlier.message.topic == recorded.message.topic);
                let before = before.cloned().or_else(|| {
                    let until = recorded.at.checked_sub(SignedDuration::from_micros(1)).ok()?;
                    past.before(&recorded.message.topic, until, |_| true)
                });
                let before = before.as_ref().map(|before| before.message.payload.value());
                near.extend(Near::of(&self.rule, recorded.at, &recorded.message, before));
                if near.len() >= self.most {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        found.add(near, ran);
    }

    fn filters(&self) -> impl Iterator<Item = &TopicFilter> {
        self.rule.triggers().iter().filter_map(Trigger::filter)
    }

    fn listens_to(&self, message: &Message) -> bool {
        self.filters().any(|filter| filter.matches_in_rules(&message.topic))
    }

    /// Returns what is told of a rule whose run is remembered no more, and that published.
    fn ran(&self, recorded: &Recorded) -> String {
        let at = recorded.at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S");
        format!("no trigger fired since it published to `{}`, at {at}, as it was recorded", recorded.message.topic)
    }
}
