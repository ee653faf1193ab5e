//! What Home Assistant, and devices that speak to it, are told: that somebody is there, and, where the settings say so, of our own
//! rules and inputs.

use jiff::SignedDuration;
use serde_json::Value;

use crate::devices::{AnnouncedRule, Announcement, announced_on, taken_away};
use crate::engine::{AlertKind, Event};
use crate::rules::RuleEntry;

use super::{EventLoop, own};

/// How long what another client said on Home Assistant's status topic counts.
const BIRTH_REST: SignedDuration = SignedDuration::from_secs(30);

impl EventLoop {
    /// Says on Home Assistant's status topic that somebody is there: devices announce themselves then. Whoever else says so has
    /// done it already.
    pub(super) fn say_birth(&mut self) {
        let Some(prefix) = self.settings.discovery.sources.home_assistant.as_ref() else { return };
        let topic = format!("{prefix}/status");
        let said = self.engine.states().get(&topic);
        let is_said = said.is_some_and(|said| said.retained || self.now.wall.duration_since(said.at) <= BIRTH_REST);
        if self.settings.discovery.birth
            && !is_said
            && let Some(message) = own(&topic, "online", false)
        {
            self.send_out(&message);
        }
    }

    /// Tells Home Assistant of the rules and inputs in force, where the settings say so, and of what is gone.
    pub(super) fn announce_home(&mut self) {
        let Some(prefix) = self.settings.discovery.sources.home_assistant.clone() else { return };
        let settings = &self.engine.device_options().settings;
        let Some(name) = settings.announced.clone() else {
            let topic = announced_on(&prefix, &settings.home);
            return self.take_announcement_back(&topic);
        };
        // Those that `each` makes come and go with topics, and aren't told of.
        let rules: Vec<AnnouncedRule> = self
            .ruleset
            .entries
            .iter()
            .filter_map(|entry| match entry {
                RuleEntry::Rule(rule) => {
                    Some(AnnouncedRule { id: rule.id.clone(), name: rule.name.clone(), tags: rule.tags.clone() })
                }
                RuleEntry::EachTopic(_) => None,
            })
            .collect();
        let told = Announcement {
            prefix: &prefix,
            own: &self.settings.topic_prefix,
            name: &name,
            version: env!("CARGO_PKG_VERSION"),
            rules: &rules,
            inputs: self.engine.inputs(),
            alerts: &AlertKind::WORDS,
        };
        let (topic, payload) = (told.topic(), told.payload());
        let before = self.engine.states().get(&topic).filter(|state| state.retained);
        let before: Option<Value> = before.and_then(|state| serde_json::from_slice(state.payload.bytes()).ok());
        if before.as_ref() == Some(&payload) {
            return;
        }
        let between = before.and_then(|before| taken_away(&before, &payload));
        for told in between.into_iter().chain([payload]) {
            if let Some(message) = own(&topic, told.to_string(), true) {
                self.send_out(&message);
                self.decide(Event::Message(message));
            }
        }
    }

    /// Clears what the home announced when its settings still said so.
    fn take_announcement_back(&mut self, topic: &str) {
        let is_there = self.engine.states().get(topic).is_some_and(|state| state.retained && !state.payload.is_empty());
        if is_there && let Some(message) = own(topic, bytes::Bytes::new(), true) {
            self.send_out(&message);
            self.decide(Event::Message(message));
        }
    }
}
