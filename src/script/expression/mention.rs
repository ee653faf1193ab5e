//! Rules, devices and inputs that an expression names.

use std::ops::Range;

use crate::model::Name;

/// A rule that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMention {
    /// What was written: a key, or a file and a key. `None`: `holds()`, the rule itself.
    pub rule: Option<Name>,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// Whether it was asked if the rule holds, which only a `while` rule can; else whether it runs.
    pub is_holds: bool,
}

/// A device that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMention {
    /// What was written.
    pub device: Name,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
    /// The property that is read of it, if one is, and where it stands.
    pub property: Option<(Name, Range<usize>)>,
}

/// An input that an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputMention {
    /// What was written.
    pub input: Name,
    /// Where, in bytes of the expression's text.
    pub at: Range<usize>,
}
