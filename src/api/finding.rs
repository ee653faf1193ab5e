//! A diagnostic as programs read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lang::{Code, Colour, Diagnostic, Report, Severity, Sources};

/// A diagnostic with its place counted in lines and columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Diagnostic)]
pub struct Finding {
    /// `HR` and three digits.
    #[schema(example = "HR020")]
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// The file's path relative to the home.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What to do.
    pub help: Option<String>,
    /// All of it for people, with the source line, in colour.
    #[serde(skip)]
    #[schema(ignore)]
    pub text: String,
}

/// Returns the diagnostics as programs read them; `sources` are the files in which they were found.
#[must_use]
pub fn findings(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Finding> {
    let mut report = Report::new(sources);
    diagnostics.iter().map(|diagnostic| Finding::new(diagnostic, &mut report)).collect()
}

impl Finding {
    fn new(diagnostic: &Diagnostic, report: &mut Report<'_>) -> Finding {
        let place = report.place(diagnostic);
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        Finding {
            code: diagnostic.code.to_string(),
            severity: severity.to_owned(),
            message: diagnostic.message.clone(),
            file: place.file.to_string(),
            line: place.line,
            column: place.column,
            help: diagnostic.help.clone(),
            text: report.text_of(diagnostic, Colour::Yes),
        }
    }

    /// Returns that the file at `path` had rules, and is empty now.
    #[must_use]
    pub fn of_emptied(path: &str) -> Finding {
        let message = "the file had rules and is empty now; they stay in force".to_owned();
        let help = "write `rules: {}` if it's meant to have none".to_owned();
        let code = Code::EMPTIED_FILE.to_string();
        let text = format!("error[{code}]: {message}\n --> {path}\n  = help: {help}");
        let (severity, file) = ("error".to_owned(), path.to_owned());
        Finding { code, severity, message, file, line: 1, column: 1, help: Some(help), text }
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
