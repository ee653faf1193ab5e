//! The end of a turn: what was kept goes to the disk, what was decided leaves, and what it takes to remember it comes last.

use tracing::{debug, error, info, warn};

use crate::daemon::home::input::Input;
use crate::daemon::mqtt::Outbound;
use crate::engine::{ALERT_TOPIC, Alert, Effect};
use crate::model::{Message, RuleId};
use crate::rules::LogLevel;

use super::{EventLoop, own};

impl EventLoop {
    /// Ends a turn. Messages leave first: what it takes to remember them must not hold them up.
    pub(super) async fn finish(&mut self) {
        self.subscribe_to_what_was_read();
        self.send_saved();
        self.send_words();
        // What was published beside a message may have to be kept.
        self.hear();
        self.commit().await;
        self.mqtt.send(self.now);
        self.parts.store.forget_promises();
        for effect in std::mem::take(&mut self.outgoing) {
            self.follow_up(effect);
        }
        let asked = self.asks_by_telegram();
        if !asked.is_empty() {
            self.parts.outside.ask(asked);
        }
        if !self.has_begun {
            self.observers.screen.flush();
            return;
        }
        for message in self.observers.rule_topics.changes(&self.engine) {
            // It leaves with the next turn, which follows at once.
            if self.tells_of(&message) {
                self.send_out(&message);
            }
        }
        self.observers.screen.flush();
    }

    /// Gives the disk all that the turn kept. Where rules decided something that must survive, nothing leaves before it is there.
    async fn commit(&mut self) {
        let receipt = self.mqtt.receipt();
        let promised = std::mem::take(&mut self.promised);
        if self.parts.store.must_sync() {
            if self.mqtt.may_lose_what_leaves() && !promised.is_empty() {
                self.parts.store.promise(&promised);
            }
            self.parts.store.commit().await;
            self.commits.clear();
            self.mqtt.release(self.now, receipt);
            return;
        }
        match self.parts.store.write() {
            Some(written) => self.commits.add(written, receipt),
            None if self.commits.join(receipt) => {}
            None => self.mqtt.release(self.now, receipt),
        }
    }

    /// Publishes a message of the daemon's own.
    pub(super) fn send_out(&mut self, message: &Message) {
        self.mqtt.publish(self.now, Outbound { message, rule: None });
    }

    /// Publishes what a rule decided.
    pub(super) fn send_out_of(&mut self, message: &Message, rule: &RuleId) {
        self.mqtt.publish(self.now, Outbound { message, rule: Some(rule) });
        if !message.retain {
            // What is retained is kept by the broker, in the same commit.
            self.promised.push(message.clone());
        }
    }

    pub(super) fn send_alert(&mut self, alert: &Alert) {
        let Ok(payload) = serde_json::to_vec(alert) else { return };
        if let Some(message) = own(ALERT_TOPIC, payload, false) {
            self.send_out(&message);
        }
    }

    /// Does what an effect asks for beside a message: starts, shows, tells and remembers.
    fn follow_up(&mut self, effect: Effect) {
        match effect {
            Effect::Publish(publication) => self.observers.publication(self.now.wall, publication),
            Effect::Trace(trace) => self.observers.trace(self.now.wall, trace, &self.engine.calendar().zone),
            Effect::Log { rule, level, text } => log(rule.as_ref(), level, &text),
            Effect::Http { request, rule, call } => self.parts.outside.request(request, &rule, call),
            Effect::Deliver { request, rule, target: _, call } => self.parts.outside.deliver(request, &rule, call),
            Effect::Exec { request, rule, command, timeout } => {
                self.parts.outside.execute(request, &rule, command, timeout);
            }
            Effect::Recall(recall) => {
                self.parts.outside.recall(recall, self.observers.recorder.search(), Input::Event);
            }
            Effect::Invariant(news) => self.observers.invariant(&news),
            // They were dealt with when they were decided.
            Effect::Alert(_) | Effect::Tell(_) | Effect::Save { .. } | Effect::Notify { .. } => {}
        }
    }
}

fn log(rule: Option<&RuleId>, level: LogLevel, text: &str) {
    let rule = rule.map(tracing::field::display);
    match level {
        LogLevel::Error => error!(rule, "{text}"),
        LogLevel::Warn => warn!(rule, "{text}"),
        LogLevel::Info => info!(rule, "{text}"),
        LogLevel::Debug => debug!(rule, "{text}"),
    }
}
