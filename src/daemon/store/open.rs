//! Opens the store: claims the folder, finds what was kept, and starts the writer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use thiserror::Error;
use tokio::sync::watch;
use tracing::error;

use super::Store;
use super::folder::{Claim, Folder};
use super::health::Health;
use super::kept::Kept;
use super::pending::Pending;
use super::recovery::{Found, find, find_without_writing};
use super::writer::Writer;

/// An open store, and what was in it.
pub(in crate::daemon) struct Opened {
    /// The store.
    pub(in crate::daemon) store: Store,
    /// What was kept.
    pub(in crate::daemon) kept: Kept,
}

/// Why the daemon must not start on this data.
#[derive(Debug, Error)]
pub(in crate::daemon) enum StoreError {
    /// Two daemons on one folder would each write over what the other keeps.
    #[error(
        "another `homerule run` uses the data in `{0}`; stop it, or set another folder with `data:` in homerule.yaml"
    )]
    Taken(PathBuf),
    /// It was written by a later version.
    #[error("the database `{0}` can't be used: {1}; run that version, or move the file away to start over")]
    Newer(PathBuf, String),
    /// The system says no to the simplest things.
    #[error("the writer of the data can't start: {0}")]
    NoThread(std::io::Error),
}

/// Opens the store in the folder `path`. Where nothing can be read or written there, the store says so and goes on in
/// memory.
///
/// # Errors
/// Where another daemon has the folder, or a newer version wrote it.
pub(in crate::daemon) fn open(path: PathBuf) -> Result<Opened, StoreError> {
    let mut folder = Folder::new(path);
    let found = match folder.claim() {
        Ok(Claim::Taken) => return Err(StoreError::Taken(folder.path().to_owned())),
        Ok(Claim::Ours) => find(&folder).map_err(|error| StoreError::Newer(folder.database(), error.to_string()))?,
        Err(error) => find_without_writing(&folder, error.to_string()),
    };
    let Found { database, rows, mut losses, trouble } = found;
    let kept = Kept::from_rows(rows);
    for key in &kept.unreadable {
        losses.push(format!("`{key}` can't be read and is left out."));
    }
    for loss in &losses {
        error!("{loss}");
    }
    let health = match trouble {
        None => Health::Well,
        Some(reason) => {
            let said = format!("nothing can be kept in `{}`: {reason}", folder.path().display());
            error!("The home goes on, but {said}. A restart would lose what changes. It is tried again each second.");
            Health::Failing(said)
        }
    };
    let health = watch::Sender::new(health);
    let pending = Arc::new(Pending::default());
    let wants_all = Arc::new(AtomicBool::new(false));
    let writer = Writer::new(folder, database, Arc::clone(&pending), health.clone(), Arc::clone(&wants_all));
    let thread = std::thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || writer.run())
        .map_err(StoreError::NoThread)?;
    let store = Store::new(pending, health, wants_all, losses, thread, &kept);
    Ok(Opened { store, kept })
}
