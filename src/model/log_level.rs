//! How loudly a line of the log speaks.

use serde::{Deserialize, Serialize};

/// How loudly a line of the log speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For finding mistakes.
    Debug,
    /// The default.
    #[default]
    Info,
    /// Something is odd.
    Warn,
    /// Somebody must act.
    Error,
}

impl LogLevel {
    /// All levels with their words.
    pub const ALL: [(&'static str, LogLevel); 4] =
        [("debug", LogLevel::Debug), ("info", LogLevel::Info), ("warn", LogLevel::Warn), ("error", LogLevel::Error)];
}
