//! Acknowledgements of messages that the broker itself routes, until they come by our subscription.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::connection::Acknowledgement;

/// Per client, in the order in which it published, what it published with `QoS` 1 and hasn't come to us yet.
#[derive(Default)]
pub(super) struct Unrouted {
    clients: Mutex<HashMap<Arc<str>, VecDeque<Awaited>>>,
}

/// A message that will come.
struct Awaited {
    topic: Arc<str>,
    payload: Bytes,
    acknowledgement: Acknowledgement,
}

impl Unrouted {
    /// Notes that a message of `client` will come.
    pub(super) fn expect(&self, client: Arc<str>, topic: Arc<str>, payload: Bytes, acknowledgement: Acknowledgement) {
        self.lock().entry(client).or_default().push_back(Awaited { topic, payload, acknowledgement });
    }

    /// Returns the acknowledgement of a message that came; `None`: nobody waits for one. The broker keeps a client's order:
    /// what was published before it and hasn't come, won't; it has been routed as far as it could be.
    pub(super) fn take(&self, client: &str, topic: &str, payload: &Bytes) -> Option<Acknowledgement> {
        let mut clients = self.lock();
        let awaited = clients.get_mut(client)?;
        let place = awaited.iter().position(|awaited| *awaited.topic == *topic && awaited.payload == *payload)?;
        awaited.drain(..place).for_each(|lost| lost.acknowledgement.release());
        let found = awaited.pop_front();
        if awaited.is_empty() {
            clients.remove(client);
        }
        found.map(|found| found.acknowledgement)
    }

    /// Forgets `client`, which has gone.
    pub(super) fn forget(&self, client: &str) {
        self.lock().remove(client);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, VecDeque<Awaited>>> {
        // A queue of messages is whole after any panic.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
