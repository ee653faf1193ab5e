//! Whose triggers they are: a rule's, or those of a `wait`.

use crate::engine::trace::RunId;

/// Whose triggers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// The rule's `when`.
    Rule,
    /// An open wait of a run: a `wait`, or the `until` of a `repeat`.
    Wait(RunId, u64),
}
