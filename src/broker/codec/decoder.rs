//! Takes a client's bytes as they come, and returns its packets.

use bytes::Bytes;

use crate::broker::packet::{Packet, Version};

use super::decode::{Body, packet};
use super::error::DecodeError;
use super::frame::Frame;

/// The largest first packet in bytes: a peer that hasn't been let in gets no more memory.
pub const LARGEST_FIRST: usize = 64 * 1024;

/// Memory for a packet grows from this with the bytes that come, whatever length it claims.
const FIRST_ROOM: usize = 8 * 1024;

/// Takes one client's bytes, cut anywhere, and returns its packets.
///
/// A packet that is whole in what is given is read where it is. Of one that isn't, the bytes are kept until the rest comes, and its
/// payload then shares them.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// What the client said that it speaks; `None` before its CONNECT.
    version: Option<Version>,
    /// The largest packet in bytes.
    largest: usize,
    /// The beginning of a packet.
    partial: Vec<u8>,
}

impl Decoder {
    /// Returns the decoder of a new connection, on which packets have at most `largest` bytes.
    #[must_use]
    pub fn new(largest: usize) -> Decoder {
        Decoder { version: None, largest, partial: Vec::new() }
    }

    /// Returns the version that the client speaks, as soon as it has said so: also if the rest of its CONNECT is wrong.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Returns how many bytes of memory it holds for a packet that isn't whole.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.partial.capacity()
    }

    /// Takes bytes from `input`, and returns the packet that they complete; `None`: all of `input` is taken, and more must come.
    ///
    /// # Errors
    /// When they aren't what the client may send. The connection is to be closed then.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Packet>, DecodeError> {
        if self.partial.is_empty() {
            let Some(frame) = self.frame(input)? else { return Ok(self.keep(input, input.len())) };
            let length = frame.length();
            return match input.split_at_checked(length) {
                Some((whole, rest)) => {
                    *input = rest;
                    packet(&frame, Body::borrowed(whole, frame.header), &mut self.version).map(Some)
                }
                None => Ok(self.keep(input, length)),
            };
        }
        while !input.is_empty() {
            // The header is at most five bytes: they are looked at one by one.
            let Some(frame) = self.frame(&self.partial)? else {
                self.keep_some(input, self.partial.len() + 1, 1);
                continue;
            };
            let length = frame.length();
            self.keep_some(input, length, length - self.partial.len());
            if self.partial.len() == length {
                return self.complete(&frame).map(Some);
            }
        }
        // A packet that is nothing but its header.
        match self.frame(&self.partial)? {
            Some(frame) if frame.length() == self.partial.len() => self.complete(&frame).map(Some),
            _ => Ok(None),
        }
    }

    fn complete(&mut self, frame: &Frame) -> Result<Packet, DecodeError> {
        let whole = Bytes::from(std::mem::take(&mut self.partial));
        packet(frame, Body::owned(&whole, frame.header), &mut self.version)
    }

    fn frame(&self, bytes: &[u8]) -> Result<Option<Frame>, DecodeError> {
        let largest = if self.version.is_some() { self.largest } else { self.largest.min(LARGEST_FIRST) };
        Frame::read(bytes, self.version, largest)
    }

    /// Keeps all of `input`, the beginning of a packet of `length` bytes.
    fn keep<T>(&mut self, input: &mut &[u8], length: usize) -> Option<T> {
        self.keep_some(input, length, input.len());
        None
    }

    /// Keeps at most `most` bytes of `input` for a packet of `length` bytes.
    fn keep_some(&mut self, input: &mut &[u8], length: usize, most: usize) {
        let (kept, rest) = input.split_at(most.min(input.len()));
        let wanted = self.partial.len() + kept.len();
        if wanted > self.partial.capacity() {
            // No more than twice what has come, and no more than the packet needs.
            let room = length.min((wanted * 2).max(FIRST_ROOM)).max(wanted);
            self.partial.reserve_exact(room - self.partial.len());
        }
        self.partial.extend_from_slice(kept);
        *input = rest;
    }
}
