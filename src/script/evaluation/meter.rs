//! Counts the operations of an evaluation, and ends it at the limit or when it is told to.
//!
//! Rhai counts too, but begins anew in each closure that a function calls: a list in a list in a list is never stopped.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rhai::Dynamic;

/// The operations of the evaluation that runs.
#[derive(Debug)]
pub(in crate::script) struct Meter {
    limit: u64,
    operations: AtomicU64,
    interrupter: Interrupter,
}

/// Ends an evaluation from outside, where it takes too long: for a watchdog on another thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupter(Arc<Evaluations>);

#[derive(Default)]
struct Evaluations {
    /// The last one that began: they count up.
    last: AtomicU64,
    /// The one that runs; 0: none.
    running: AtomicU64,
    /// The one that must end; 0: none.
    ended: AtomicU64,
    /// Whether who watches sleeps until the next one begins.
    is_unwatched: AtomicBool,
    /// Wakes who watches.
    wake: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Evaluations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluations").field("last", &self.last).field("running", &self.running).finish_non_exhaustive()
    }
}

impl Interrupter {
    /// Sets what wakes who watches, once [`Interrupter::sleeps`] said that it sleeps. Only the first is taken.
    pub fn wakes(&self, wake: impl Fn() + Send + Sync + 'static) {
        // Nobody else watches.
        let _ = self.0.wake.set(Box::new(wake));
    }

    /// Says that who watches sleeps until the next evaluation begins. Returns false where one runs: then it must not.
    #[must_use]
    pub fn sleeps(&self) -> bool {
        // In one order with the beginning of an evaluation: either it sees that we sleep, or we see that it runs.
        self.0.is_unwatched.store(true, Ordering::SeqCst);
        let is_idle = self.0.running.load(Ordering::SeqCst) == 0;
        if !is_idle {
            self.0.is_unwatched.store(false, Ordering::SeqCst);
        }
        is_idle
    }

    /// Returns whether it still sleeps: no evaluation has begun since.
    #[must_use]
    pub fn is_sleeping(&self) -> bool {
        self.0.is_unwatched.load(Ordering::SeqCst)
    }

    /// Returns how many evaluations have begun.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.0.last.load(Ordering::Relaxed)
    }

    /// Returns the number of the evaluation that runs; `None` where none does.
    #[must_use]
    pub fn running(&self) -> Option<u64> {
        Some(self.0.running.load(Ordering::Relaxed)).filter(|number| *number > 0)
    }

    /// Ends the evaluation of this number; another one is left alone.
    pub fn interrupt(&self, evaluation: u64) {
        self.0.ended.store(evaluation, Ordering::Relaxed);
    }
}

/// Why a meter ended an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) enum Ended {
    /// The operations reached their limit.
    TooManyOperations,
    /// It was told to from outside: the time is over.
    Interrupted,
}

impl Meter {
    /// Returns a meter that allows so many operations.
    pub(in crate::script) fn new(limit: u64) -> Meter {
        Meter { limit, operations: AtomicU64::new(0), interrupter: Interrupter::default() }
    }

    /// Returns what ends evaluations from outside.
    pub(in crate::script) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// An evaluation begins, and is counted anew.
    pub(in crate::script) fn begin(&self) {
        self.operations.store(0, Ordering::Relaxed);
        let evaluations = &self.interrupter.0;
        let number = evaluations.last.load(Ordering::Relaxed) + 1;
        evaluations.last.store(number, Ordering::Relaxed);
        evaluations.running.store(number, Ordering::SeqCst);
        if evaluations.is_unwatched.load(Ordering::SeqCst) {
            evaluations.is_unwatched.store(false, Ordering::SeqCst);
            if let Some(wake) = evaluations.wake.get() {
                wake();
            }
        }
    }

    /// The evaluation has ended.
    pub(in crate::script) fn end(&self) {
        self.interrupter.0.running.store(0, Ordering::Relaxed);
    }

    /// Counts an operation, and returns why the evaluation must end, if it must.
    pub(in crate::script) fn count(&self) -> Option<Dynamic> {
        // One evaluation runs at a time: a load and a store are enough, and cheaper than an atomic addition.
        let operations = self.operations.load(Ordering::Relaxed) + 1;
        self.operations.store(operations, Ordering::Relaxed);
        if operations > self.limit {
            return Some(Dynamic::from(Ended::TooManyOperations));
        }
        let evaluations = &self.interrupter.0;
        let ended = evaluations.ended.load(Ordering::Relaxed);
        let is_ended = ended > 0 && ended == evaluations.running.load(Ordering::Relaxed);
        is_ended.then(|| Dynamic::from(Ended::Interrupted))
    }
}
