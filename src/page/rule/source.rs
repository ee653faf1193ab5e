//! A rule's text, with marks of what ran last.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::api::TraceAnswer;
use crate::api::view::SourceAnswer;
use crate::page::shown::lines;

/// The most lines that are shown around a rule.
const MOST_LINES: usize = 400;

/// What a line's part last did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    class: &'static str,
    word: &'static str,
}

/// Returns the text of a rule's file around the rule, each line with what its parts did in the run `last`.
pub(super) fn source(source: &SourceAnswer, last: Option<&TraceAnswer<'_>>) -> Markup {
    let marks = marks(source, last);
    let (first, end) = source.stretch();
    let text = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let within = text.filter(|(number, _)| *number >= first && *number <= end).take(MOST_LINES);
    let mut shown: Vec<(usize, &str)> = within.collect();
    while shown.last().is_some_and(|(_, line)| line.trim().is_empty()) {
        shown.pop();
    }
    html! {
        div.source.card tabindex="0" role="region" aria-label={ "Source: " (source.file) } {
            table {
                tbody {
                    @for (number, line) in &shown {
                        @let mark = marks.get(number);
                        tr.(mark.map(|mark| mark.class).unwrap_or_default()) {
                            th scope="row" { (number) }
                            td.mark { @if let Some(mark) = mark { (mark.word) } }
                            td.text { code { (lines(line)) } }
                        }
                    }
                }
            }
        }
    }
}

fn marks(source: &SourceAnswer, last: Option<&TraceAnswer<'_>>) -> BTreeMap<usize, Mark> {
    let mut marks = BTreeMap::new();
    let Some(last) = last else { return marks };
    for step in &last.steps {
        let Some(part) = source.parts.iter().find(|part| part.path == step.path) else { continue };
        let mark = match step.verdict {
            Some("true") => Mark { class: "true", word: "true" },
            Some("false") => Mark { class: "false", word: "false" },
            Some("unknown") => Mark { class: "unknown", word: "unknown" },
            Some(_) => Mark { class: "failed", word: "failed" },
            None if step.result.starts_with("failed") => Mark { class: "failed", word: "failed" },
            None if step.what == "waits" => Mark { class: "waits", word: "waits" },
            None => Mark { class: "ran", word: "ran" },
        };
        let line = usize::try_from(part.line).unwrap_or_default();
        // Of several parts on one line, what went wrong says most.
        let weight = |mark: &Mark| {
            ["ran", "true", "waits", "false", "unknown", "failed"].iter().position(|word| *word == mark.word)
        };
        let known: Option<&Mark> = marks.get(&line);
        if known.is_none_or(|known| weight(known) < weight(&mark)) {
            marks.insert(line, mark);
        }
    }
    marks
}
