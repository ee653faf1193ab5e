//! Places in the user's files, and texts that know where they stand.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A place in a file of the home, as people read it: `rules/tv.yaml:3:5`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file's path relative to the home, with `/` between folders.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A part of a text that stands unbroken on one line of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins, in bytes of the text.
    pub offset: usize,
    /// Where it begins, in bytes of the file.
    pub file_offset: usize,
    /// The line in the file, from 1.
    pub line: u32,
    /// The column in the file where it begins, in characters from 1.
    pub column: u32,
}

/// A text and where each of its characters stands in a file, though it was quoted, escaped or folded there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedText {
    text: Arc<str>,
    /// The part of `text` that is meant.
    range: Range<usize>,
    file: Arc<str>,
    /// In order of their offset; the first begins at 0.
    stretches: Arc<[Stretch]>,
}

impl PlacedText {
    /// Returns `text`, whose parts stand at `stretches` of `file`, in order of their offset.
    #[must_use]
    pub fn new(text: Arc<str>, file: Arc<str>, stretches: Arc<[Stretch]>) -> PlacedText {
        let range = 0..text.len();
        PlacedText { text, range, file, stretches }
    }

    /// Returns a text that stands at the beginning of `file`: a whole file, or one made by a test.
    #[must_use]
    pub fn whole_file(text: &str, file: &str) -> PlacedText {
        let mut stretches = vec![Stretch { offset: 0, file_offset: 0, line: 1, column: 1 }];
        for (index, _) in text.match_indices('\n') {
            let line = u32::try_from(stretches.len() + 1).unwrap_or(u32::MAX);
            stretches.push(Stretch { offset: index + 1, file_offset: index + 1, line, column: 1 });
        }
        PlacedText::new(text.into(), file.into(), stretches.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Returns the text, shared where it is all of what was read.
    #[must_use]
    pub fn to_shared(&self) -> Arc<str> {
        if self.range == (0..self.text.len()) { Arc::clone(&self.text) } else { self.as_str().into() }
    }

    /// Returns the part of the text at `range`, in bytes; what lies outside the text is left out.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> PlacedText {
        let clamp = |offset: usize| (self.range.start + offset).min(self.range.end);
        let range = clamp(range.start)..clamp(range.end);
        PlacedText { range, ..self.clone() }
    }

    /// Returns the place of the character at byte `offset` of the text.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let (stretch, within) = self.find(offset);
        let characters = within.chars().count();
        Place {
            file: Arc::clone(&self.file),
            line: stretch.line,
            column: stretch.column + u32::try_from(characters).unwrap_or(u32::MAX),
        }
    }

    /// Returns where the character at byte `offset` of the text stands, in bytes of the file.
    #[must_use]
    pub fn file_offset(&self, offset: usize) -> usize {
        let (stretch, within) = self.find(offset);
        stretch.file_offset + within.len()
    }

    /// Returns the stretch that holds byte `offset`, and the text of it before that byte.
    fn find(&self, offset: usize) -> (Stretch, &str) {
        let offset = (self.range.start + offset).min(self.text.len());
        let index = self.stretches.partition_point(|stretch| stretch.offset <= offset);
        let first = Stretch { offset: 0, file_offset: 0, line: 1, column: 1 };
        let stretch = self.stretches.get(index.saturating_sub(1)).copied().unwrap_or(first);
        (stretch, self.text.get(stretch.offset..offset).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_text_knows_its_place() {
        let text = PlacedText::whole_file("eins\nzwö drei", "rules/a.rhai");
        let part = text.slice(10..14);
        assert_eq!(part.as_str(), "drei");
        assert_eq!(part.place(0).to_string(), "rules/a.rhai:2:5");
        assert_eq!(part.file_offset(0), 10);
        assert_eq!(part.place(99).to_string(), "rules/a.rhai:2:9");
    }
}
