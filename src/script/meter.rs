//! Counts the operations of an evaluation, and ends it at the limit or when it is told to.
//!
//! Rhai counts too, but begins anew in each closure that a function calls: a list in a list in a list is never stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rhai::Dynamic;

/// The operations of the evaluation that runs.
#[derive(Debug)]
pub(super) struct Meter {
    limit: u64,
    operations: AtomicU64,
    interrupted: Arc<AtomicBool>,
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
        Meter { limit, operations: AtomicU64::new(0), interrupted: Arc::default() }
    }

    /// Returns the flag that ends what runs, as long as it is set.
    pub(super) fn interrupter(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Begins to count anew.
    pub(super) fn reset(&self) {
        self.operations.store(0, Ordering::Relaxed);
    }

    /// Counts an operation, and returns why the evaluation must end, if it must.
    pub(super) fn count(&self) -> Option<Dynamic> {
        // One evaluation runs at a time: a load and a store are enough, and cheaper than an atomic addition.
        let operations = self.operations.load(Ordering::Relaxed) + 1;
        self.operations.store(operations, Ordering::Relaxed);
        if operations > self.limit {
            return Some(Dynamic::from(Ended::TooManyOperations));
        }
        self.interrupted.load(Ordering::Relaxed).then(|| Dynamic::from(Ended::Interrupted))
    }
}
