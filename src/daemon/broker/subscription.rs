//! Our own subscription within the process: brings what the broker routes itself: what MQTT 5 clients publish, what is
//! published with `QoS` 2, and wills.
//!
//! What the loop routes doesn't come here: it is published in our name, and we subscribe with no local.

use std::sync::Arc;

use mqtt5::QoS;
use mqtt5::broker::router::{DeliveryLanes, LaneReceivers, MessageRouter, SubscriptionRequest, TakeoverNotice};
use mqtt5::packet::publish::PublishPacket;
use tokio::sync::{mpsc, oneshot};

use crate::daemon::home::input::{Input, Routing};
use crate::model::{Message, Origin, Payload, Qos, Topic};

use super::OWN_ID;
use super::connection::Acknowledgement;
use super::publisher::from_broker;
use super::unrouted::Unrouted;

/// The broker adds this user property to what clients publish, with their id.
const SENDER: &str = "x-mqtt-client-id";

/// How many messages may wait for us. They wait only as long as the loop's queue is full.
const WAITING: usize = 100_000;

/// The subscription; ends when the loop's queue does.
pub(super) struct Subscription {
    messages: LaneReceivers,
    /// Dropping it would tell the broker that we have gone.
    _notice: oneshot::Receiver<TakeoverNotice>,
}

impl Subscription {
    /// Subscribes to all topics but those with `$`.
    pub(super) async fn open(router: &Arc<MessageRouter>) -> mqtt5::error::Result<Subscription> {
        let (lanes, messages) = DeliveryLanes::channel(WAITING);
        let (sender, notice) = oneshot::channel();
        router.register_client(OWN_ID.to_owned(), lanes, router.queue_handle(OWN_ID), sender).await;
        let request =
            SubscriptionRequest::new(OWN_ID, "#", QoS::ExactlyOnce).with_no_local(true).with_retain_as_published(true);
        router.subscribe(request).await?;
        Ok(Subscription { messages, _notice: notice })
    }

    /// Brings messages into the loop's queue.
    pub(super) async fn run(mut self, inputs: mpsc::Sender<Input>, unrouted: &Unrouted<Acknowledgement>) {
        while let Some(routed) = self.messages.recv().await {
            // The broker lets no topic through that is none, but may allow more levels than we do.
            let Some(input) = input(&routed.publish, unrouted) else { continue };
            if inputs.send(input).await.is_err() {
                return;
            }
        }
    }
}

/// Returns the message for the loop; `None` where its topic is none.
fn input(publish: &PublishPacket, unrouted: &Unrouted<Acknowledgement>) -> Option<Input> {
    let sender = publish.properties.get_user_property_value(SENDER);
    let qos = from_broker(publish.qos);
    let mut came = match (qos, sender) {
        (Qos::AtLeastOnce, Some(sender)) => unrouted.take(sender, &publish.topic_name, &publish.payload),
        _ => Vec::new(),
    };
    let acknowledgement = came.pop();
    came.into_iter().for_each(Acknowledgement::release);
    let Ok(topic) = Topic::parse(&publish.topic_name) else {
        // It is routed, and changes nothing here.
        acknowledgement.into_iter().for_each(Acknowledgement::release);
        return None;
    };
    let payload = Payload::from_bytes(publish.payload.clone());
    let message = Message { topic, payload, qos, retain: publish.retain, origin: Origin::Live, expires_at: None };
    let client = sender.map(Arc::from);
    Some(Input::Message { message, client, routing: Routing::Broker, acknowledgement })
}
