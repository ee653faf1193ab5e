//! Takes what clients publish before the broker routes it, and tells when clients come and go.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use mqtt5::QoS;
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::{
    BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent, PublishAction, RetainedSetEvent,
};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::daemon::input::{Input, Routing};
use crate::daemon::store::{Retained, RetainedKeeper};
use crate::engine::Event;
use crate::model::{Message, Origin, Payload, Qos};

use super::access::open_topic;
use super::clients::Clients;
use super::publisher::{from_broker, loop_time};

/// Sends what happens at the broker into the loop's queue. A full queue makes the client wait, and so does what its
/// message changes: it is acknowledged once that is kept.
pub(super) struct Hook {
    inputs: mpsc::Sender<Input>,
    clients: Arc<Clients>,
    /// Set once the broker has made it.
    router: OnceLock<Arc<MessageRouter>>,
    /// Set once what was kept has been put back.
    keeper: OnceLock<RetainedKeeper>,
}

impl Hook {
    pub(super) fn new(inputs: mpsc::Sender<Input>, clients: Arc<Clients>) -> Hook {
        Hook { inputs, clients, router: OnceLock::new(), keeper: OnceLock::new() }
    }

    pub(super) fn set_router(&self, router: Arc<MessageRouter>) {
        // It is set once, by the one who made us.
        let _ = self.router.set(router);
    }

    pub(super) fn set_keeper(&self, keeper: RetainedKeeper) {
        // It is set once, by the one who made us.
        let _ = self.keeper.set(keeper);
    }

    /// Keeps a retained message. Whoever published it waits until it is written; the loop waits for all of its own.
    async fn keep(&self, event: RetainedSetEvent) {
        let Some(keeper) = self.keeper.get().filter(|_| !event.topic.starts_with('$')) else { return };
        let qos = from_broker(event.qos);
        let retained = |at| Retained { topic: event.topic, payload: event.payload, qos, at };
        match loop_time() {
            Some(now) => keeper.keep(&retained(now)),
            None => keeper.keep_and_wait(&retained(Timestamp::now())).await,
        }
    }

    async fn take(&self, event: ClientPublishEvent) -> PublishAction {
        let Some(topic) = open_topic(Arc::clone(&event.topic)) else {
            debug!(client = %event.client_id, topic = %event.topic, "A client published where it may not; dropped.");
            return PublishAction::Handled;
        };
        let Ok(place) = self.inputs.reserve().await else {
            return never_acknowledged().await;
        };
        let qos = match event.qos {
            // The hook doesn't see a message's properties, so the broker itself must route those that may have some.
            _ if self.clients.speaks_version_5(&event.client_id) => return PublishAction::Continue,
            // A duplicate would come here twice; the subscription gives each once.
            QoS::ExactlyOnce => return PublishAction::Continue,
            QoS::AtLeastOnce => Qos::AtLeastOnce,
            QoS::AtMostOnce => Qos::AtMostOnce,
        };
        let payload = Payload::from_bytes(event.payload);
        let message = Message { topic, payload, qos, retain: event.retain, origin: Origin::Live };
        let (kept, waiting) = match qos {
            Qos::AtMostOnce => (None, None),
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                let (kept, waiting) = oneshot::channel();
                (Some(kept), Some(waiting))
            }
        };
        place.send(Input::Message { message, client: Some(event.client_id), routing: Routing::Loop, kept });
        if let Some(waiting) = waiting
            && waiting.await.is_err()
        {
            return never_acknowledged().await;
        }
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
            self.clients.forget(&client);
        }
        self.tell(Event::ClientDisconnected(client)).await;
    }
}

/// The daemon is stopping: a message that nobody handled must not be acknowledged, so that its client sends it again.
async fn never_acknowledged() -> PublishAction {
    std::future::pending().await
}

impl BrokerEventHandler for Hook {
    fn on_client_connect<'a>(&'a self, event: ClientConnectEvent) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
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
