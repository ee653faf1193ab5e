//! A component: `BEGIN:VEVENT` … `END:VEVENT`, with its lines and what is in it.

use std::ops::Range;

use super::line::Line;

/// A component.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// `VEVENT` and the like, in capitals.
    pub(super) name: String,
    /// Where it begins.
    pub(super) span: Range<usize>,
    /// Its own lines.
    pub(super) lines: Vec<Line>,
    /// The components in it.
    pub(super) inner: Vec<Component>,
}

impl Component {
    /// Returns its first line of that name.
    pub(super) fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// Returns all its lines of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// Returns the text of its first line of that name.
    pub(super) fn text(&self, name: &str) -> &str {
        self.line(name).map_or("", |line| &line.text)
    }
}
