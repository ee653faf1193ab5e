//! Findings: collects the diagnostics of one file.

use std::ops::Range;
use std::sync::Arc;

use super::near::Suggestion;
use crate::lang::{Applies, Code, Diagnostic, Fix, Label, Severity};

/// The diagnostics of one file, in the order in which they were found.
#[derive(Debug, Clone)]
pub(in crate::lang) struct Findings {
    file: Arc<str>,
    found: Vec<Diagnostic>,
}

impl Findings {
    /// Returns an empty collection for `file`, a path relative to the home.
    pub(in crate::lang) fn new(file: Arc<str>) -> Findings {
        Findings { file, found: Vec::new() }
    }

    /// Adds an error at `span`, and lends it so that help can be added.
    pub(in crate::lang) fn error(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Error, span, message.into())
    }

    /// Adds a warning at `span`, and lends it so that help can be added.
    pub(in crate::lang) fn warning(
        &mut self,
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(code, Severity::Warning, span, message.into())
    }

    /// Returns whether an error is among them.
    pub(in crate::lang) fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// Returns how many there are.
    pub(in crate::lang) fn len(&self) -> usize {
        self.found.len()
    }

    /// Returns them all.
    pub(in crate::lang) fn into_vec(self) -> Vec<Diagnostic> {
        self.found
    }

    #[expect(clippy::indexing_slicing, reason = "the item was pushed just before")]
    fn add(&mut self, code: Code, severity: Severity, span: Range<usize>, message: String) -> &mut Diagnostic {
        let label = Label { file: Arc::clone(&self.file), span, text: String::new() };
        self.found.push(Diagnostic { code, severity, message, label, related: Vec::new(), help: None, fix: None });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }
}

impl Diagnostic {
    /// Says what to do.
    pub(in crate::lang) fn help(&mut self, text: impl Into<String>) -> &mut Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Says what to do, where that is known.
    pub(in crate::lang) fn help_if(&mut self, text: Option<String>) -> &mut Diagnostic {
        if text.is_some() {
            self.help = text;
        }
        self
    }

    /// Says which change to the file resolves it.
    pub(in crate::lang) fn fix(
        &mut self,
        span: Range<usize>,
        replacement: impl Into<String>,
        applies: Applies,
    ) -> &mut Diagnostic {
        self.fix = Some(Fix { span, replacement: replacement.into(), applies });
        self
    }

    /// Says what was probably meant, and how to write it: `span` is what was written, without its quotes.
    pub(in crate::lang) fn suggest(&mut self, span: Range<usize>, suggestion: Option<Suggestion>) -> &mut Diagnostic {
        let Some(suggestion) = suggestion else { return self };
        self.help = Some(suggestion.help);
        if let Some((word, applies)) = suggestion.word {
            self.fix(span, word, applies);
        }
        self
    }

    /// Adds another place of the same file that explains it.
    pub(in crate::lang) fn relate(&mut self, span: Range<usize>, text: impl Into<String>) -> &mut Diagnostic {
        let file = Arc::clone(&self.label.file);
        self.related.push(Label { file, span, text: text.into() });
        self
    }
}
