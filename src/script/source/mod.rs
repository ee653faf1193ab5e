//! Source text: its tokens, brackets and chains, and the slips that show in them.

pub(super) mod brackets;
pub(super) mod chain;
pub(super) mod place_tree;
pub(super) mod slips;
pub(super) mod source_tokens;
pub(super) mod tokens;
