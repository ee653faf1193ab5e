//! Opens recordings: plain, gzip or zstd, known by their first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::zstd::Zstd;
use crate::model::recording::RecordingReader;

/// The text of a recording, unpacked as it is read.
pub type Text = Box<dyn BufRead + Send>;

/// Enough for the first rows of a file, by which its format is known.
const BUFFER: usize = 64 << 10;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What `pzstd` begins with, after a first byte of 0x50 to 0x5f.
const SKIPPED: [u8; 3] = [0x2a, 0x4d, 0x18];

/// Opens the recording at `path`; `-` is standard input.
///
/// # Errors
/// When it can't be opened, or doesn't begin as what it seems to be.
pub fn open(path: &Path) -> io::Result<Text> {
    open_counted(path, &Position::default())
}

fn open_counted(path: &Path, read: &Position) -> io::Result<Text> {
    if path == Path::new("-") {
        return unpack(BufReader::with_capacity(BUFFER, io::stdin()));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    unpack(BufReader::with_capacity(BUFFER, Counted { file, read: Arc::clone(read) }))
}

/// Returns how large the recording at `path` is as it lies on the disk; `None` where that isn't known beforehand.
#[must_use]
pub fn size(path: &Path) -> Option<u64> {
    let metadata = std::fs::metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

/// How much of a recording was read, as it lies on the disk.
pub type Position = Arc<AtomicU64>;

/// Returns a reader of the recording at `path`, and how far it is.
///
/// # Errors
/// As [`open`].
pub fn read_with_position(path: &Path) -> io::Result<(RecordingReader<Text>, Position)> {
    let position = Position::default();
    let text = open_counted(path, &position)?;
    Ok((RecordingReader::new(text), position))
}

/// A file that counts what is read of it.
struct Counted {
    file: File,
    read: Position,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Returns a reader of the recording at `path`.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<RecordingReader<Text>> {
    open(path).map(RecordingReader::new)
}

fn unpack(mut packed: impl BufRead + Send + 'static) -> io::Result<Text> {
    let beginning = packed.fill_buf()?;
    let is_skipped = matches!(beginning, [0x50..=0x5f, rest @ ..] if rest.starts_with(&SKIPPED));
    let (is_gzip, is_zstd) = (beginning.starts_with(&GZIP), beginning.starts_with(&ZSTD) || is_skipped);
    let text: Box<dyn Read + Send> = if is_gzip {
        Box::new(MultiGzDecoder::new(packed))
    } else if is_zstd {
        Box::new(Zstd::new(packed))
    } else {
        return Ok(Box::new(packed));
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, Unpacked(text))))
}

/// What was packed, and in words what is wrong with it: the libraries have their own, each.
struct Unpacked(Box<dyn Read + Send>);

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "it is packed, and ends in the middle"),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                io::Error::new(error.kind(), format!("it is packed, and damaged: {error}"))
            }
            _ => error,
        })
    }
}
