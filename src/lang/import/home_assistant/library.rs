//! The functions that translated templates call: Python's meanings, in `rules/lib/ha.rhai`.

/// The file's text.
pub(super) const TEXT: &str = include_str!("ha.rhai");

/// Where it stands.
pub(super) const PATH: &str = "rules/lib/ha.rhai";
