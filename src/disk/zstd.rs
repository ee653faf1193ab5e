//! Zstandard as files have it: any number of frames, one behind the other, as `cat a.zst b.zst` or `zstd >> all.zst` make them.

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// What is packed, unpacked as it is read.
pub(crate) struct Zstd<R> {
    packed: R,
    /// The frame that is being read.
    frame: Option<Box<FrameDecoder>>,
}

impl<R: BufRead> Zstd<R> {
    /// Returns a reader of what `packed` holds.
    pub(crate) fn new(packed: R) -> Zstd<R> {
        Zstd { packed, frame: None }
    }

    /// Begins the next frame, or skips what is there for other programs; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        if self.packed.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut frame = FrameDecoder::new();
        match frame.init(&mut self.packed) {
            Ok(()) => self.frame = Some(Box::new(frame)),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                io::copy(&mut (&mut self.packed).take(length.into()), &mut io::sink())?;
            }
            Err(error) => return Err(self.failure(&error)),
        }
        Ok(true)
    }

    /// Returns what went wrong: where nothing more comes, the rest is missing.
    fn failure(&mut self, error: &dyn Error) -> io::Error {
        match self.packed.fill_buf() {
            Ok([]) => ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::new(ErrorKind::InvalidData, error.to_string()),
            Err(error) => error,
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.frame else {
                if self.begin()? {
                    continue;
                }
                return Ok(0);
            };
            if frame.can_collect() > 0 {
                return frame.read(buffer);
            }
            if frame.is_finished() {
                check(frame)?;
                self.frame = None;
            } else if let Err(error) = frame.decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1)) {
                return Err(self.failure(&error));
            }
        }
    }
}

/// Checks that a frame held what was packed.
fn check(frame: &FrameDecoder) -> io::Result<()> {
    match (frame.get_checksum_from_data(), frame.get_calculated_checksum()) {
        (Some(told), Some(actual)) if told != actual => {
            Err(io::Error::new(ErrorKind::InvalidData, "the checksum is another one"))
        }
        _ => Ok(()),
    }
}
