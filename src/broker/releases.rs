//! What is held back until something is on the disk, in the order in which it leaves.

use std::collections::VecDeque;

use super::connection::Conn;
use super::packet::Packet;

/// How far the broker has come. What is held back up to one leaves once all that was told to be kept up to it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Receipt(u64);

impl Receipt {
    /// Returns the receipt with this number: of a link to another broker, which counts like ours.
    #[must_use]
    pub fn new(number: u64) -> Receipt {
        Receipt(number)
    }

    /// Returns its number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// All that is held back.
#[derive(Debug, Default)]
pub(super) struct Releases {
    held: VecDeque<(Receipt, Conn, Held)>,
    latest: Receipt,
}

/// Something that is held back.
#[derive(Debug)]
pub(super) enum Held {
    /// The answer to something that the client sent.
    Answer(Packet),
    /// Another packet.
    Packet(Packet),
    /// What is behind the connection's next barrier.
    Barrier,
}

impl Releases {
    /// Holds something back.
    pub(super) fn hold(&mut self, conn: Conn, held: Held) {
        self.latest.0 += 1;
        self.held.push_back((self.latest, conn, held));
    }

    /// Returns how far the broker has come.
    pub(super) fn latest(&self) -> Receipt {
        self.latest
    }

    /// Returns whether anything is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Returns the next that leaves.
    pub(super) fn take(&mut self, receipt: Receipt) -> Option<(Conn, Held)> {
        let (_, conn, held) = self.held.pop_front_if(|(held, _, _)| *held <= receipt)?;
        Some((conn, held))
    }
}
