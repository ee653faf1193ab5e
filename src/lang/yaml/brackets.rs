//! Finds the bracket that was never closed: the parser only notices much later.

use crate::lang::text::FileText;

/// Returns the bracket that is never closed, of the flow map or list that starts at byte `start`; `None` if it's closed.
///
/// It isn't closed if the file ends before, or if a line isn't indented more than the one where the map or list starts.
pub(super) fn find_unclosed(text: &FileText, start: usize) -> Option<(usize, char)> {
    let first_line = text.line(start);
    let indent = indent_of(text, first_line);
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote: Option<char> = None;
    let mut before = ' ';
    let mut line = first_line;
    let rest = text.get(start..text.as_str().len());
    let mut letters = rest.char_indices().peekable();
    while let Some((offset, letter)) = letters.next() {
        let at = start + offset;
        if letter == '\n' {
            line += 1;
            if quote.is_none() && is_outside(text, line, indent) {
                return open.last().copied();
            }
        }
        match (quote, letter) {
            (Some('"'), '\\') => {
                letters.next();
            }
            // A quote within single quotes is doubled.
            (Some('\''), '\'') if letters.next_if(|(_, letter)| *letter == '\'').is_some() => {}
            (Some(open_quote), _) if letter == open_quote => quote = None,
            (None, '"' | '\'') if before.is_whitespace() || matches!(before, '{' | '[' | ',' | ':') => {
                quote = Some(letter);
            }
            (None, '#') if before.is_whitespace() => while letters.next_if(|(_, letter)| *letter != '\n').is_some() {},
            (None, '{' | '[') => open.push((at, letter)),
            (None, '}' | ']') => {
                let opening = if letter == '}' { '{' } else { '[' };
                if let Some(matching) = open.iter().rposition(|(_, bracket)| *bracket == opening) {
                    open.remove(matching);
                }
                if open.is_empty() {
                    return None;
                }
            }
            (Some(_) | None, _) => {}
        }
        before = letter;
    }
    open.last().copied()
}

/// Returns whether a line with text starts outside of what is indented by `indent`: another key, or another item.
fn is_outside(text: &FileText, line: usize, indent: usize) -> bool {
    let Some(range) = text.line_range(line) else { return false };
    let content = text.get(range).trim();
    !content.is_empty() && !content.starts_with(['#', '}', ']']) && indent_of(text, line) <= indent
}

fn indent_of(text: &FileText, line: usize) -> usize {
    let content = text.line_range(line).map_or("", |range| text.get(range));
    content.len() - content.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(yaml: &str) -> Option<(usize, char)> {
        let text = FileText::new("a.yaml".into(), yaml.into());
        find_unclosed(&text, yaml.find(['{', '[']).unwrap()).map(|(at, bracket)| (text.line(at) + 1, bracket))
    }

    #[test]
    fn the_bracket_that_is_missing_its_end_is_found() {
        for (yaml, wanted) in [
            ("a: { b: 1\nc: { d: 2 }\n", Some((1, '{'))),
            ("a:\n  - { b: [ 1, 2 }\n  - c\n", Some((2, '['))),
            ("a: {\n  b: { c: 1,\n  d: 2\n}\ne: f\n", Some((1, '{'))),
            ("a: { b: 1", Some((1, '{'))),
            ("a: { b: \"}\" # }\nc: d\n", Some((1, '{'))),
            ("a: {\n  b: 1,\n}\nc: d\n", None),
            ("a: [\n  1, # one\n\n  2 ]\n", None),
            ("a: { b: it's }\n", None),
            ("a: { b: 'it''s {' }\n", None),
        ] {
            assert_eq!(found(yaml), wanted, "{yaml}");
        }
    }
}
