//! How much an evaluation may use.

use std::time::Duration;

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
