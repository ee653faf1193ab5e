//! Sequences and taps: what their parts have fired, and when that is the whole (docs/language/sequences.md).

mod hits;
mod performed;
mod taps;
#[cfg(test)]
mod tests;

pub(crate) use hits::{Hits, Whole};
pub(crate) use performed::{fire_due, take};
pub(crate) use taps::Taps;

use serde::{Deserialize, Serialize};

use jiff::SignedDuration;

use crate::engine::instant::Shift;

/// What a sequence remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SequenceState {
    /// What its parts have fired.
    #[serde(default)]
    pub(crate) hits: Hits,
    /// Presses that are counted until their time is over.
    #[serde(default)]
    pub(crate) taps: Taps,
}

impl Shift for SequenceState {
    fn shift(&mut self, by: SignedDuration) {
        self.hits.shift(by);
        self.taps.shift(by);
    }
}
