//! Opens recordings: plain, gzip or zstd, known by their first bytes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use ruzstd::decoding::StreamingDecoder;

use crate::lang::Settings;
use crate::model::recording::RecordingReader;

/// The text of a recording, unpacked as it is read.
pub type Text = Box<dyn BufRead + Send>;

/// Enough for the first rows of a file, by which its format is known.
const BUFFER: usize = 64 << 10;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Opens the recording at `path`; `-` is standard input.
///
/// # Errors
/// When it can't be opened, or doesn't begin as what it seems to be.
pub fn open(path: &Path) -> io::Result<Text> {
    if path == Path::new("-") {
        return unpack(BufReader::with_capacity(BUFFER, io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    unpack(BufReader::with_capacity(BUFFER, file))
}

/// Returns a reader of the recording at `path`.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<RecordingReader<Text>> {
    open(path).map(RecordingReader::new)
}

/// Returns the folder in which the daemon of the home at `home` records.
#[must_use]
pub fn folder(home: &Path, settings: &Settings) -> PathBuf {
    home.join(&settings.data).join("recordings")
}

/// Returns what was recorded in `folder` since `since`, and maybe a little before; `None` where there is nothing.
///
/// # Errors
/// When the folder can't be read.
pub fn since(folder: &Path, since: Timestamp) -> io::Result<Option<Text>> {
    let files = recorded_files(folder)?;
    // A file ends where the next one begins.
    let first = files.iter().skip(1).take_while(|file| file.begin <= since).count();
    let files: VecDeque<PathBuf> = files.into_iter().skip(first).map(|file| file.path).collect();
    if files.is_empty() {
        return Ok(None);
    }
    Ok(Some(Box::new(BufReader::with_capacity(BUFFER, Chain { files, current: None, ends_line: true }))))
}

/// A file of the daemon's recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// When its first message came, at the earliest.
    pub begin: Timestamp,
    /// Where it is.
    pub path: PathBuf,
}

/// How the files of the recorder are named.
pub(super) const NAME: &str = "%Y-%m-%dT%H%M%SZ";

/// Returns the files of the daemon's recorder in `folder`, in the order of their times.
///
/// # Errors
/// When the folder can't be read; that it isn't there is none.
pub fn recorded_files(folder: &Path) -> io::Result<Vec<RecordedFile>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = name.strip_suffix(".jsonl").or_else(|| name.strip_suffix(".jsonl.gz"));
        let begin = stem.and_then(|stem| DateTime::strptime(NAME, stem).ok());
        let begin = begin.and_then(|begin| Offset::UTC.to_timestamp(begin).ok());
        files.extend(begin.map(|begin| RecordedFile { begin, path }));
    }
    // Packing makes the packed file before it takes the plain one away: the packed one counts.
    files.sort_by(|a, b| a.begin.cmp(&b.begin).then_with(|| b.path.cmp(&a.path)));
    files.dedup_by_key(|file| file.begin);
    Ok(files)
}

/// Files one after the other. One that a power cut ended within a line ends that line.
struct Chain {
    files: VecDeque<PathBuf>,
    current: Option<Text>,
    ends_line: bool,
}

impl Read for Chain {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(path) = self.files.pop_front() else { return Ok(0) };
                self.current = match open(&path) {
                    Ok(text) => Some(text),
                    // It was packed, or became too old, just now.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        open(&path.with_extension("jsonl.gz")).ok()
                    }
                    Err(error) => return Err(error),
                };
                continue;
            };
            let read = match current.read(buffer) {
                Ok(read) => read,
                // A packed file that a power cut ended gives what it has.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(error),
            };
            if let Some(last) = read.checked_sub(1).and_then(|last| buffer.get(last)) {
                self.ends_line = *last == b'\n';
                return Ok(read);
            }
            self.current = None;
            if !self.ends_line
                && let Some(first) = buffer.first_mut()
            {
                *first = b'\n';
                self.ends_line = true;
                return Ok(1);
            }
        }
    }
}

fn unpack(mut packed: impl BufRead + Send + 'static) -> io::Result<Text> {
    let beginning = packed.fill_buf()?;
    let (is_gzip, is_zstd) = (beginning.starts_with(&GZIP), beginning.starts_with(&ZSTD));
    let text: Box<dyn Read + Send> = if is_gzip {
        Box::new(MultiGzDecoder::new(packed))
    } else if is_zstd {
        Box::new(StreamingDecoder::new(packed).map_err(io::Error::other)?)
    } else {
        return Ok(Box::new(packed));
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, text)))
}
