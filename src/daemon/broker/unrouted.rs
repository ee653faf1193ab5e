//! Acknowledgements of messages that the broker itself routes, until they come by our subscription.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Per client, in the order in which it published, what it published with `QoS` 1 and hasn't come to us yet; with the
/// acknowledgement of each.
pub(super) struct Unrouted<A> {
    clients: Mutex<HashMap<Arc<str>, VecDeque<Awaited<A>>>>,
}

/// A message that will come.
struct Awaited<A> {
    topic: Arc<str>,
    payload: Bytes,
    acknowledgement: A,
}

impl<A> Default for Unrouted<A> {
    fn default() -> Unrouted<A> {
        Unrouted { clients: Mutex::default() }
    }
}

impl<A> Unrouted<A> {
    /// Notes that a message of `client` will come.
    pub(super) fn expect(&self, client: Arc<str>, topic: Arc<str>, payload: Bytes, acknowledgement: A) {
        self.lock().entry(client).or_default().push_back(Awaited { topic, payload, acknowledgement });
    }

    /// Returns the acknowledgement of a message that came, behind those of what won't come any more: the broker keeps a client's
    /// order, so that what was published before it was routed as far as it could be. Empty: nobody waits for it.
    pub(super) fn take(&self, client: &str, topic: &str, payload: &Bytes) -> Vec<A> {
        let mut clients = self.lock();
        let Some(awaited) = clients.get_mut(client) else { return Vec::new() };
        let place = awaited.iter().position(|awaited| *awaited.topic == *topic && awaited.payload == *payload);
        let Some(place) = place else { return Vec::new() };
        let came = awaited.drain(..=place).map(|awaited| awaited.acknowledgement).collect();
        if awaited.is_empty() {
            clients.remove(client);
        }
        came
    }

    /// Forgets `client`, which has gone.
    pub(super) fn forget(&self, client: &str) {
        self.lock().remove(client);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, VecDeque<Awaited<A>>>> {
        // A queue of messages is whole after any panic.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expecting(messages: &[(&str, &str, &'static str)]) -> Unrouted<usize> {
        let unrouted = Unrouted::default();
        for (number, (client, topic, payload)) in messages.iter().enumerate() {
            unrouted.expect((*client).into(), (*topic).into(), Bytes::from_static(payload.as_bytes()), number);
        }
        unrouted
    }

    fn take(unrouted: &Unrouted<usize>, client: &str, topic: &str, payload: &'static str) -> Vec<usize> {
        unrouted.take(client, topic, &Bytes::from_static(payload.as_bytes()))
    }

    #[test]
    fn each_message_has_its_own_acknowledgement_though_others_say_the_same() {
        let unrouted = expecting(&[("a", "t", "x"), ("b", "t", "x"), ("a", "t", "x")]);
        assert_eq!(take(&unrouted, "a", "t", "x"), [0]);
        assert_eq!(take(&unrouted, "a", "t", "x"), [2]);
        assert_eq!(take(&unrouted, "a", "t", "x"), [] as [usize; 0]);
        assert_eq!(take(&unrouted, "b", "t", "x"), [1]);
        assert!(unrouted.lock().is_empty());
    }

    #[test]
    fn what_was_published_before_what_came_is_acknowledged_with_it() {
        let unrouted = expecting(&[("a", "lost", "x"), ("a", "t", "lost"), ("a", "t", "x"), ("a", "t", "y")]);
        assert_eq!(take(&unrouted, "a", "t", "x"), [0, 1, 2]);
        assert_eq!(take(&unrouted, "a", "t", "y"), [3]);
    }

    #[test]
    fn what_nobody_waits_for_takes_nothing_from_others() {
        let unrouted = expecting(&[("a", "t", "x")]);
        assert_eq!(take(&unrouted, "a", "t", "z"), [] as [usize; 0]);
        assert_eq!(take(&unrouted, "c", "t", "x"), [] as [usize; 0]);
        unrouted.forget("a");
        assert_eq!(take(&unrouted, "a", "t", "x"), [] as [usize; 0]);
    }
}
