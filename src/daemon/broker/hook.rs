//! Takes what clients publish before the broker routes it, and tells when clients come and go.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use mqtt5::QoS;
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::{
    BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent, PublishAction, RetainedSetEvent,
};
use tokio::sync::mpsc;
use tracing::debug;

use crate::daemon::home::input::{Input, Routing};
use crate::daemon::store::{Retained, RetainedKeeper};
use crate::engine::Event;
use crate::model::{Message, Origin, Payload, Qos};

use super::RECORDERS;
use super::access::open_topic;
use super::connection::{Acknowledgement, Connection};
use super::publisher::{from_broker, loop_time};
use super::unrouted::Unrouted;

/// Sends what happens at the broker into the loop's queue. A full queue makes the client wait. What its message changes
/// doesn't, but holds back the acknowledgement.
pub(super) struct Hook {
    inputs: mpsc::Sender<Input>,
    unrouted: Arc<Unrouted<Acknowledgement>>,
    /// Set once the broker has made it.
    router: OnceLock<Arc<MessageRouter>>,
    /// Set once what was kept has been put back.
    keeper: OnceLock<RetainedKeeper>,
    /// Whether a recorder has come.
    is_recorded: Arc<AtomicBool>,
}

impl Hook {
    pub(super) fn new(inputs: mpsc::Sender<Input>, unrouted: Arc<Unrouted<Acknowledgement>>) -> Hook {
        Hook { inputs, unrouted, router: OnceLock::new(), keeper: OnceLock::new(), is_recorded: Arc::default() }
    }

    pub(super) fn set_router(&self, router: Arc<MessageRouter>) {
        // It is set once, by the one who made us.
        let _ = self.router.set(router);
    }

    pub(super) fn set_keeper(&self, keeper: RetainedKeeper) {
        // It is set once, by the one who made us.
        let _ = self.keeper.set(keeper);
    }

    /// Returns what tells whether a recorder has come.
    pub(super) fn is_recorded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_recorded)
    }

    /// Keeps a retained message. Only the acknowledgement of one with `QoS` 2 isn't held back by the loop: its client waits
    /// here until it is written.
    async fn keep(&self, event: RetainedSetEvent) {
        let Some(keeper) = self.keeper.get().filter(|_| !event.topic.starts_with('$')) else { return };
        let qos = from_broker(event.qos);
        let at = loop_time();
        let must_wait = at.is_none() && qos == Qos::ExactlyOnce;
        let at = at.unwrap_or_else(Timestamp::now);
        let retained = Retained { topic: event.topic, payload: event.payload, qos, at };
        if must_wait {
            keeper.keep_and_wait(&retained).await;
        } else {
            keeper.keep(&retained);
        }
    }

    async fn take(&self, event: ClientPublishEvent) -> PublishAction {
        let Some(topic) = open_topic(Arc::clone(&event.topic)) else {
            debug!(client = %event.client_id, topic = %event.topic, "A client published where it may not; dropped.");
            return PublishAction::Handled;
        };
        let Ok(place) = self.inputs.reserve().await else {
            // The daemon is stopping: what nobody handles must not be acknowledged, so that its client sends it again.
            return std::future::pending().await;
        };
        let served = Connection::served();
        // The hook doesn't see a message's properties, so the broker itself must route those that may have some.
        let is_routed_by_broker = served.as_ref().is_some_and(|served| served.speaks_version_5());
        let qos = match event.qos {
            // A duplicate would come here twice; the subscription gives each once.
            QoS::ExactlyOnce => return PublishAction::Continue,
            QoS::AtLeastOnce => Qos::AtLeastOnce,
            QoS::AtMostOnce => Qos::AtMostOnce,
        };
        let held = match (qos, event.packet_id, served) {
            (Qos::AtLeastOnce, Some(packet), Some(served)) => Some(served.hold(packet)),
            _ => None,
        };
        if is_routed_by_broker {
            if let Some(held) = held {
                self.unrouted.expect(event.client_id, event.topic, event.payload, held);
            }
            return PublishAction::Continue;
        }
        let payload = Payload::from_bytes(event.payload);
        let message = Message { topic, payload, qos, retain: event.retain, origin: Origin::Live, expires_at: None };
        let client = Some(event.client_id);
        place.send(Input::Message { message, client, routing: Routing::Loop, acknowledgement: held });
        PublishAction::Handled
    }

    async fn tell(&self, event: Event) {
        // Nobody listens only when the daemon is stopping.
        let _ = self.inputs.send(Input::Event(event)).await;
    }

    async fn left(&self, client: Arc<str>) {
        let is_back = match self.router.get() {
            Some(router) => router.is_connected(&client).await,
            None => false,
        };
        if !is_back {
            self.unrouted.forget(&client);
        }
        self.tell(Event::ClientDisconnected(client)).await;
    }
}

impl BrokerEventHandler for Hook {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        if event.client_id.starts_with(RECORDERS) {
            self.is_recorded.store(true, Ordering::Relaxed);
        }
        Box::pin(self.tell(Event::ClientConnected(event.client_id)))
    }

    fn on_client_publish<'a>(
        &'a self,
        event: ClientPublishEvent,
    ) -> Pin<Box<dyn Future<Output = PublishAction> + Send + 'a>> {
        Box::pin(self.take(event))
    }

    fn on_retained_set<'a>(&'a self, event: RetainedSetEvent) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.keep(event))
    }

    fn on_client_disconnect<'a>(
        &'a self,
        event: ClientDisconnectEvent,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(self.left(event.client_id))
    }
}
