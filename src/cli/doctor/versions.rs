//! Which version this is, which one runs, and whether it can read the data.

use super::finding::Finding;
use super::patient::Patient;
use crate::daemon::{DATABASE, Database, DatabaseError};

const OURS: &str = env!("CARGO_PKG_VERSION");

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let mut found = vec![match &patient.daemon {
        None => Finding::ok(format!(
            "homerule {OURS} for {} {}; no daemon runs this home",
            std::env::consts::OS,
            std::env::consts::ARCH
        )),
        Some(daemon) if daemon.version == OURS => Finding::ok(format!(
            "homerule {OURS} for {} {}, and the daemon too",
            std::env::consts::OS,
            std::env::consts::ARCH
        )),
        Some(daemon) => Finding::warning(
            format!("this is homerule {OURS}, and the daemon is still {}", daemon.version),
            "restart the daemon",
        ),
    }];
    found.extend(data(patient));
    found
}

fn data(patient: &Patient) -> Option<Finding> {
    let database = patient.data.join(DATABASE);
    if !database.exists() {
        return None;
    }
    let shown = database.display();
    Some(match Database::examine(&database) {
        Ok(_) => Finding::ok(format!("the database `{shown}` is whole, and this version can read it")),
        Err(error @ DatabaseError::Newer(_)) => Finding::error(
            format!("the database `{shown}` can't be used: {error}"),
            "run that version, or restore a backup that this one wrote",
        ),
        Err(DatabaseError::Damaged(reason)) => Finding::error(
            format!("the database `{shown}` is damaged: {reason}"),
            "restart the daemon: it takes what is lost from its own backup, and says what that is",
        ),
        Err(DatabaseError::Unusable(reason)) => Finding::warning(
            format!("the database `{shown}` can't be read: {reason}"),
            "run `homerule doctor` as root or as the daemon's user to check it",
        ),
    })
}
