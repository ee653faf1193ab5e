//! What the YAML parser refuses, in words that help: tabs, missing quotes, brackets, indentation.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use super::brackets;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;
use crate::lang::{Applies, Code, Diagnostic};

/// Reports why text isn't YAML. `open` are the brackets that haven't been closed before the error.
pub(in crate::lang) fn report(error: &ScanError, text: &FileText, open: &[usize], findings: &mut Findings) {
    // Longer than most: one row for each mistake reads best in one place.
    let at = error.marker().byte_offset().unwrap_or(0).min(text.as_str().len());
    let line = text.line_range(text.line(at)).unwrap_or(at..at);
    let after = text.get(at..line.end);
    let span = at..at + after.chars().next().map_or(0, char::len_utf8);
    // Where a bracket is missing, the parser stumbles somewhere later.
    let unclosed_before = open.first().filter(|start| text.line(**start) < text.line(at));
    if let Some((start, bracket)) = unclosed_before.and_then(|start| brackets::find_unclosed(text, *start)) {
        let line = text.line_range(text.line(start)).unwrap_or(start..start);
        return unclosed(bracket, text, start, &line, findings);
    }
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            let tab = text.get(line.clone()).find('\t').map_or(at, |offset| line.start + offset);
            let found = findings.error(Code::TAB_AS_INDENTATION, tab..tab + 1, "YAML doesn't allow tabs here");
            found.help("indent with spaces, two for each level");
        }
        ErrorKind::RecursionLimitExceeded => report_depth(span, crate::lang::yaml::tree::DEEPEST, findings),
        ErrorKind::UnexpectedCharacter { character } => {
            let message = format!("text that starts with `{character}` needs quotes");
            let value = value_at(text, at, &line);
            let start = line.start + value_start(text.get(line.start..at));
            let found = findings.error(Code::NEEDS_QUOTES, span, message);
            found.quote(start..start + value.len(), value);
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            flow(text, at, &line, findings);
        }
        ErrorKind::UnclosedFlowCollection { open } => unclosed(*open, text, at, &line, findings),
        ErrorKind::MismatchedFlowCollectionEnd { .. } if after.starts_with(['{', '[']) => {
            unclosed(after.chars().next().unwrap_or('{'), text, at, &line, findings);
        }
        ErrorKind::MappingValueNotAllowed => colon(text, at, &line, findings),
        ErrorKind::UnclosedQuotedScalar => {
            let found = findings.error(Code::YAML_SYNTAX, span, "this quote is never closed");
            found.help("add the same quote at the end of the text");
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            let rest = at..at + after.trim_end().len();
            let found = findings.error(Code::NEEDS_QUOTES, rest, "there is text after the closing quote");
            found.help("put the whole value in the other kind of quotes: `'a \"b\" c'` or `\"a 'b' c\"`");
        }
        ErrorKind::UnknownAnchor => {
            let name = after.split([' ', ',', ']', '}']).next().unwrap_or_default();
            let found = findings.error(
                Code::YAML_SYNTAX,
                at..at + name.len(),
                format!("there is no anchor for the alias `{name}`"),
            );
            found.help(format!("if this is text, it needs quotes: `{}`", quote(name)));
            found.fix(at..at + name.len(), quote(name), Applies::Unsure);
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            let found = findings.error(Code::YAML_SYNTAX, span, "this text has an unknown escape (`\\` and a letter)");
            found.help("write `\\\\` for a backslash, or use single quotes");
        }
        kind => {
            let (message, help) = words(kind);
            findings.error(Code::YAML_SYNTAX, span, message).help(help);
        }
    }
}

/// Reports that lists and maps are nested too deeply.
pub(in crate::lang) fn report_depth(span: Range<usize>, deepest: usize, findings: &mut Findings) {
    let message = format!("lists and maps are nested more than {deepest} levels deep");
    findings.error(Code::TOO_DEEP, span, message).help("is a bracket missing?");
}

/// Reports something after a value in a flow map or list: mostly `${x}` or `a[0]` without quotes.
fn flow(text: &FileText, at: usize, line: &Range<usize>, findings: &mut Findings) {
    let value = value_at(text, at, line);
    // A key is quoted without its value.
    let value = value.split_once(": ").map_or(value, |(key, _)| key);
    let start = at - (text.get(line.start..at).len() - value_start(text.get(line.start..at)));
    let span = start..(start + value.len()).max(at + 1).min(line.end.max(at));
    if value.contains("${") {
        let found = findings.error(Code::NEEDS_QUOTES, span, "text with `${…}` needs quotes inside `{ }` and `[ ]`");
        found.quote(start..start + value.len(), value);
    } else if value.contains(['[', '{']) {
        let found = findings.error(Code::NEEDS_QUOTES, span, "text with brackets needs quotes inside `{ }` and `[ ]`");
        found.quote(start..start + value.len(), value);
    } else if let Some(hash) = comment_before(text, at) {
        let end = hash + text.get(hash..at).find('\n').unwrap_or(at - hash);
        let found =
            findings.error(Code::CUT_BY_COMMENT, hash..end, "the text ends here, because ` #` starts a comment");
        found.help("put the whole text in quotes, as in `\"Room #${n}\"`");
    } else {
        let span = at..at + text.get(at..line.end).chars().next().map_or(0, char::len_utf8);
        let found = findings.error(Code::YAML_SYNTAX, span, "expected a `,` or a closing bracket here");
        found.help("separate items with commas, close the bracket, and put text with special characters in quotes");
    }
}

/// Returns where a comment starts on the last line with text before `at`, if a character directly follows its `#`.
fn comment_before(text: &FileText, at: usize) -> Option<usize> {
    let before = text.get(0..at).trim_end();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let hash = start + text.get(start..before.len()).find(" #")? + 1;
    let follows = text.get(hash..before.len()).chars().nth(1)?;
    (!follows.is_whitespace()).then_some(hash)
}

fn unclosed(open: char, text: &FileText, at: usize, line: &Range<usize>, findings: &mut Findings) {
    let close = if open == '{' { '}' } else { ']' };
    let message = format!("this `{open}` is never closed");
    let rest = text.get(at..line.end);
    let help = match rest.find(" #") {
        Some(_) => "` #` starts a comment, inside brackets too: put the text with the `#` in quotes".to_owned(),
        None => format!("add the `{close}`"),
    };
    findings.error(Code::YAML_SYNTAX, at..at + 1, message).help(help);
}

/// Reports a second `: ` on a line, or a key that is indented under text.
fn colon(text: &FileText, at: usize, line: &Range<usize>, findings: &mut Findings) {
    let before = text.get(line.start..at);
    if let Some((_, value)) = before.split_once(": ") {
        let start = at - value.len();
        let whole = text.get(start..line.end).trim_end();
        let found = findings.error(Code::NEEDS_QUOTES, at..at + 1, "text with `: ` in it needs quotes");
        found.quote(start..start + whole.len(), whole);
        return;
    }
    let key = before.trim_start();
    let start = at - key.len();
    let message = format!("`{key}:` is indented as if it were part of the text above it");
    let found = findings.error(Code::YAML_SYNTAX, start..at, message);
    found.help("start all keys of a map in the same column; a key with a map below it has no text on its own line");
}

fn words(kind: &ErrorKind) -> (String, &'static str) {
    match kind {
        ErrorKind::ExpectedBlockMappingKey => (
            "expected a key (`name: value`) here".to_owned(),
            "start all keys of a map in the same column, each followed by a colon",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "expected an item of the list (`- …`) here".to_owned(),
            "start all items of a list with `- ` in the same column",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a `:` is missing after this key".to_owned(), "write `key: value`, with a space after the colon")
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidBlockScalarIndent | ErrorKind::InvalidQuotedScalarIndent => (
            "this line is indented too little or too much".to_owned(),
            "start all keys of a map, and all items of a list, in the same column",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => {
            ("a list can't start here".to_owned(), "put the `- ` on its own line, below its key")
        }
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            ("this bracket closes nothing".to_owned(), "remove it, or put the text in quotes")
        }
        other => {
            (format!("this isn't YAML: {other}"), "check the end of the line above, and how this line is indented")
        }
    }
}

/// Returns the unquoted value around byte `at`, up to the end of what was meant as one.
fn value_at<'a>(text: &'a FileText, at: usize, line: &Range<usize>) -> &'a str {
    let start = line.start + value_start(text.get(line.start..at));
    let whole = text.get(start..line.end);
    let mut depth = 0_usize;
    let mut end = whole.len();
    for (offset, letter) in whole.char_indices() {
        match letter {
            '{' | '[' => depth += 1,
            '}' | ']' | ',' if depth == 0 => {
                end = offset;
                break;
            }
            '}' | ']' => depth -= 1,
            _ => {}
        }
    }
    whole.get(..end).unwrap_or_default().trim()
}

/// Returns where the value that `before` ends with starts: after the last `: `, `, `, `- ` or bracket.
fn value_start(before: &str) -> usize {
    let begins = [": ", ", ", "- ", "{ ", "[ ", "{", "["];
    let start = begins.iter().filter_map(|mark| before.rfind(mark).map(|offset| offset + mark.len())).max();
    let start = start.unwrap_or(0);
    start + before.get(start..).map_or(0, |rest| rest.len() - rest.trim_start().len())
}

impl Diagnostic {
    /// Says to put `value`, which is all of `span`, in quotes.
    fn quote(&mut self, span: Range<usize>, value: &str) {
        let quoted = quote(value);
        self.help(format!("write `{quoted}`")).fix(span, quoted, Applies::Safe);
    }
}

/// Returns `text` in quotes that need no escapes, if possible.
fn quote(text: &str) -> String {
    if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}
