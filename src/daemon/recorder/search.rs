//! Searches in what was recorded, beside the loop and one at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

    /// Does `work` beside the loop; `None` where it panicked. It ends early once nobody waits for it.
    pub(in crate::daemon) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Past) -> T + Send + 'static,
    ) -> Option<T> {
        self.run_in(|folder, is_given_up| work(&Past::open(folder).given_up_by(Arc::clone(is_given_up)))).await
    }

    /// Does `work` with the folder of what was recorded, beside the loop; `None` where it panicked. The flag is set once
    /// nobody waits for it.
    pub(in crate::daemon) async fn run_in<T: Send + 'static>(
        self,
        work: impl FnOnce(&Path, &Arc<AtomicBool>) -> T + Send + 'static,
    ) -> Option<T> {
        if let Some(flushed) = self.flushed {
            // A disk that doesn't answer has what it has.
            let _ = timeout(PATIENCE, flushed).await;
        }
        // It is never closed.
        let turn = self.turn.acquire_owned().await;
        let waits = Waits(Arc::default());
        let is_given_up = Arc::clone(&waits.0);
        let search = move || {
            let _turn = turn;
            work(&self.folder, &is_given_up)
        };
        tokio::task::spawn_blocking(search).await.ok()
    }
}

/// Somebody waits for what is found, until it's dropped.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_search_is_given_up_once_nobody_waits_for_it() {
        let search = Search::new(PathBuf::from("nowhere"), Arc::new(Semaphore::new(1)), None);
        let ((begin, begun), (end, ended)) = (oneshot::channel(), oneshot::channel());
        let search = tokio::spawn(search.run_in(move |_, is_given_up| {
            begin.send(()).unwrap();
            while !is_given_up.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            end.send(()).unwrap();
        }));
        begun.await.unwrap();
        search.abort();
        timeout(Duration::from_secs(10), ended).await.unwrap().unwrap();
    }
}
