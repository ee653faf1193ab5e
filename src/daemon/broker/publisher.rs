//! Publishes through the broker without ever waiting for a slow subscriber.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use mqtt5::QoS;
use mqtt5::broker::router::MessageRouter;
use mqtt5::packet::publish::PublishPacket;
use tokio::task_local;
use tokio::time::Instant;

use crate::daemon::store::Retained;
use crate::model::{Message, Qos, RuleId};

use super::{OWN_ID, RULE_PROPERTY};

task_local! {
    /// The loop's time, while the loop publishes a retained message: the broker tells of it from within.
    static LOOP_TIME: Timestamp;
}

/// Routes messages to the broker's clients.
pub(in crate::daemon) struct Publisher {
    router: Arc<MessageRouter>,
    /// Long ago: a message that a subscriber has no room for goes into its queue at once.
    past: Instant,
    /// Whether somebody records which rule published what.
    is_recorded: Arc<AtomicBool>,
}

impl Publisher {
    pub(super) fn new(router: Arc<MessageRouter>, is_recorded: Arc<AtomicBool>) -> Publisher {
        Publisher { router, past: Instant::now(), is_recorded }
    }

    /// Publishes `message`, which the loop decided on at `now`, in our own name: our own subscription doesn't get it.
    pub(in crate::daemon) async fn publish(&self, now: Timestamp, message: &Message) {
        self.route(now, packet_of(message)).await;
    }

    /// Publishes what `rule` decided on at `now`.
    pub(in crate::daemon) async fn publish_of(&self, now: Timestamp, message: &Message, rule: &RuleId) {
        let packet = packet_of(message);
        let packet = if self.is_recorded.load(Ordering::Relaxed) {
            packet.with_user_property(RULE_PROPERTY.to_owned(), rule.to_string())
        } else {
            packet
        };
        self.route(now, packet).await;
    }

    async fn route(&self, now: Timestamp, packet: PublishPacket) {
        let routed = self.router.route_message_with_deadline(&packet, Some(OWN_ID), self.past);
        if packet.retain {
            LOOP_TIME.scope(now, routed).await;
        } else {
            // The broker tells of nothing, and to scope its large future costs more than a look at the topic.
            routed.await;
        }
    }

    /// Gives the broker back what it kept before the restart.
    pub(super) async fn restore(&self, retained: &[Retained]) {
        for retained in retained {
            let packet =
                PublishPacket::new(retained.topic.to_string(), retained.payload.clone(), to_broker(retained.qos))
                    .with_retain(true);
            self.router.route_message_with_deadline(&packet, Some(OWN_ID), self.past).await;
        }
    }

    /// Returns all that the broker keeps, as of `now`.
    pub(in crate::daemon) async fn retained(&self, now: Timestamp) -> Vec<Retained> {
        let packets = self.router.get_retained_messages("#").await;
        let retained = packets.into_iter().map(|packet| Retained {
            topic: packet.topic_name.as_str().into(),
            payload: packet.payload,
            qos: from_broker(packet.qos),
            at: now,
        });
        retained.collect()
    }
}

/// Returns the time at which the loop decided what it is publishing; `None`: it isn't the loop that publishes.
pub(super) fn loop_time() -> Option<Timestamp> {
    LOOP_TIME.try_with(|now| *now).ok()
}

fn packet_of(message: &Message) -> PublishPacket {
    PublishPacket::new(message.topic.as_str(), message.payload.bytes().clone(), to_broker(message.qos))
        .with_retain(message.retain)
}

fn to_broker(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}

pub(super) fn from_broker(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
        QoS::ExactlyOnce => Qos::ExactlyOnce,
    }
}
