//! A home's files, as the shell read them.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A file's content, or why it couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bytes.
    Content(Arc<[u8]>),
    /// The system's reason, in words: `permission denied`.
    Unreadable(String),
}

/// All files of a home, sorted by their path relative to it, with `/` between folders.
pub type Sources = BTreeMap<Arc<str>, Source>;
