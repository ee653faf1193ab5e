//! Whether what should be kept is kept.

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::daemon) enum Health {
    /// All that should be on disk is.
    #[default]
    Well,
    /// The disk doesn't take changes: they are kept in memory, and tried again. In words.
    Failing(String),
}
