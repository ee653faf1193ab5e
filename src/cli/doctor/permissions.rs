//! Who may read and write what: the daemon its data, and nobody else what is secret.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use super::finding::Finding;
use super::patient::Patient;
use crate::disk::home_files;
use crate::lang::{BrokerSettings, Home, Secret};

/// Others than the owner and the group.
const OTHERS: u32 = 0o007;

pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let mut found = vec![data(patient)];
    let open: Vec<Finding> = secrets(patient).iter().filter_map(|path| openness(path)).collect();
    if open.is_empty() {
        found.push(Finding::ok("no file with passwords or keys is open to other users"));
    }
    found.extend(open);
    found
}

/// Whether the data can be written, by whoever asks or by whom it belongs to.
fn data(patient: &Patient) -> Finding {
    let folder = patient.disk();
    let shown = folder.display();
    let user = geteuid().as_raw();
    let owner = fs::metadata(folder).map(|metadata| metadata.uid());
    if owner.is_ok_and(|owner| owner != user) && patient.data.is_dir() {
        return Finding::ok(format!("`{shown}` belongs to another user, as when homerule runs as a service"));
    }
    match access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(format!("`{shown}` can be written")),
        Err(_) => Finding::error(
            format!("`{shown}` can't be written, so a restart would lose what rules wait for"),
            "give it to the user that homerule runs as, with `chown`, or set another folder with `data:` in homerule.yaml",
        ),
    }
}

/// Returns the files of the home that only the daemon should read.
fn secrets(patient: &Patient) -> Vec<PathBuf> {
    let settings = &patient.settings;
    let mut files: Vec<String> = settings.web.token_file.iter().cloned().collect();
    files.extend(settings.web.tls.iter().map(|tls| tls.key.clone()));
    match &settings.broker {
        BrokerSettings::Embedded(broker) => {
            files.extend(broker.users.iter().cloned());
            files.extend(broker.listen.iter().filter_map(|listener| listener.tls.as_ref()).map(|tls| tls.key.clone()));
        }
        BrokerSettings::External(broker) => {
            files.extend(broker.password_file.iter().cloned());
            files.extend(broker.certificate.iter().map(|certificate| certificate.key.clone()));
        }
    }
    if let Ok(sources) = home_files::read_home(&patient.home) {
        files.extend(Home::secrets(&sources).into_iter().filter_map(|secret| match secret {
            Secret::File(path) => Some(path.to_string()),
            Secret::Environment(_) => None,
        }));
    }
    files.sort();
    files.dedup();
    files.into_iter().map(|file| patient.home.join(file)).collect()
}

fn openness(path: &Path) -> Option<Finding> {
    let mode = fs::metadata(path).ok()?.mode();
    (mode & OTHERS != 0).then(|| {
        let shown = path.display();
        Finding::warning(format!("all users of this machine can read `{shown}`"), format!("`chmod 600 {shown}`"))
    })
}
