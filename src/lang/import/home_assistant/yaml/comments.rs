//! The comments of a file: what stands behind a `#` that is in no value.

use std::ops::Range;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) struct Comment {
    /// Its line, from 1.
    pub(in crate::lang::import::home_assistant) line: usize,
    /// What it says, without the `#` and the space behind it.
    pub(in crate::lang::import::home_assistant) text: String,
    /// Whether something stands before it on its line.
    pub(in crate::lang::import::home_assistant) is_behind: bool,
}

/// Returns the comments of `text`, in which the values are at `scalars`, in order.
pub(in crate::lang::import::home_assistant) fn comments_of(text: &str, scalars: &[Range<usize>]) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let bytes = line.as_bytes();
        let hash = bytes.iter().enumerate().find(|(at, byte)| {
            let is_after_space = *at == 0 || bytes.get(at - 1).is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            **byte == b'#' && is_after_space && !is_inside(scalars, start + at)
        });
        if let Some((at, _)) = hash {
            let said = line.get(at + 1..).unwrap_or_default().trim_end();
            let said = said.strip_prefix(' ').unwrap_or(said);
            let is_behind = !line.get(..at).unwrap_or_default().trim().is_empty();
            found.push(Comment { line: index + 1, text: said.to_owned(), is_behind });
        }
        start += line.len();
    }
    found
}

fn is_inside(scalars: &[Range<usize>], at: usize) -> bool {
    let behind = scalars.partition_point(|range| range.start <= at);
    behind.checked_sub(1).and_then(|index| scalars.get(index)).is_some_and(|range| at < range.end)
}
