//! Counts the operations of an evaluation, and ends it at the limit or when it is told to.
//!
//! Rhai counts too, but begins anew in each closure that a function calls: a list in a list in a list is never stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rhai::Dynamic;

/// The operations of the evaluation that runs.
#[derive(Debug)]
pub(super) struct Meter {
    limit: u64,
    operations: AtomicU64,
    interrupter: Interrupter,
}

/// Ends an evaluation from outside, where it takes too long: for a watchdog on another thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupter(Arc<Evaluations>);

#[derive(Debug, Default)]
struct Evaluations {
    /// The last one that began: they count up.
    last: AtomicU64,
    /// The one that runs; 0: none.
    running: AtomicU64,
    /// The one that must end; 0: none.
    ended: AtomicU64,
}

impl Interrupter {
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
pub(super) enum Ended {
    /// The operations reached their limit.
    TooManyOperations,
    /// It was told to from outside: the time is over.
    Interrupted,
}

impl Meter {
    /// Returns a meter that allows so many operations.
    pub(super) fn new(limit: u64) -> Meter {
        Meter { limit, operations: AtomicU64::new(0), interrupter: Interrupter::default() }
    }

    /// Returns what ends evaluations from outside.
    pub(super) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// An evaluation begins, and is counted anew.
    pub(super) fn begin(&self) {
        self.operations.store(0, Ordering::Relaxed);
        let evaluations = &self.interrupter.0;
        let number = evaluations.last.load(Ordering::Relaxed) + 1;
        evaluations.last.store(number, Ordering::Relaxed);
        evaluations.running.store(number, Ordering::Relaxed);
    }

    /// The evaluation has ended.
    pub(super) fn end(&self) {
        self.interrupter.0.running.store(0, Ordering::Relaxed);
    }

    /// Counts an operation, and returns why the evaluation must end, if it must.
    pub(super) fn count(&self) -> Option<Dynamic> {
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
