//! Who switched a rule, and when: told where it is asked why a rule is disabled.

use jiff::Timestamp;

/// A rule that somebody switched.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Switched {
    /// When.
    pub(in crate::daemon) at: Timestamp,
    /// Which way.
    pub(in crate::daemon) is_enabled: bool,
    /// By whom, in words.
    pub(in crate::daemon) by: &'static str,
}
