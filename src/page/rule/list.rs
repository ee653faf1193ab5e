//! The view of all rules: how each last ended, and what it does now; to be searched.

use maud::{Markup, html};

use crate::api::RuleAnswer;
use crate::page::Look;
use crate::page::shown::{counted, encoded, one_line, outcome, pages, prose, rule_link};

/// The outcomes that can be asked for.
const OUTCOMES: [&str; 7] = ["failed", "finished", "stopped", "cancelled", "never", "running", "off"];

/// The view of all rules.
pub struct RulesPage<'a> {
    /// The rules of this page that are wanted.
    pub rules: &'a [RuleAnswer],
    /// How many are wanted in all.
    pub found: usize,
    /// How many there are.
    pub all: usize,
    /// The text that is searched for.
    pub text: &'a str,
    /// The tag.
    pub tag: &'a str,
    /// The outcome.
    pub outcome: &'a str,
    /// All tags that there are.
    pub tags: &'a [String],
    /// The number of this page, from 1, and of the last.
    pub pages: (usize, usize),
}

/// Returns the view.
#[must_use]
pub fn rules(look: &Look, view: &RulesPage<'_>) -> Markup {
    let is_filtered = !view.text.is_empty() || !view.tag.is_empty() || !view.outcome.is_empty();
    html! {
        h1 { "Rules " span.count { (view.all) } }
        form.filter method="get" action="/rules" role="search" {
            label { span { "Text" } input type="search" name="text" value=(view.text) placeholder="name, id or description" autocomplete="off"; }
            @if !view.tags.is_empty() {
                label { span { "Tag" }
                    select name="tag" {
                        option value="" { "any" }
                        @for tag in view.tags { option value=(tag) selected[tag == view.tag] { (tag) } }
                    }
                }
            }
            label { span { "Last outcome" }
                select name="outcome" {
                    option value="" { "any" }
                    @for word in OUTCOMES { option value=(word) selected[word == view.outcome] { (word) } }
                }
            }
            button type="submit" { "Search" }
            @if is_filtered { a.quiet href="/rules" { "All rules" } }
        }
        @if view.rules.is_empty() {
            p.card.calm {
                @if view.all == 0 { "There are no rules yet. Put a file into the folder " code { "rules" } " and it's in force within a second." }
                @else { "No rule is like that." }
            }
        } @else {
            @if is_filtered { p.muted { (counted(view.found, "rule")) " found" } }
            ul.rows.rules.card { @for rule in view.rules { li { (row(look, rule)) } } }
            (pager(view))
        }
    }
}

fn row(look: &Look, rule: &RuleAnswer) -> Markup {
    html! {
        span.what {
            @if let Some(name) = &rule.name { strong { bdi { (one_line(name)) } } " " }
            (rule_link(&rule.id))
            @if let Some(description) = &rule.description { span.muted.below { (prose(description)) } }
            @if !rule.tags.is_empty() {
                span.below { @for tag in &rule.tags { a.tag href={ "/rules?tag=" (encoded(tag)) } { (one_line(tag)) } " " } }
            }
        }
        span.state {
            @if !rule.enabled { span.pill.off { "off" } " " }
            @if rule.stale { span.pill.stale { "stale" } " " }
            @if rule.dry_run { span.pill { "dry run" } " " }
            @if rule.doing.running_since.is_some() { (outcome("running")) " " }
            @match &rule.last_run {
                Some(last) => { (outcome(&last.outcome)) " " (look.age(last.at)) },
                None => @if rule.doing.running_since.is_none() { span.muted { "hasn't run yet" } },
            }
            @for (words, at) in rule.doing.parts() {
                span.muted.below { (words) " " (look.time(at)) }
            }
        }
        @if let Some(reason) = rule.last_run.as_ref().and_then(|last| last.reason.as_ref()) {
            span.wrong.whole { (prose(reason)) }
        }
    }
}

fn pager(view: &RulesPage<'_>) -> Markup {
    let address = |page: usize| {
        format!(
            "/rules?text={}&tag={}&outcome={}&page={page}",
            encoded(view.text),
            encoded(view.tag),
            encoded(view.outcome)
        )
    };
    pages(view.pages, address)
}
