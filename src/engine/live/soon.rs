//! How soon a change must be kept.

/// How soon a change must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Soon {
    /// Before anything that follows from it leaves: a hold, a silence.
    AtOnce,
    /// Within a second: a last value.
    Late,
}
