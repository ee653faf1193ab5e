//! What the broker tells when a message becomes a topic's retained one.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::PATIENCE;
use super::pending::{Batch, Pending};
use super::retained::Retained;

/// Takes the broker's retained messages.
#[derive(Clone)]
pub(in crate::daemon) struct RetainedKeeper(pub(super) Arc<Pending>);

impl RetainedKeeper {
    /// Notes a retained message; an empty one is none any more.
    pub(in crate::daemon) fn keep(&self, retained: &Retained) {
        self.0.add(RetainedKeeper::batch(retained));
    }

    /// Notes a retained message, and returns when it is written.
    pub(in crate::daemon) async fn keep_and_wait(&self, retained: &Retained) {
        let (sender, done) = oneshot::channel();
        self.0.add(Batch { waiting: vec![sender], ..RetainedKeeper::batch(retained) });
        // A disk that doesn't answer is said by the loop.
        let _ = timeout(PATIENCE, done).await;
    }

    fn batch(retained: &Retained) -> Batch {
        let value = (!retained.payload.is_empty()).then(|| retained.to_row());
        Batch { changes: [(Retained::key(&retained.topic), value)].into(), ..Batch::default() }
    }
}
