//! The folder of the demo's home, which goes with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::disk;

/// A folder that is removed when this is dropped.
pub(super) struct DemoFolder(PathBuf);

impl DemoFolder {
    /// Creates it where temporary files go, for us alone.
    pub(super) fn create() -> Result<DemoFolder, Failure> {
        let path = std::env::temp_dir().join(format!("homerule-demo-{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            Failure::new(format!("`{}` can't be created: {}", path.display(), disk::reason(&error)))
        })?;
        Ok(DemoFolder(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // Where it can't be removed, the system tidies up its temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
