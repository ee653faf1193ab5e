//! The file of a backup while it is written: a packed tar, which its owner alone can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::cli::Failure;
use crate::disk;

/// Larger files are streamed. They only grow while we read them, since nobody but the recorder writes such files.
const IN_MEMORY: u64 = 16 << 20;

/// A backup that is being written.
pub(super) struct Archive {
    path: PathBuf,
    builder: Builder<GzEncoder<File>>,
    pub(super) files: usize,
}

impl Archive {
    /// Creates the file at `path`, where nothing may be.
    pub(super) fn create(path: &Path) -> Result<Archive, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(format!("`{}` already exists; nothing was written", path.display()))
            }
            _ => unwritten(path, &error),
        })?;
        let builder = Builder::new(GzEncoder::new(file, Compression::default()));
        Ok(Archive { path: path.to_owned(), builder, files: 0 })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a text.
    pub(super) fn add_text(&mut self, name: &str, text: &str, at: u64) -> Result<(), Failure> {
        self.append(name, &header(0o600, at), text.len() as u64, text.as_bytes())
    }

    /// Adds a folder, so that an empty one is there again.
    pub(super) fn add_folder(&mut self, name: &str, metadata: &fs::Metadata) -> Result<(), Failure> {
        let mut header = header(metadata.mode(), u64::try_from(metadata.mtime()).unwrap_or(0));
        header.set_entry_type(EntryType::Directory);
        self.append(name, &header, 0, io::empty())
    }

    /// Adds the file at `path`. Returns false if it isn't there any more.
    ///
    /// # Errors
    /// When it can't be read, or the backup can't be written.
    pub(super) fn add_file(&mut self, name: &str, path: &Path) -> Result<bool, Failure> {
        let unread =
            |error: &io::Error| Failure::new(format!("`{}` can't be read: {}", path.display(), disk::reason(error)));
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(unread(&error)),
        };
        let metadata = file.metadata().map_err(|error| unread(&error))?;
        let header = header(metadata.mode(), u64::try_from(metadata.mtime()).unwrap_or(0));
        if metadata.len() <= IN_MEMORY {
            // As long as it is now: an editor may be saving it.
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|error| unread(&error))?;
            self.append(name, &header, bytes.len() as u64, bytes.as_slice())?;
        } else {
            // What comes meanwhile is left out.
            self.append(name, &header, metadata.len(), file.take(metadata.len()).chain(io::repeat(b'\n')))?;
        }
        self.files += 1;
        Ok(true)
    }

    /// Ends the file, has it on the disk, and returns its size.
    pub(super) fn finish(self) -> Result<u64, Failure> {
        let Archive { path, builder, .. } = self;
        let finished = || -> io::Result<u64> {
            let file = builder.into_inner()?.finish()?;
            file.sync_all()?;
            Ok(file.metadata()?.len())
        };
        finished().map_err(|error| unwritten(&path, &error))
    }

    fn append(&mut self, name: &str, header: &Header, size: u64, content: impl Read) -> Result<(), Failure> {
        let mut header = header.clone();
        header.set_size(size);
        let appended = self.builder.append_data(&mut header, name, content.take(size));
        appended.map_err(|error| unwritten(&self.path, &error))
    }
}

/// Returns the header of a file. Whose it was isn't kept: a backup is restored on other machines, too.
fn header(mode: u32, modified: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode & 0o777);
    header.set_mtime(modified);
    header.set_entry_type(EntryType::Regular);
    header
}

/// Says that the backup can't be written.
fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` can't be written: {}", path.display(), disk::reason(error)))
}

/// A file that goes with us, for a copy of the database: beside the backup, where there is room for it.
pub(super) struct Aside(PathBuf);

impl Aside {
    /// Creates a folder for it that only we can enter.
    pub(super) fn beside(backup: &Path) -> Result<Aside, Failure> {
        let mut name = std::ffi::OsString::from(".");
        name.push(backup.file_name().unwrap_or_default());
        name.push(format!(".{}", std::process::id()));
        let path = backup.with_file_name(name);
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| unwritten(&path, &error))?;
        Ok(Aside(path))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // An empty folder costs nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}
