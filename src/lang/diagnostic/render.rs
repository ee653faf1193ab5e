//! Renders diagnostics: as text with the source line and the place marked, or as JSON.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::json;

use crate::lang::text::FileText;
use crate::lang::{Diagnostic, Fix, Label, Severity, Source, Sources};
use crate::model::Place;

/// Renders the diagnostics of a home's files.
pub struct Report<'a> {
    sources: &'a Sources,
    texts: BTreeMap<Arc<str>, FileText>,
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Yes,
    /// For everything else.
    No,
}

impl<'a> Report<'a> {
    /// Returns a renderer for diagnostics of the files in `sources`.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Report<'a> {
        Report { sources, texts: BTreeMap::new() }
    }

    /// Returns the place that a diagnostic points to.
    pub fn place(&mut self, found: &Diagnostic) -> Place {
        self.text(&found.label.file).place(found.label.span.start)
    }

    /// Returns a diagnostic as text: a line with its code, the place, the source line with the marked span, help, and
    /// the page about its code.
    pub fn text_of(&mut self, found: &Diagnostic, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Yes => Renderer::styled(),
            Colour::No => Renderer::plain(),
        };
        let level = match found.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let code = found.code.to_string();
        let title = level.primary_title(printable(&found.message)).id(code);
        let mut group = Group::with_title(title);
        let (own, others): (Vec<&Label>, Vec<&Label>) =
            found.related.iter().partition(|label| label.file == found.label.file);
        if self.text(&found.label.file).as_str().is_empty() {
            group = group.element(Origin::path(found.label.file.to_string()));
        } else {
            group = group.element(self.snippet(&found.label, &own));
        }
        for label in others {
            group = group.element(self.snippet(label, &[]));
        }
        if let Some(help) = &found.help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        group = group.element(Level::NOTE.message(format!("see {}", found.code.page_path())));
        let mut text = renderer.render(&[group]);
        text.push('\n');
        text
    }

    /// Returns diagnostics as the JSON document that `check --json` prints.
    pub fn json(&mut self, diagnostics: &[Diagnostic]) -> serde_json::Value {
        let count = |severity: Severity| diagnostics.iter().filter(|found| found.severity == severity).count();
        json!({
            "diagnostics": diagnostics.iter().map(|found| self.json_of(found)).collect::<Vec<_>>(),
            "errors": count(Severity::Error),
            "warnings": count(Severity::Warning),
        })
    }

    /// Returns one diagnostic as JSON.
    pub fn json_of(&mut self, found: &Diagnostic) -> serde_json::Value {
        let place = self.place(found);
        let severity = match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        json!({
            "code": found.code.to_string(),
            "severity": severity,
            "message": found.message,
            "file": place.file,
            "line": place.line,
            "column": place.column,
            "help": found.help,
            "fix": found.fix.as_ref().map(|fix| self.json_of_fix(&found.label.file, fix)),
            "page": found.code.page_path(),
        })
    }

    fn json_of_fix(&mut self, file: &Arc<str>, fix: &Fix) -> serde_json::Value {
        let text = self.text(file);
        let (start, end) = (text.place(fix.span.start), text.place(fix.span.end));
        json!({
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
            "replacement": fix.replacement,
            "applies": fix.applies.word(),
        })
    }

    /// Returns the source lines of a label, and of others in the same file.
    fn snippet(&mut self, main: &Label, others: &[&Label]) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
        let text = self.text(&main.file).clone();
        // Only the lines that are shown are passed on: a file may be large, and may contain characters that a
        // terminal would obey.
        let spans = || others.iter().map(|label| &label.span).chain([&main.span]);
        let first = spans().map(|span| text.line(span.start)).min().unwrap_or(0);
        let last = spans().map(|span| text.line(span.end)).max().unwrap_or(0);
        let start = text.line_range(first).map_or(0, |line| line.start);
        let end = text.line_range(last).map_or(text.as_str().len(), |line| line.end);
        let shown = Shown::new(text.get(start..end), start);
        let kinds = [(main, AnnotationKind::Primary)];
        let kinds = kinds.into_iter().chain(others.iter().map(|label| (*label, AnnotationKind::Context)));
        let annotations = kinds.map(|(label, kind)| {
            let annotation = kind.span(shown.span(&label.span));
            if label.text.is_empty() { annotation } else { annotation.label(printable(&label.text)) }
        });
        let annotations: Vec<_> = annotations.collect();
        Snippet::source(shown.text).line_start(first + 1).path(main.file.to_string()).annotations(annotations)
    }

    fn text(&mut self, file: &Arc<str>) -> &FileText {
        let sources = self.sources;
        self.texts.entry(Arc::clone(file)).or_insert_with(|| {
            let text = match sources.get(file) {
                Some(Source::Content(bytes)) => shown_bytes(bytes),
                Some(Source::Unreadable(_)) | None => String::new(),
            };
            FileText::new(Arc::clone(file), text.into())
        })
    }
}

/// Returns the text of a file; if it isn't UTF-8, up to the end of the line with the first wrong byte.
fn shown_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let (before, rest) = bytes.split_at(error.valid_up_to());
            let line_end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = rest.get(..line_end).unwrap_or_default();
            format!("{}{}", String::from_utf8_lossy(before), String::from_utf8_lossy(line))
        }
    }
}

/// Source lines as they are shown, with characters replaced that would move the cursor.
struct Shown {
    text: String,
    /// Where it starts in the file.
    start: usize,
    /// For each replaced character: where it was in the lines, and how much longer the text has become by then.
    moved: Vec<(usize, usize)>,
}

impl Shown {
    fn new(lines: &str, start: usize) -> Shown {
        let mut text = String::with_capacity(lines.len());
        let mut moved = Vec::new();
        let mut skipped = 0;
        let lines = match lines.strip_prefix('\u{feff}') {
            Some(rest) if start == 0 => {
                skipped = '\u{feff}'.len_utf8();
                rest
            }
            _ => lines,
        };
        for (offset, letter) in lines.char_indices() {
            let is_hidden = letter.is_control() && !matches!(letter, '\n' | '\t');
            text.push(if is_hidden { '\u{fffd}' } else { letter });
            if is_hidden {
                moved.push((offset, text.len() - offset - letter.len_utf8()));
            }
        }
        Shown { text, start: start + skipped, moved }
    }

    fn span(&self, span: &Range<usize>) -> Range<usize> {
        let at = |offset: usize| {
            let inside = offset.saturating_sub(self.start);
            let before = self.moved.partition_point(|(moved, _)| *moved < inside);
            let longer = self.moved.get(before.wrapping_sub(1)).map_or(0, |(_, longer)| *longer);
            let mut shown = (inside + longer).min(self.text.len());
            while !self.text.is_char_boundary(shown) {
                shown -= 1;
            }
            shown
        };
        at(span.start)..at(span.end).max(at(span.start))
    }
}

/// Returns `text` with the characters replaced that a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}
