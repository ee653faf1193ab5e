//! The view Try: another text for a file, checked, and replayed beside the rules in force.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::Finding;
use crate::api::view::Difference;
use crate::model::Told;

use super::Look;
use super::shown::{counted, one_line, prose, rule_link, topic_link};

/// The view Try.
pub struct TrialPage<'a> {
    /// The rule files there are.
    pub files: &'a [String],
    /// The file that is tried; empty: a new one.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What tells one version of it from another.
    pub tag: Option<&'a str>,
    /// What was found in it.
    pub findings: &'a [Finding],
    /// The line where one begins to read, from 1.
    pub line: Option<u32>,
    /// Whether it may be saved.
    pub may_save: bool,
    /// Whether there's something to replay.
    pub is_recorded: bool,
}

/// Returns the view.
#[must_use]
pub fn trial(view: &TrialPage<'_>) -> Markup {
    html! {
        h1 { "Try" }
        p.muted {
            "Change a file's text, and see what would have been different. "
            @if view.may_save { "Nothing changes until you save." }
            @else { "Nothing is changed by it: saving from the page is off (" code { "web: { edit: true }" } " in homerule.yaml)." }
        }
        form.filter method="get" action="/try" {
            label { span { "File" }
                select name="file" data-submit="" {
                    @if view.file.is_empty() { option value="" selected { "choose one" } }
                    @for file in view.files { option value=(file) selected[file == view.file] { (file) } }
                }
            }
            button type="submit" { "Open" }
        }
        @if !view.file.is_empty() {
            form #trial .trial data-file=(view.file) data-tag=[view.tag] data-line=[view.line] {
                div.editor {
                    pre.gutter aria-hidden="true" {}
                    textarea #text name="text" spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
                        aria-label={ "Text of " (view.file) } aria-describedby="found" { "\n" (view.text) }
                }
                p.muted.hint { "Tab leaves the text; two spaces indent." }
                div #found aria-live="polite" { (findings(view.findings, view.file)) }
                div.bar {
                    label { span { "Replay since" }
                        select name="since" disabled[!view.is_recorded] {
                            option value="1h" { "an hour ago" }
                            option value="1d" selected { "a day ago" }
                            option value="7d" { "a week ago" }
                        }
                    }
                    button.main type="submit" disabled[!view.is_recorded] { "What would have been different?" }
                    @if view.may_save { button type="button" data-save="" { "Save" } }
                }
                @if !view.is_recorded { p.muted { "The recorder is off, so there's nothing to replay." } }
                div #difference role="status" aria-live="polite" {}
            }
        }
    }
}

/// Returns what was found in a text, that of `file` first.
#[must_use]
pub fn findings(findings: &[Finding], file: &str) -> Markup {
    let (own, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.file == file);
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    html! {
        @if own.is_empty() && errors == 0 {
            p.card.calm { span.good-dot {} "It loads." }
        } @else {
            ul.cards {
                @for finding in own.iter().chain(others.iter().filter(|finding| finding.is_error())) {
                    li.card.(if finding.is_error() { "problem" } else { "pending" }) data-severity=(finding.severity)
                        data-at=[(finding.file == file).then(|| format!("{}:{}", finding.line, finding.column))] {
                        p.head {
                            span.kind { (finding.severity) }
                            @if finding.file == file {
                                " " button.plain type="button" data-goto={ (finding.line) ":" (finding.column) } { "line " (finding.line) ", column " (finding.column) }
                            } @else { " " bdi { (one_line(&finding.place())) } }
                            span.end.muted { (finding.code) }
                        }
                        p { (prose(&finding.message)) }
                        @if let Some(help) = &finding.help { p.muted { "Help: " (prose(help)) } }
                    }
                }
            }
        }
    }
}

/// Returns what would have been different, by rule.
#[must_use]
pub fn difference(look: &Look, difference: &Difference) -> Markup {
    let (new, gone) = (difference.only_here.len(), difference.only_there.len());
    html! {
        @if new + gone == 0 {
            p.card.calm { span.good-dot {} "Nothing would have been different in " (counted(messages(difference), "message")) "." }
        } @else {
            p {
                "In " (counted(messages(difference), "message")) ": " strong { (new) } " published only with this text, "
                strong { (gone) } " only with the rules in force."
                @if difference.left_out > 0 { " " (difference.left_out) " more aren't shown." }
            }
        }
        @if difference.is_cut { p.card.pending { "There was no time for all of it: only the first part was replayed." } }
        @for (rule, why) in &difference.failed { p.card.problem { (rule_link(rule)) " fails with this text: " (prose(why)) } }
        @for (rule, of_rule) in &difference.by_rule {
            h3 { (rule_link(rule)) }
            ul.rows.difference.card {
                @for (line, is_new) in in_order(&of_rule.only_here, &of_rule.only_there) {
                    li.(if is_new { "new" } else { "gone" }) {
                        span.sign { (if is_new { "+" } else { "−" }) span.unseen { (if is_new { " only with this text" } else { " only with the rules in force" }) } }
                        span.at { @if let Some(at) = text(line, "tst").parse().ok() { (look.time(at)) } }
                        span.what { (topic_link(text(line, "topic"))) " " (super::shown::payload(told(line))) }
                    }
                }
            }
        }
    }
}

fn messages(difference: &Difference) -> usize {
    usize::try_from(difference.messages).unwrap_or(usize::MAX)
}

/// Returns what can be told of the payload of a recording line.
fn told(line: &Value) -> Told<'_> {
    let bytes = line.get("payloadlen").and_then(Value::as_u64).and_then(|bytes| usize::try_from(bytes).ok());
    let is_too_large = line.get("too_large").and_then(Value::as_bool).unwrap_or_default();
    match line.get("payload").and_then(Value::as_str) {
        Some(text) => Told::Text(text),
        None if is_too_large => Told::TooLarge(bytes.unwrap_or_default()),
        None if line.get("payload_b64").is_some_and(Value::is_string) => Told::Bytes(bytes.unwrap_or_default()),
        None => Told::Empty,
    }
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns both sides by their times; the flag says whether it's only with the new text.
fn in_order<'a>(here: &'a [Value], there: &'a [Value]) -> Vec<(&'a Value, bool)> {
    let here = here.iter().map(|line| (line, true));
    let mut all: Vec<_> = there.iter().map(|line| (line, false)).chain(here).collect();
    all.sort_by_key(|(line, _)| text(line, "tst"));
    all
}
