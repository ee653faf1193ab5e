//! What the loop does for the store beside its commits: what each decision keeps, what may be late, what the engine
//! doesn't know at the start, and a disk that takes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::daemon::store::{Health, source_key};
use crate::engine::{Alert, AlertKind, Effect, Event};
use crate::lang::{Settings, Source, Sources};
use crate::model::{Message, Origin, RuleId};

use super::{EventLoop, OWN_TOPICS};

impl EventLoop {
    /// Takes what one decision leads to. What it publishes goes to its subscribers' queues at once, in one order with what clients
    /// publish; nothing leaves before the end of the turn.
    pub(super) fn take_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Some(shadow) = &self.shadow {
                shadow.tell_effect(self.now.wall, &effect);
            }
            let Some(effect) = self.divide(effect) else { continue };
            match effect {
                Effect::Save { key, value } => {
                    if let Some(rule) = key.rule() {
                        self.observers.rule_topics.look(RuleId::from_text(rule));
                    }
                    self.note_saved(&key, value.as_ref());
                    self.parts.store.save(key, value);
                }
                Effect::Publish(publication) => {
                    self.send_out_of(&publication.message, &publication.rule);
                    self.outgoing.push(Effect::Publish(publication));
                }
                Effect::Tell(message) => {
                    if self.tells_of(&message) {
                        self.send_out(&message);
                    }
                    self.observers.told(self.now.wall, &message);
                }
                Effect::Alert(alert) => self.send_alert(&alert),
                effect => self.outgoing.push(effect),
            }
        }
    }

    /// Tells the engine what the broker kept, as a broker does at a subscription, but for what a later message that isn't
    /// retained has made untrue. The engine's own knowledge may be a second older.
    pub(super) fn tell_retained(&mut self) {
        for retained in std::mem::take(&mut self.parts.retained) {
            if retained.topic.starts_with(OWN_TOPICS) {
                continue;
            }
            let Some(message) = retained.to_message() else { continue };
            let known = self.engine.states().get(&retained.topic);
            if !known.is_some_and(|known| known.at >= retained.at && known.payload != message.payload) {
                self.decide(Event::Message(message));
            }
        }
    }

    /// Tells the engine what it decided and hadn't left: it may have forgotten what its rules had published, but not what
    /// that set off.
    pub(super) fn tell_unsent(&mut self, unsent: &[Message]) {
        for message in unsent.iter().filter(|message| !message.topic.as_str().starts_with(OWN_TOPICS)) {
            self.decide(Event::Message(Message { origin: Origin::Restored, ..message.clone() }));
        }
    }

    /// Gives the store what may be late.
    pub(super) fn keep_late(&mut self) {
        if !self.has_begun {
            return;
        }
        let mut rest = Vec::new();
        let mut changes = Vec::new();
        for effect in self.engine.flush() {
            match effect {
                Effect::Save { key, value } => {
                    self.note_saved(&key, value.as_ref());
                    changes.push((key, value));
                }
                effect => rest.push(effect),
            }
        }
        self.parts.store.keep_late(changes.into_iter());
        self.take_effects(rest);
    }

    /// Keeps the texts of the rule files in force, so that one that is broken after a restart starts as it was.
    pub(super) fn keep_sources(&mut self, sources: Sources) {
        let paths: BTreeSet<&Arc<str>> = self.sources.keys().chain(sources.keys()).collect();
        for path in paths.into_iter().filter(|path| self.sources.get(*path) != sources.get(*path)) {
            if is_of_rules(path, &self.settings) {
                self.parts.store.save(source_key(path), sources.get(path).and_then(text_of));
            }
        }
        self.sources = sources;
    }

    /// Keeps all of them anew, in a new database.
    fn keep_all_sources(&mut self) {
        let sources = std::mem::take(&mut self.sources);
        self.keep_sources(sources);
    }

    /// Says that the store can't keep anything, or can again, and gives a new database all that is known.
    pub(super) async fn tell_health(&mut self) {
        if self.parts.store.takes_all() {
            self.engine.keep_all();
            self.keep_all_sources();
            self.keep_late();
            self.mqtt.keep_all(self.now);
        }
        let (kind, message) = match self.parts.store.health() {
            Health::Well => (AlertKind::StoreRecovered, "the disk takes changes again".to_owned()),
            Health::Failing(reason) => (AlertKind::StoreFailing, reason),
        };
        self.decide(Event::Alert(Alert { kind, rule: None, invariant: None, message }));
        self.finish().await;
    }
}

/// Returns whether a file's text may be kept: what the settings name may be secret.
fn is_of_rules(path: &str, settings: &Settings) -> bool {
    let folder = settings.rules.trim_start_matches("./").trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn text_of(source: &Source) -> Option<String> {
    match source {
        Source::Content(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        Source::Unreadable(_) => None,
    }
}
