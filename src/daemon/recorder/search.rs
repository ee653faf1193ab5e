//! Searches in what was recorded, beside the loop and one at a time.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::disk::recorded::Past;

use super::PATIENCE;

/// A search that may begin once what was noted so far is written.
pub(in crate::daemon) struct Search {
    folder: PathBuf,
    turn: Arc<Semaphore>,
    flushed: Option<oneshot::Receiver<()>>,
}

impl Search {
    pub(super) fn new(folder: PathBuf, turn: Arc<Semaphore>, flushed: Option<oneshot::Receiver<()>>) -> Search {
        Search { folder, turn, flushed }
    }

    /// Does `work` beside the loop; `None` where it panicked.
    pub(in crate::daemon) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Past) -> T + Send + 'static,
    ) -> Option<T> {
        if let Some(flushed) = self.flushed {
            // A disk that doesn't answer has what it has.
            let _ = timeout(PATIENCE, flushed).await;
        }
        // It is never closed.
        let turn = self.turn.acquire_owned().await;
        let search = move || {
            let _turn = turn;
            work(&Past::open(&self.folder))
        };
        tokio::task::spawn_blocking(search).await.ok()
    }
}
