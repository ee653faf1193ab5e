//! Does what was decided: first what clients wait for, then the rest, each in its order.

use tokio::task::yield_now;
use tracing::{debug, error, info, warn};

use crate::engine::{ALERT_TOPIC, Alert, Effect};
use crate::model::RuleId;
use crate::rules::LogLevel;

use super::{EventLoop, Outgoing, own};
use crate::daemon::broker::Acknowledgement;

impl EventLoop {
    /// Does what was decided. Messages leave first: what it takes to remember them must not hold them up.
    pub(super) async fn flush(&mut self) {
        let mut outgoing = std::mem::take(&mut self.outgoing);
        let behind_commit = self.behind_commit.take();
        let mut has_left = !self.acknowledgements.is_empty();
        for (index, step) in outgoing.iter().enumerate() {
            if behind_commit == Some(index) {
                self.parts.store.commit().await;
            }
            match step {
                Outgoing::Message(message) => self.parts.publisher.publish(self.now, message).await,
                Outgoing::Effect(Effect::Publish(publication)) => {
                    self.parts.publisher.publish_of(self.now, &publication.message, &publication.rule).await;
                }
                Outgoing::Effect(Effect::Tell(message)) => self.parts.publisher.publish(self.now, message).await,
                Outgoing::Effect(Effect::Alert(alert)) => self.alert(alert).await,
                Outgoing::Effect(_) => continue,
            }
            has_left = true;
        }
        // What was decided may have led to nothing but what is kept.
        self.parts.store.commit().await;
        self.parts.store.forget_promises();
        if std::mem::take(&mut self.was_clock_set) {
            self.keep_retained().await;
        }
        if std::mem::take(&mut self.must_be_written) {
            self.parts.store.written().await;
        }
        self.acknowledgements.drain(..).for_each(Acknowledgement::release);
        if has_left {
            // The clients' tasks write what they were given.
            yield_now().await;
        }
        for step in outgoing.drain(..) {
            if let Outgoing::Effect(effect) = step {
                self.follow_up(effect);
            }
        }
        // The room is used again.
        self.outgoing = outgoing;
        for message in self.observers.rule_topics.changes(&self.engine) {
            self.parts.publisher.publish(self.now, &message).await;
        }
        self.observers.screen.flush();
    }

    /// Does what an effect asks for beside a message: starts, shows, tells and remembers.
    fn follow_up(&mut self, effect: Effect) {
        match effect {
            Effect::Publish(publication) => self.observers.publication(self.now, publication),
            Effect::Trace(trace) => self.observers.trace(self.now, trace, &self.engine.calendar().zone),
            Effect::Log { rule, level, text } => log(rule.as_ref(), level, &text),
            Effect::Http { request, call } => self.parts.outside.request(request, call),
            Effect::Exec { request, command, timeout } => self.parts.outside.execute(request, command, timeout),
            // One has left, and the other was taken out when it was decided.
            Effect::Alert(_) | Effect::Tell(_) | Effect::Save { .. } => {}
        }
    }

    async fn alert(&mut self, alert: &Alert) {
        let Ok(payload) = serde_json::to_vec(alert) else { return };
        if let Some(message) = own(ALERT_TOPIC, payload, false) {
            self.parts.publisher.publish(self.now, &message).await;
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
