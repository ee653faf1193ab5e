//! What MQTT tells the loop, in its order.

use std::sync::Arc;

use tracing::{debug, info};

use crate::daemon::mqtt::{Came, Happened};
use crate::daemon::observers::rule_topics::RuleRequest;
use crate::engine::Event;
use crate::model::{Message, one_line};

use super::EventLoop;

impl EventLoop {
    /// Handles all that MQTT brought: what rules publish about one thing has left for their subscribers' queues before the next is
    /// looked at.
    pub(super) fn hear(&mut self) {
        while let Some(happened) = self.mqtt.next(self.now) {
            match happened {
                Happened::Message(came) => self.hear_message(came),
                Happened::ClientConnected(client) => self.decide(Event::ClientConnected(client)),
                Happened::ClientDisconnected(client) => self.decide(Event::ClientDisconnected(client)),
                Happened::Keep { key, value } => self.parts.store.keep(key, value),
                Happened::Settled => self.broker_settled(),
                Happened::Away => self.broker_away(),
                Happened::Alert(alert) => self.decide(Event::Alert(alert)),
                Happened::Held { client, topic } => {
                    let client = one_line(&client);
                    debug!(%client, %topic, "A message is held for a client that was connected before the start.");
                }
                Happened::HeldExpired { client, messages } => {
                    let client = one_line(&client);
                    info!(%client, messages, "A client that was connected before the start didn't come back: what was held for it is dropped.");
                }
            }
        }
    }

    fn hear_message(&mut self, came: Came) {
        let Came { message, properties, client } = came;
        let Some(message) = self.hear_unless_of_sibling(message, properties.as_deref()) else { return };
        let Some(message) = self.hear_as_instance(message) else { return };
        self.observers.message(self.now.wall, &message, client.as_ref());
        self.heed(message, client);
    }

    /// Gives rules a message that has been routed.
    pub(super) fn heed(&mut self, message: Message, client: Option<Arc<str>>) {
        self.note_overwritten(&message);
        let request = RuleRequest::of(&message);
        self.decide(match client {
            Some(client) => Event::MessageFrom { message, client },
            None => Event::Message(message),
        });
        if let Some(request) = request {
            request.grant(self);
        }
    }

    /// Publishes `message` as if a client had; `by`: which one.
    pub(in crate::daemon) fn publish(&mut self, message: Message, by: Option<Arc<str>>) {
        self.send_out(&message);
        self.observers.message(self.now.wall, &message, by.as_ref());
        self.heed(message, by);
    }
}
