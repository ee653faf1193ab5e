//! What the YAML parser refuses, said in words that help: tabs, missing quotes, brackets, indentation.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;

/// Reports why a text isn't YAML.
pub(in crate::lang) fn report(error: &ScanError, text: &FileText, findings: &mut Findings) {
    let at = error.marker().byte_offset().unwrap_or(0).min(text.as_str().len());
    let line = text.line_range(text.line(at)).unwrap_or(at..at);
    let after = text.get(at..line.end);
    let span = at..at + after.chars().next().map_or(0, char::len_utf8);
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            let tab = text.get(line.clone()).find('\t').map_or(at, |offset| line.start + offset);
            let found =
                findings.error(Code::TAB_AS_INDENTATION, tab..tab + 1, "YAML doesn't allow a tab here: use spaces");
            found.help("replace each tab at the beginning of a line by spaces, two for each level");
        }
        ErrorKind::RecursionLimitExceeded => report_depth(span, crate::lang::yaml::tree::DEEPEST, findings),
        ErrorKind::UnexpectedCharacter { character } => {
            let message = format!("a text that begins with `{character}` needs quotes");
            let quoted = quote(value_at(text, at, &line));
            findings.error(Code::NEEDS_QUOTES, span, message).help(format!("write `{quoted}`"));
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => {
            flow(text, at, &line, findings);
        }
        ErrorKind::UnclosedFlowCollection { open } => unclosed(*open, text, at, &line, findings),
        ErrorKind::MappingValueNotAllowed => colon(text, at, &line, findings),
        ErrorKind::UnclosedQuotedScalar => {
            let found = findings.error(Code::YAML_SYNTAX, span, "this quote is never closed");
            found.help("add the same quote at the end of the text");
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            let rest = at..at + after.trim_end().len();
            let found = findings.error(Code::NEEDS_QUOTES, rest, "text follows the closing quote");
            found.help("put the whole value into quotes of the other kind: `'a \"b\" c'` or `\"a 'b' c\"`");
        }
        ErrorKind::UnknownAnchor => {
            let name = after.split([' ', ',', ']', '}']).next().unwrap_or_default();
            let found = findings.error(
                Code::YAML_SYNTAX,
                at..at + name.len(),
                format!("the alias `{name}` names no anchor that stands before it"),
            );
            found.help(format!("a text that begins with `*` needs quotes: `{}`", quote(name)));
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            let found = findings.error(Code::YAML_SYNTAX, span, "this escape (`\\` and a letter) doesn't exist");
            found.help("write `\\\\` for a backslash, or use single quotes, in which it stands for itself");
        }
        kind => {
            let (message, help) = words(kind);
            findings.error(Code::YAML_SYNTAX, span, message).help(help);
        }
    }
}

/// Reports that lists and maps are nested too deeply.
pub(in crate::lang) fn report_depth(span: Range<usize>, deepest: usize, findings: &mut Findings) {
    let message = format!("lists and maps are nested more than {deepest} levels deep here");
    findings.error(Code::TOO_DEEP, span, message).help("no rule needs that: is a bracket missing?");
}

/// A flow map or list has something after a value: mostly `${x}` or `a[0]` without quotes.
fn flow(text: &FileText, at: usize, line: &Range<usize>, findings: &mut Findings) {
    let value = value_at(text, at, line);
    // A key is quoted without its value.
    let value = value.split_once(": ").map_or(value, |(key, _)| key);
    let start = at - (text.get(line.start..at).len() - value_start(text.get(line.start..at)));
    let span = start..(start + value.len()).max(at + 1).min(line.end.max(at));
    if value.contains("${") {
        let found = findings.error(Code::NEEDS_QUOTES, span, "a text with `${…}` needs quotes within `{ }` and `[ ]`");
        found.help(format!("write `{}`", quote(value)));
    } else if value.contains(['[', '{']) {
        let found =
            findings.error(Code::NEEDS_QUOTES, span, "a text with brackets needs quotes within `{ }` and `[ ]`");
        found.help(format!("write `{}`", quote(value)));
    } else if let Some(hash) = comment_before(text, at) {
        let end = hash + text.get(hash..at).find('\n').unwrap_or(at - hash);
        let found = findings.error(Code::CUT_BY_COMMENT, hash..end, "the text ends here: ` #` begins a comment");
        found.help("within brackets too: put the whole text into quotes, as in `\"Room #${n}\"`");
    } else {
        let span = at..at + text.get(at..line.end).chars().next().map_or(0, char::len_utf8);
        let found = findings.error(Code::YAML_SYNTAX, span, "a `,` or the closing bracket is expected here");
        found
            .help("separate the items by commas, close the bracket, and put texts with special characters into quotes");
    }
}

/// Returns where a comment begins on the last line with text before `at`, where a sign follows its `#` at once.
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
        Some(_) => "` #` begins a comment, within brackets too: put the text with the `#` into quotes".to_owned(),
        None => format!("add the `{close}`"),
    };
    findings.error(Code::YAML_SYNTAX, at..at + 1, message).help(help);
}

/// A second `: ` on a line, or a key that is indented under a text.
fn colon(text: &FileText, at: usize, line: &Range<usize>, findings: &mut Findings) {
    let before = text.get(line.start..at);
    if let Some((_, value)) = before.split_once(": ") {
        let start = at - value.len();
        let whole = text.get(start..line.end).trim_end();
        let found = findings.error(Code::NEEDS_QUOTES, at..at + 1, "a text with `: ` in it needs quotes");
        found.help(format!("write `{}`", quote(whole)));
        return;
    }
    let key = before.trim_start();
    let start = at - key.len();
    let message = format!("`{key}:` is indented as if it belonged to the text before it");
    let found = findings.error(Code::YAML_SYNTAX, start..at, message);
    found.help("keys of one map begin in the same column; a key with a map below it has no text on its own line");
}

fn words(kind: &ErrorKind) -> (String, &'static str) {
    match kind {
        ErrorKind::ExpectedBlockMappingKey => (
            "a key (`name: value`) is expected here".to_owned(),
            "keys of one map begin in the same column, and each is followed by a colon",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "an item of the list (`- …`) is expected here".to_owned(),
            "all items of a list begin with `- ` in the same column",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a `:` is missing after this key".to_owned(), "write `key: value`, with a space after the colon")
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidBlockScalarIndent | ErrorKind::InvalidQuotedScalarIndent => (
            "this line is indented by too little or too much".to_owned(),
            "keys of one map, and items of one list, begin in the same column",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => {
            ("a list can't begin here".to_owned(), "put the `- ` on a line of its own, below its key")
        }
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            ("this bracket closes nothing".to_owned(), "remove it, or put the text into quotes")
        }
        other => (format!("this isn't YAML: {other}"), "see how the line before it ends, and how this one is indented"),
    }
}

/// Returns the value without quotes in which byte `at` stands, up to the end of what was meant as one.
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

/// Returns where the value begins that ends `before`: after the last `: `, `, `, `- ` or bracket.
fn value_start(before: &str) -> usize {
    let begins = [": ", ", ", "- ", "{ ", "[ ", "{", "["];
    let start = begins.iter().filter_map(|mark| before.rfind(mark).map(|offset| offset + mark.len())).max();
    let start = start.unwrap_or(0);
    start + before.get(start..).map_or(0, |rest| rest.len() - rest.trim_start().len())
}

/// Returns `text` in quotes that need no escapes, where that is possible.
fn quote(text: &str) -> String {
    if text.contains('"') { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}
