//! Replaces a file of the home in one step.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Replaces the file at `path`, whose text is `old`, in one step: whoever reads it sees the old text or the new one.
///
/// # Errors
/// When it can't be written, or its text isn't `old` any more.
pub fn replace_file(path: &Path, old: &str, new: &str) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = fs::File::create_new(&fresh)?;
        file.write_all(new.as_bytes())?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        if fs::read(&path)? != old.as_bytes() {
            return Err(io::Error::other("it was changed meanwhile; run this again"));
        }
        fs::rename(&fresh, &path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_permissions_and_only_if_nobody_changed_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("a.yaml", folder.path().join("link.yaml")).unwrap();

        replace_file(&folder.path().join("link.yaml"), "old", "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(folder.path().join("link.yaml")).unwrap().is_symlink());

        let error = replace_file(&path, "old", "newer").unwrap_err();
        assert_eq!(error.to_string(), "it was changed meanwhile; run this again");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
