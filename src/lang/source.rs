//! The files of a home, as the shell read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::findings::Findings;
use super::text::FileText;
use super::{Code, Diagnostic};

/// A file's content, or why it couldn't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The bytes.
    Content(Arc<[u8]>),
    /// The system's reason, in words: `permission denied`.
    Unreadable(String),
}

/// All files of a home by their path relative to it, with `/` between folders, in the paths' order.
pub type Sources = BTreeMap<Arc<str>, Source>;

impl Source {
    /// Returns the text of the file `file`, a path relative to the home.
    ///
    /// # Errors
    /// When it couldn't be read or is no UTF-8.
    pub(super) fn text(&self, file: &Arc<str>) -> Result<FileText, Vec<Diagnostic>> {
        let mut findings = Findings::new(Arc::clone(file));
        match self {
            Source::Unreadable(reason) => {
                findings.error(Code::UNREADABLE_FILE, 0..0, format!("`{file}` can't be read: {reason}"));
            }
            Source::Content(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => return Ok(FileText::new(Arc::clone(file), text.into())),
                Err(error) => {
                    let at = error.valid_up_to();
                    let found = findings.error(Code::NOT_UTF8, at..at, "this file isn't UTF-8");
                    found.help("save it as UTF-8; YAML knows no other encoding here");
                }
            },
        }
        Err(findings.into_vec())
    }
}
