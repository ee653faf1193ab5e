//! The watchdog: a thread that ends an evaluation that takes too long, so that one rule holds up no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::script::Interrupter;

/// Watches evaluations until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Ends each evaluation that takes longer than `limit`, as soon as it counts its next operation.
    pub(super) fn start(interrupter: Interrupter, limit: Duration) -> Watchdog {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let watch = move || watch(&interrupter, limit, &told);
        // Without it, the limit of operations ends what hangs.
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(watch).ok();
        Watchdog { is_over, thread }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn watch(interrupter: &Interrupter, limit: Duration, is_over: &AtomicBool) {
    let pause = (limit / 5).clamp(Duration::from_millis(1), Duration::from_millis(100));
    let mut seen: Option<(u64, Instant)> = None;
    while !is_over.load(Ordering::Relaxed) {
        thread::park_timeout(pause);
        let now = Instant::now();
        seen = match (interrupter.running(), seen) {
            (None, _) => None,
            (Some(running), Some((known, since))) if running == known => {
                // It began up to one pause before it was first seen.
                if now.duration_since(since) + pause >= limit {
                    interrupter.interrupt(running);
                }
                seen
            }
            (Some(running), _) => Some((running, now)),
        };
    }
}
