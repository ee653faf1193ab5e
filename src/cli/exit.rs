//! Exit statuses, and why a command could not do what it was asked.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for was done.
    Well,
    /// It was done and the answer is no: errors found, tests failed.
    No,
    /// It could not be done.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Well => 0,
            Exit::No => 1,
            Exit::Failed => 2,
        })
    }
}

/// Why a command could not do what it was asked, in words for the one who typed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// Returns a failure that says `message`: what is wrong, where, and what to do.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }

    /// Writes it to standard error.
    pub(super) fn print(&self) {
        // Nobody reads it if standard error is closed.
        let _ = writeln!(anstream::stderr(), "error: {}", self.0);
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
