//! Sequences: triggers that fire one after the other, or one that fires several times (docs/language/sequences.md).

use std::time::Duration;

/// A trigger that fires once others have, its parts, which stand behind it in the list of triggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// How many parts it has.
    pub parts: u16,
    /// How long it may take from the first one to the last.
    pub within: Duration,
    /// In which order they must fire.
    pub order: Order,
}

/// In which order the parts of a sequence must fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after the other.
    AsWritten,
    /// In any order.
    Any,
    /// The only part several times.
    Times {
        /// How often.
        times: u16,
        /// Whether no more may come in the time that begins with the first.
        exact: bool,
    },
}

/// Which part of which sequence a trigger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartOf {
    /// The sequence's place in the list of triggers.
    pub sequence: u16,
    /// Which part.
    pub part: u16,
}
