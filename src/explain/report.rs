//! Lines of text with what each shows, so that a shell may colour them.

use std::fmt;

/// Lines of text, as a failed test prints below its message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it shows; the shell colours it.
    pub kind: LineKind,
    /// Its text.
    pub text: String,
}

/// The kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Begins a part.
    Heading,
    /// It's as expected.
    Same,
    /// It's missing, or was expected otherwise.
    Missing,
    /// It wasn't expected.
    Unexpected,
    /// It differs.
    Differs,
    /// Anything else.
    Plain,
}

impl Report {
    /// Adds a line.
    pub fn add(&mut self, kind: LineKind, text: impl Into<String>) {
        self.lines.push(Line { kind, text: text.into() });
    }

    /// Adds all lines of another report.
    pub fn append(&mut self, other: Report) {
        self.lines.extend(other.lines);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{}", line.text))
    }
}
