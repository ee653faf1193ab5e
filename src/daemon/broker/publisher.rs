//! Publishes through the broker without ever waiting for a slow subscriber.

use std::sync::Arc;

use mqtt5::QoS;
use mqtt5::broker::router::MessageRouter;
use mqtt5::packet::publish::PublishPacket;
use tokio::time::Instant;

use crate::model::{Message, Qos};

use super::OWN_ID;

/// Routes messages to the broker's clients.
pub(in crate::daemon) struct Publisher {
    router: Arc<MessageRouter>,
    /// Long ago: a message that a subscriber has no room for goes into its queue at once.
    past: Instant,
}

impl Publisher {
    pub(super) fn new(router: Arc<MessageRouter>) -> Publisher {
        Publisher { router, past: Instant::now() }
    }

    /// Publishes `message` in our own name: our own subscription doesn't get it.
    pub(in crate::daemon) async fn publish(&self, message: &Message) {
        let qos = match message.qos {
            Qos::AtMostOnce => QoS::AtMostOnce,
            Qos::AtLeastOnce => QoS::AtLeastOnce,
            Qos::ExactlyOnce => QoS::ExactlyOnce,
        };
        let packet = PublishPacket::new(message.topic.as_str(), message.payload.bytes().clone(), qos)
            .with_retain(message.retain);
        self.router.route_message_with_deadline(&packet, Some(OWN_ID), self.past).await;
    }
}
