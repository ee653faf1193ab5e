//! How much an evaluation may use.

use std::time::Duration;

use crate::model::ValueLimits;

/// How deep an expression may be nested.
pub(in crate::script) const DEEPEST_EXPRESSION: usize = 64;

/// How much an evaluation may use (`limits` in docs/settings.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Operations of one evaluation.
    pub operations: u64,
    /// Wall time of one evaluation. Kept by the daemon's watchdog alone, not by this layer.
    pub evaluation: Duration,
    /// Bytes of a text.
    pub text: usize,
    /// Items of a list or map.
    pub items: usize,
    /// Calls within calls.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            operations: 1_000_000,
            evaluation: Duration::from_millis(100),
            text: 1 << 20,
            items: 10_000,
            depth: 32,
        }
    }
}

impl Limits {
    /// How many times the bytes of a text a whole value may have, and what a run makes.
    const TEXTS_OF_A_VALUE: usize = 16;

    /// Returns how large a value may be that a rule makes.
    #[must_use]
    pub fn value(&self) -> ValueLimits {
        ValueLimits { bytes: self.text.saturating_mul(Limits::TEXTS_OF_A_VALUE), items: self.items }
    }

    /// Returns how large all may be together that a rule remembers: it is written to the disk, and read as one.
    #[must_use]
    pub fn memory(&self) -> ValueLimits {
        ValueLimits { bytes: self.text, items: self.items }
    }

    /// Returns how many bytes a run may make without a wait: variables, payloads, lines of the log.
    #[must_use]
    pub fn run(&self) -> usize {
        self.value().bytes.saturating_mul(4)
    }
}
