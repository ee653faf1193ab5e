//! The text of a file: turns byte offsets into places as people read them.

use std::ops::Range;
use std::sync::Arc;

use crate::model::Place;

/// A file's text with its lines.
#[derive(Debug, Clone)]
pub(super) struct FileText {
    file: Arc<str>,
    text: Arc<str>,
    /// Where each line starts, in bytes.
    lines: Arc<[usize]>,
}

impl FileText {
    /// Returns the text of `file`, a path relative to the home.
    pub(super) fn new(file: Arc<str>, text: Arc<str>) -> FileText {
        let mut lines = vec![0];
        let bytes = text.as_bytes();
        for (index, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n')) {
                lines.push(index + 1);
            }
        }
        FileText { file, text, lines: lines.into() }
    }

    /// Returns the file's path relative to the home.
    pub(super) fn file(&self) -> Arc<str> {
        Arc::clone(&self.file)
    }

    /// Returns the whole text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text at `range`, or nothing if it has no such range.
    pub(super) fn get(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Returns the line, from 0, that contains byte `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Returns the bytes of line `line`, from 0, without its line break; `None` after the last line.
    pub(super) fn line_range(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.lines.get(line)?;
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let content = self.get(start..end).trim_end_matches(['\n', '\r']);
        Some(start..start + content.len())
    }

    /// Returns the place of byte `offset`.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.line(offset);
        let start = self.lines.get(line).copied().unwrap_or(0);
        let mut before = self.get(start..offset.clamp(start, self.text.len()));
        if start == 0 {
            before = before.trim_start_matches('\u{feff}');
        }
        Place {
            file: Arc::clone(&self.file),
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(before.chars().count() + 1).unwrap_or(u32::MAX),
        }
    }

    /// Returns the byte at `place`, as returned by [`FileText::place`].
    pub(super) fn offset(&self, place: &Place) -> usize {
        let line = usize::try_from(place.line).unwrap_or(1).saturating_sub(1);
        let Some(range) = self.line_range(line) else { return self.text.len() };
        let skipped = usize::from(line == 0 && self.text.starts_with('\u{feff}'));
        let column = usize::try_from(place.column).unwrap_or(1).saturating_sub(1) + skipped;
        let line = self.get(range.clone());
        range.start + line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset)
    }

    /// Returns `span`, cut at the end of its first line, so that a mark stays on one line.
    pub(super) fn first_line(&self, span: &Range<usize>) -> Range<usize> {
        let text = self.get(span.clone());
        let line = text.split(['\n', '\r']).next().unwrap_or_default().trim_end();
        span.start..span.start + line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters_and_a_byte_order_mark_is_none() {
        let text = FileText::new("a.yaml".into(), "\u{feff}ä: b\r\nzwölf: c".into());
        assert_eq!(text.place(3).to_string(), "a.yaml:1:1");
        assert_eq!(text.place(5).to_string(), "a.yaml:1:2");
        assert_eq!(text.place(text.as_str().find('c').unwrap()).to_string(), "a.yaml:2:8");
        assert_eq!(text.place(9999).line, 2);
    }
}
