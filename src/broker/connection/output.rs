//! The bytes that wait to be written to a peer.
//!
//! Some may leave only once something is on the disk: a message with `QoS` 2 that we forget to have sent would be sent
//! twice. A barrier holds back what is behind it.

use std::collections::VecDeque;

use crate::broker::limits::BUFFER_KEPT;

/// Bytes that wait.
#[derive(Debug, Default)]
pub(in crate::broker) struct Output {
    bytes: Vec<u8>,
    /// So many of them were written.
    start: usize,
    /// Where barriers are, counted from the first byte of `bytes`.
    barriers: VecDeque<usize>,
}

impl Output {
    /// Returns where packets are appended.
    pub(in crate::broker) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Returns how many bytes wait.
    pub(in crate::broker) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Returns what may be written.
    pub(in crate::broker) fn ready(&self) -> &[u8] {
        let end = self.barriers.front().copied().unwrap_or(self.bytes.len());
        self.bytes.get(self.start..end).unwrap_or_default()
    }

    /// Notes that so many bytes were written.
    pub(in crate::broker) fn wrote(&mut self, written: usize) {
        self.start += written;
        if self.start >= self.bytes.len() && self.barriers.is_empty() {
            self.start = 0;
            self.bytes.clear();
            if self.bytes.capacity() > BUFFER_KEPT {
                self.bytes = Vec::new();
            }
        } else if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            for barrier in &mut self.barriers {
                *barrier -= self.start;
            }
            self.start = 0;
        }
    }

    /// Holds back what is appended from now on.
    pub(in crate::broker) fn bar(&mut self) {
        self.barriers.push_back(self.bytes.len());
    }

    /// Takes the first barrier away.
    pub(in crate::broker) fn lift(&mut self) {
        self.barriers.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_barrier_leaves_once_it_is_lifted() {
        let mut output = Output::default();
        output.buffer().extend(b"abc");
        output.bar();
        output.buffer().extend(b"de");
        output.bar();
        output.buffer().extend(b"f");
        assert_eq!(output.ready(), b"abc");
        output.wrote(3);
        assert_eq!(output.ready(), b"");
        output.lift();
        assert_eq!(output.ready(), b"de");
        output.wrote(1);
        output.lift();
        assert_eq!((output.ready(), output.len()), (b"ef".as_slice(), 2));
        output.wrote(2);
        output.buffer().extend(b"g");
        assert_eq!(output.ready(), b"g");
    }
}
