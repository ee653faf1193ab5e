//! Warnings about a place of the user's files that were found by others than readers of text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::text::FileText;
use crate::lang::{Code, Diagnostic, Label, Severity, Source, Sources};
use crate::model::Place;

/// Makes warnings about places of a home's files.
pub struct Places<'a> {
    sources: &'a Sources,
    texts: BTreeMap<Arc<str>, FileText>,
}

impl<'a> Places<'a> {
    /// Returns what knows the places of the files in `sources`.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Places<'a> {
        Places { sources, texts: BTreeMap::new() }
    }

    /// Returns a warning about a place, with what to do.
    pub fn warning(&mut self, code: Code, place: &Place, message: String, help: Option<String>) -> Diagnostic {
        let (severity, related, fix) = (Severity::Warning, Vec::new(), None);
        Diagnostic { code, severity, message, label: self.label(place, String::new()), related, help, fix }
    }

    /// Returns the mark of a place: from there to the end of its line.
    pub fn label(&mut self, place: &Place, text: String) -> Label {
        let file = self.text(&place.file);
        let start = file.offset(place);
        let end = file.line_range(file.line(start)).map_or(start, |line| line.end);
        Label { file: Arc::clone(&place.file), span: file.first_line(&(start..end.max(start))), text }
    }

    /// Returns the line of a file, from 1, in which a mark begins.
    pub fn line(&mut self, label: &Label) -> u32 {
        self.text(&label.file).place(label.span.start).line
    }

    fn text(&mut self, path: &Arc<str>) -> &FileText {
        let sources = self.sources;
        self.texts.entry(Arc::clone(path)).or_insert_with(|| {
            let text = match sources.get(path) {
                Some(Source::Content(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
                _ => "",
            };
            FileText::new(Arc::clone(path), text.into())
        })
    }
}
