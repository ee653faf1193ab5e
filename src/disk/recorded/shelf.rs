//! The files of the recorder: a name tells when the file begins, a finished file is packed, the oldest go first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// How the files are named, by their begin in UTC.
const NAME: &str = "%Y-%m-%dT%H%M%SZ";

const PLAIN: &str = ".jsonl";
const PACKED: &str = ".jsonl.gz";

/// A file that is being packed.
const UNFINISHED: &str = ".jsonl.gz.part";

/// How hard a finished file is packed: of what homes say, half the work of the usual level makes it a quarter larger.
const PACKING: Compression = Compression::new(3);

/// How many names after the first one are tried.
const TRIES: i64 = 100;

/// A file of the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// When its first message came, at the earliest; where the clock was set back, about then.
    pub begin: Timestamp,
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub size: u64,
    /// Whether it is finished and packed.
    pub is_packed: bool,
}

/// Returns the files of the recorder in `folder`, in the order of their times.
///
/// # Errors
/// When the folder can't be read; that it isn't there is none.
pub fn recorded_files(folder: &Path) -> io::Result<Vec<RecordedFile>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some((begin, ending)) = begin_of(&path) else { continue };
        let size = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            // It became too old just now, or is none of ours.
            _ => continue,
        };
        if ending != UNFINISHED {
            files.push(RecordedFile { begin, path, size, is_packed: ending == PACKED });
        }
    }
    // Packing makes the packed file before it takes the plain one away: the packed one is whole, and counts.
    files.sort_by_key(|file| (file.begin, !file.is_packed));
    files.dedup_by_key(|file| file.begin);
    Ok(files)
}

/// Removes what a packing left that was broken off.
pub(crate) fn tidy(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_left = match begin_of(&path) {
            Some((_, UNFINISHED)) => true,
            Some((_, PLAIN)) => packed_name(&path).exists(),
            _ => false,
        };
        if is_left {
            // It costs room, and nothing else.
            let _ = fs::remove_file(path);
        }
    }
}

fn begin_of(path: &Path) -> Option<(Timestamp, &'static str)> {
    let name = path.file_name()?.to_str()?;
    let ending = [UNFINISHED, PACKED, PLAIN].into_iter().find(|ending| name.ends_with(ending))?;
    let begin = DateTime::strptime(NAME, name.strip_suffix(ending)?).ok()?;
    Some((Offset::UTC.to_timestamp(begin).ok()?, ending))
}

/// Makes a file that begins at `at`.
///
/// # Errors
/// When that can't be.
pub(crate) fn create(folder: &Path, at: Timestamp) -> io::Result<(File, RecordedFile)> {
    fs::create_dir_all(folder)?;
    for later in 0..TRIES {
        let begin = Timestamp::from_second(at.as_second().saturating_add(later)).unwrap_or(at);
        let path = folder.join(format!("{}{PLAIN}", begin.strftime(NAME)));
        if packed_name(&path).exists() {
            continue;
        }
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, RecordedFile { begin, path, size: 0, is_packed: false })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// Opens a file to go on with it; a line that was broken off is cut off.
///
/// # Errors
/// When that can't be.
pub(crate) fn go_on(mut recorded: RecordedFile) -> io::Result<(File, RecordedFile)> {
    let mut file = OpenOptions::new().read(true).append(true).open(&recorded.path)?;
    recorded.size = end_of_last_line(&mut file)?;
    file.set_len(recorded.size)?;
    Ok((file, recorded))
}

/// Returns how long a file is up to the end of its last whole line.
fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut buffer = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        file.seek(SeekFrom::Start(start))?;
        let length = usize::try_from(end - start).unwrap_or(buffer.len());
        let Some(piece) = buffer.get_mut(..length) else { break };
        file.read_exact(piece)?;
        if let Some(index) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + index as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Packs a finished file, and takes the plain one away once the packed one is on the disk.
///
/// # Errors
/// When that can't be; then the plain one stays.
pub(crate) fn pack(path: &Path) -> io::Result<()> {
    let packed = packed_name(path);
    let unfinished = packed.with_extension("gz.part");
    let result = pack_into(path, &unfinished).and_then(|()| fs::rename(&unfinished, &packed));
    if result.is_err() {
        // It may never have been there.
        let _ = fs::remove_file(&unfinished);
        return result;
    }
    fs::remove_file(path)
}

fn pack_into(path: &Path, packed: &Path) -> io::Result<()> {
    let mut plain = BufReader::new(File::open(path)?);
    let mut encoder = GzEncoder::new(BufWriter::new(File::create(packed)?), PACKING);
    io::copy(&mut plain, &mut encoder)?;
    let file = encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// How much room there is on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    pub(crate) all: u64,
}

/// Returns how much room there is on the disk of `folder`; `None` where the system doesn't say.
pub(crate) fn room(folder: &Path) -> Option<Room> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(Room { free: disk.f_bavail.saturating_mul(disk.f_frsize), all: disk.f_blocks.saturating_mul(disk.f_frsize) })
}

fn packed_name(path: &Path) -> PathBuf {
    path.with_extension("jsonl.gz")
}

/// Returns the files that hold nothing within `keep` before `now`: each ends where the next one begins, and none goes on
/// for longer than `span`.
pub(crate) fn too_old(
    files: &[RecordedFile],
    now: Timestamp,
    keep: SignedDuration,
    span: SignedDuration,
) -> Vec<&RecordedFile> {
    let Ok(first_kept) = now.checked_sub(keep) else { return Vec::new() };
    let next = files.iter().skip(1).map(|next| Some(next.begin)).chain([None]);
    let ends = files.iter().zip(next).map(|(file, next)| {
        let longest = file.begin.checked_add(span).unwrap_or(Timestamp::MAX);
        (file, next.map_or(longest, |next| next.min(longest)))
    });
    ends.filter(|(_, end)| *end <= first_kept).map(|(file, _)| file).collect()
}
