//! Opens recordings: plain, gzip or zstd, known by their first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

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
