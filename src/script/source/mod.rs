//! Source text: the one lexer, tokens, brackets and chains, the outline of a file, and the slips that show in them.

pub(super) mod brackets;
pub(super) mod chain;
pub(super) mod file_tokens;
pub(super) mod lexer;
pub(super) mod outline;
pub(super) mod piece;
pub(super) mod place_tree;
pub(super) mod slips;
pub(super) mod token;
pub(super) mod topic_call;
