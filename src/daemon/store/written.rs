//! A commit that is on its way to the disk.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// A commit that is on its way.
pub(in crate::daemon) struct Written {
    done: oneshot::Receiver<()>,
    until: Instant,
}

impl Written {
    pub(super) fn after(done: oneshot::Receiver<()>, patience: Duration) -> Written {
        Written { done, until: Instant::now() + patience }
    }

    /// Returns whether it is written; false: it takes too long. Cancel safe.
    pub(in crate::daemon) async fn wait(&mut self) -> bool {
        // A writer that has ended answers nobody any more.
        timeout_at(self.until, &mut self.done).await.is_ok()
    }

    /// Returns what still tells when it is written.
    pub(in crate::daemon) fn into_inner(self) -> oneshot::Receiver<()> {
        self.done
    }
}
