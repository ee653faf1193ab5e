//! The bytes that came from a peer, until they are packets.

use crate::broker::codec::{DecodeError, Decoder};
use crate::broker::limits::BUFFER_KEPT;
use crate::broker::packet::{Packet, Version};

/// Bytes that came.
#[derive(Debug)]
pub(in crate::broker) struct Input {
    decoder: Decoder,
    /// What the decoder hasn't seen.
    bytes: Vec<u8>,
    /// So many of them it has.
    start: usize,
}

impl Input {
    /// Returns the input of a new connection, on which packets have at most `largest` bytes.
    pub(in crate::broker) fn new(largest: usize) -> Input {
        Input { decoder: Decoder::new(largest), bytes: Vec::new(), start: 0 }
    }

    /// Adds what came.
    pub(in crate::broker) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the next packet; `None`: none is whole.
    ///
    /// # Errors
    /// When the bytes aren't what a client may send.
    pub(in crate::broker) fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut rest = self.bytes.get(self.start..).unwrap_or_default();
        let packet = self.decoder.decode(&mut rest);
        self.start = self.bytes.len() - rest.len();
        if self.start == self.bytes.len() {
            self.clear_seen();
        }
        packet
    }

    /// Returns the version that the client speaks, once it has said so.
    pub(in crate::broker) fn version(&self) -> Option<Version> {
        self.decoder.version()
    }

    /// Returns how many bytes weren't looked at.
    pub(in crate::broker) fn unseen(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Returns how many bytes wait, those of a packet that isn't whole among them.
    pub(in crate::broker) fn len(&self) -> usize {
        self.unseen() + self.decoder.buffered()
    }

    /// Forgets all.
    pub(in crate::broker) fn clear(&mut self) {
        self.decoder = Decoder::new(0);
        self.clear_seen();
    }

    fn clear_seen(&mut self) {
        self.start = 0;
        self.bytes.clear();
        if self.bytes.capacity() > BUFFER_KEPT {
            self.bytes = Vec::new();
        }
    }
}
