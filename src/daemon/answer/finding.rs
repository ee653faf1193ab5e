//! A diagnostic as programs read it.

use serde::{Deserialize, Serialize};

use crate::lang::{Diagnostic, Severity, Source, Sources};

/// A diagnostic with its place counted in lines and columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `HR` and three digits.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// The file's path relative to the home.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What to do.
    pub help: Option<String>,
}

/// Returns the diagnostics as programs read them; `sources` are the files in which they were found.
#[must_use]
pub fn findings(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Finding> {
    diagnostics.iter().map(|diagnostic| Finding::new(diagnostic, sources)).collect()
}

impl Finding {
    fn new(diagnostic: &Diagnostic, sources: &Sources) -> Finding {
        let label = &diagnostic.label;
        let content = match sources.get(&label.file) {
            Some(Source::Content(bytes)) => bytes.as_ref(),
            Some(Source::Unreadable(_)) | None => &[],
        };
        let before = content.get(..label.span.start.min(content.len())).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        Finding {
            code: diagnostic.code.to_string(),
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            }
            .to_owned(),
            message: diagnostic.message.clone(),
            file: label.file.to_string(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(in_line).chars().count() + 1,
            help: diagnostic.help.clone(),
        }
    }

    /// Returns whether it keeps the file from loading.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }

    /// Returns the place as people read it: `rules/tv.yaml:3:5`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Code, Label};

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let label = Label { file: "rules/a.yaml".into(), span: 11..12, text: String::new() };
        let diagnostic = Diagnostic {
            code: Code(1),
            severity: Severity::Error,
            message: "no".to_owned(),
            label,
            related: Vec::new(),
            help: None,
        };
        let content = Source::Content("eins\nzwö: x".as_bytes().into());
        let sources = Sources::from([("rules/a.yaml".into(), content)]);
        let found = findings(&[diagnostic], &sources);
        assert_eq!(found.first().map(Finding::place).as_deref(), Some("rules/a.yaml:2:6"));
    }
}
