//! Whose the files are that root makes for the daemon, which runs as another user.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

/// Gives what root made at `path` to the owner of the folder that it is in. Anybody else's files stay theirs.
///
/// # Errors
/// When the system says no.
pub fn give_to_owner_of_folder(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let owner = fs::metadata(folder)?;
    chown(path, Some(owner.uid()), Some(owner.gid()))
}
