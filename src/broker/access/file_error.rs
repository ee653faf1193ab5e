//! What is wrong with a line of a file of users or grants.

use thiserror::Error;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct FileError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl FileError {
    pub(super) fn new(line: usize, message: impl Into<String>) -> FileError {
        FileError { line, message: message.into() }
    }

    /// Returns the error with the file's name in front, as compilers write it: `acl.txt:3: …`.
    #[must_use]
    pub fn in_file(&self, file: &str) -> String {
        format!("{file}:{}: {}", self.line, self.message)
    }
}
