//! Which sockets have something to read, or room to write: the system's wake-ups become a queue that the loop takes whole.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The queue.
#[derive(Debug, Default, Clone)]
pub(super) struct Wakes(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    places: Vec<usize>,
    /// Wakes the loop.
    waker: Option<Waker>,
}

/// Puts one socket into the queue.
#[derive(Debug)]
pub(super) struct SocketWake {
    wakes: Wakes,
    place: usize,
    is_queued: AtomicBool,
}

impl Wakes {
    /// Returns what wakes the socket at `place`.
    pub(super) fn of(&self, place: usize) -> Arc<SocketWake> {
        Arc::new(SocketWake { wakes: self.clone(), place, is_queued: AtomicBool::new(false) })
    }

    /// Returns once there is something in the queue.
    pub(super) fn poll_any(&self, context: &Context<'_>) -> Poll<()> {
        let mut queue = self.lock();
        if !queue.places.is_empty() {
            return Poll::Ready(());
        }
        if !queue.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            queue.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Moves what is in the queue to the end of `places`.
    pub(super) fn take(&self, places: &mut Vec<usize>) {
        places.append(&mut self.lock().places);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A list of numbers is whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketWake {
    /// Notes that the socket was taken from the queue.
    pub(super) fn taken(&self) {
        self.is_queued.store(false, Ordering::Release);
    }
}

impl Wake for SocketWake {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut queue = self.wakes.lock();
            queue.places.push(self.place);
            queue.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_queued_once_until_it_is_taken() {
        let wakes = Wakes::default();
        let (first, second) = (wakes.of(3), wakes.of(7));
        let context = Context::from_waker(Waker::noop());
        assert!(wakes.poll_any(&context).is_pending());
        for wake in [&first, &second, &first] {
            wake.wake_by_ref();
        }
        assert!(wakes.poll_any(&context).is_ready());
        let mut places = Vec::new();
        wakes.take(&mut places);
        assert_eq!(places, [3, 7]);
        assert!(wakes.poll_any(&context).is_pending());
        first.wake_by_ref();
        assert!(wakes.poll_any(&context).is_pending(), "it wasn't noted as taken");
        first.taken();
        first.wake_by_ref();
        assert!(wakes.poll_any(&context).is_ready());
    }
}
