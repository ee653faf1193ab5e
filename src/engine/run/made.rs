//! How much a run makes without a wait: variables, payloads, lines of the log. All of it waits in memory until it is sent.

use jiff::Timestamp;

/// Counts what a run makes at one instant: without a wait time stands still.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    bytes: usize,
    at: Timestamp,
}

impl Made {
    /// Counts `bytes` more, made at `now`.
    pub(crate) fn add(&mut self, bytes: usize, now: Timestamp) {
        if self.at != now {
            *self = Made { bytes: 0, at: now };
        }
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Returns how many bytes were made at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> usize {
        if self.at == now { self.bytes } else { 0 }
    }
}
