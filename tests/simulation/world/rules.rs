//! The rules of the world: what they hear, decide and keep, in one order with the broker.

use std::sync::Arc;
use std::time::Duration;

use homerule::broker::Besides;
use homerule::engine::{Effect, Event};
use homerule::model::{Message, Origin, Payload};
use jiff::Timestamp;

use super::World;
use crate::simulation::disk::Row;
use crate::simulation::home::Home;

impl World {
    /// What the clock of the wall shows.
    pub(super) fn wall(&self) -> Timestamp {
        self.now + self.ahead
    }

    /// Returns when the broker or the rules have something to do, by the steady clock.
    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        let of_rules = self.home.engine.next_deadline().map(|due| due - self.ahead);
        self.broker.next_deadline().into_iter().chain(of_rules).min()
    }

    /// Gives rules the time.
    pub(super) fn look_at_time(&mut self) {
        if self.home.engine.next_deadline().is_some_and(|due| due <= self.wall()) {
            self.decide(Event::Tick);
        }
    }

    /// Gives rules what a client published.
    pub(super) fn hear(&mut self, message: Message, client: Arc<str>) {
        self.heard.delayed += usize::from(message.topic.as_str().starts_with("d/"));
        let effects = self.home.hear(self.wall(), message, client);
        self.take_effects(effects);
    }

    pub(super) fn decide(&mut self, event: Event) {
        let effects = self.home.engine.handle(self.wall(), event);
        self.take_effects(effects);
    }

    /// Reads the same rules again.
    pub(super) fn reload(&mut self) {
        let effects = self.home.reload(self.wall());
        self.take_effects(effects);
    }

    /// Keeps what may be kept a little later.
    pub(super) fn keep_late(&mut self) {
        for effect in self.home.engine.flush() {
            if let Effect::Save { key, value } = effect {
                self.unwritten.push(Row::Rules(key, value));
            }
        }
    }

    /// Takes what rules decided: it is routed at once, and leaves once it is on the disk.
    pub(super) fn take_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Save { key, value } => {
                    self.must_sync = true;
                    self.unwritten.push(Row::Rules(key, value));
                }
                Effect::Publish(publication) => {
                    let message = publication.message;
                    self.broker.publish(self.now, &message, Besides::default());
                    self.note_publication(&message);
                }
                Effect::Alert(alert) => panic!("rules tell of {alert:?}"),
                Effect::Log { text, .. } => panic!("rules say {text}"),
                _ => {}
            }
        }
    }

    fn note_publication(&mut self, message: &Message) {
        let text = message.payload.text().unwrap().to_owned();
        if message.topic.as_str() == "count" {
            let count: usize = text.parse().unwrap();
            assert_eq!(count, self.heard.count + 1, "what a rule remembers was lost, or changed twice");
            self.heard.count = count;
            return;
        }
        // Where this was lost with a process, it has a new place.
        self.published.insert(text.clone(), self.created);
        self.created += 1;
        self.heard.late.push(text);
    }

    /// Starts the home with what is on the disk and what the broker kept.
    pub(super) fn start_home(&mut self) {
        let retained = self.broker.retained().into_iter().map(|view| Message {
            topic: view.topic,
            payload: Payload::from_bytes(view.payload),
            qos: view.qos,
            retain: true,
            origin: Origin::Retained,
            expires_at: view.expires_at,
        });
        let retained = retained.collect();
        let (home, effects) = Home::start(self.wall(), self.disk.rules.clone(), retained);
        self.home = home;
        self.counts.resumed += usize::from(self.home.engine.next_deadline().is_some());
        self.take_effects(effects);
    }

    /// The house loses its power: what wasn't synced is gone, and nobody knows more than is on the disk.
    pub(super) fn cut_power(&mut self) {
        self.counts.power_cuts += 1;
        self.disk.cut_power();
        let synced = self.synced.clone();
        self.begin_again(&synced);
        self.check_retained();
        self.disk_works = true;
        self.pass(Duration::from_secs(20));
        self.check_late();
    }
}
