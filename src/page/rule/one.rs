//! The view of one rule: how it stands, why it doesn't run, its runs, its text.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::api::view::{SourceAnswer, VerdictAnswer, Waiting};
use crate::api::{ObstacleAnswer, RuleAnswer, TraceAnswer};
use crate::model::Told;
use crate::page::Look;
use crate::page::now::waiting_list;
use crate::page::shown::{encoded, one_line, outcome, payload, prose, rule_address, topic_link};

use super::run::row;
use super::source::source;
use super::strip::strip;
use super::verdict::verdict;

/// The outcomes in the order of their chips.
const OUTCOMES: [&str; 6] = ["running", "failed", "finished", "stopped", "cancelled", "skipped"];

/// The view of one rule.
pub struct RulePage<'a> {
    /// The rule.
    pub rule: &'a RuleAnswer,
    /// The rules that `each` made of it, if it's what makes them.
    pub instances: &'a [RuleAnswer],
    /// How it stands; `None`: it makes rules, and is none itself.
    pub verdict: Option<&'a VerdictAnswer>,
    /// What kept it from running.
    pub obstacle: Option<&'a ObstacleAnswer>,
    /// Its text.
    pub source: Option<&'a SourceAnswer>,
    /// What of it waits.
    pub waiting: &'a [Waiting],
    /// Its last runs, and what didn't run, newest first.
    pub traces: &'a [TraceAnswer<'a>],
    /// The outcome that is asked for; empty: any.
    pub outcome: &'a str,
    /// The moment that is asked about; `None`: now.
    pub at: Option<Timestamp>,
    /// Why the moment can't be shown.
    pub trouble: Option<&'a str>,
}

/// Returns the view.
#[must_use]
pub fn rule(look: &Look, view: &RulePage<'_>) -> Markup {
    let rule = view.rule;
    let address = rule_address(&rule.id);
    html! {
        (head(look, view, &address))
        @if !view.instances.is_empty() {
            section aria-labelledby="instances-title" {
                h2 #instances-title { "Made of it " span.count { (view.instances.len()) } }
                ul.rows.rules.card {
                    @for one in view.instances {
                        li {
                            span.what { (crate::page::shown::rule_link(&one.id)) }
                            span.state { @match &one.last_run { Some(last) => { (outcome(&last.outcome)) " " (look.age(last.at)) }, None => span.muted { "hasn't run yet" } } }
                        }
                    }
                }
            }
        }
        @if view.verdict.is_some() || view.trouble.is_some() { (stands(look, view, &address)) }
        @if view.at.is_none() && !view.waiting.is_empty() {
            section aria-labelledby="waits-title" { h2 #waits-title { "Waiting" } (waiting_list(look, view.waiting)) }
        }
        (runs(look, view, &address))
        @if let Some(text) = view.source {
            section aria-labelledby="source-title" {
                h2 #source-title { "Source" }
                p.muted {
                    "Marked is what the last run did. "
                    a href={ "/try?file=" (encoded(&text.file)) "&line=" (text.line) } { "Try a change" }
                    " · " span { bdi { (one_line(&rule.place)) } }
                    @if text.stale { " · " span.wrong { "the file on the disk says otherwise, and isn't in force" } }
                }
                (source(text, view.traces.iter().find(|trace| trace.outcome != "skipped")))
            }
        }
    }
}

fn head(look: &Look, view: &RulePage<'_>, address: &str) -> Markup {
    let rule = view.rule;
    let api = format!("/api{address}");
    let is_one = view.verdict.is_some() || view.instances.is_empty();
    html! {
        div.headline {
            div {
                h1 { bdi { (one_line(rule.name.as_deref().unwrap_or(&rule.id))) } }
                p.muted {
                    @if rule.name.is_some() { code { bdi { (one_line(&rule.id)) } } " · " }
                    "mode " (rule.mode)
                    @if rule.dry_run { " · dry run" }
                    @for tag in &rule.tags { " · " a.tag href={ "/rules?tag=" (encoded(tag)) } { (one_line(tag)) } }
                }
                @if let Some(description) = &rule.description { p { (prose(description)) } }
            }
            div.actions {
                @if is_one {
                    button type="button" role="switch" aria-checked=(rule.enabled.to_string())
                        data-post={ (api) "/" (if rule.enabled { "disable" } else { "enable" }) }
                        data-done=(if rule.enabled { "Switched off." } else { "Switched on." }) { span.knob {} "On" }
                    @if view.waiting.iter().any(|waits| waits.kind == "override") {
                        button.main type="button" data-post={ (api) "/resume" } data-done="It goes on." { "Resume" }
                    }
                    button type="button" data-post={ (api) "/run" } data-done="It runs, whatever its conditions say." { "Run now" }
                    a.button href={ "/graph?rule=" (encoded(&rule.id)) } { "Graph" }
                    a.button href={ "/test" (address) } { "Write as test" }
                }
            }
        }
        p.lead {
            @if !rule.enabled { span.pill.off { "off" } " " }
            @if rule.stale { span.pill.stale { "stale" } " " }
            @if let Some(since) = rule.doing.running_since { (outcome("running")) " since " (look.when(since)) " " }
            @match &rule.last_run {
                Some(last) => {
                    @if rule.doing.running_since.is_some() { "· before that " }
                    (outcome(&last.outcome)) " " (look.age(last.at))
                    @if let Some(reason) = &last.reason { " " span.wrong { (prose(reason)) } }
                },
                None => @if rule.doing.running_since.is_none() { "It hasn't run yet." },
            }
        }
    }
}

fn stands(look: &Look, view: &RulePage<'_>, address: &str) -> Markup {
    html! {
        section #stands aria-labelledby="stands-title" {
            h2 #stands-title { @match view.at { Some(at) => { "At " (look.short(at)) }, None => "Now" } }
            // What ran last is told above.
            @if let Some(obstacle) = view.obstacle.filter(|obstacle| obstacle.by.is_some() || view.at.is_some()) {
                (why_not(look, obstacle))
            }
            form.filter.moment method="get" action=(address) {
                label { span { "Ask about another moment" }
                    input type="datetime-local" step="1" name="at" value=(look.for_field(view.at.unwrap_or(look.now))); }
                button type="submit" { "Ask" }
                @if view.at.is_some() { a.quiet href=(address) { "Now" } }
            }
            div.card.strip-card title="A click asks about that moment" { (strip(look, &view.rule.id, view.traces, view.at)) }
            @if let Some(trouble) = view.trouble { p.card.calm { (prose(trouble)) } }
            @if let Some(found) = view.verdict {
                @if let Some(topic) = &found.topic { p.muted { "Judged as if the last message on " (topic_link(topic)) " came again." } }
                (verdict(found))
            }
        }
    }
}

fn why_not(look: &Look, obstacle: &ObstacleAnswer) -> Markup {
    let (class, title) = match obstacle.by {
        None => ("calm", "It ran"),
        Some("failed") => ("problem", "It failed"),
        Some(_) => ("pending", "Why it doesn't run"),
    };
    html! {
        div.card.(class) {
            p.head { span.kind { (title) } @if let Some(at) = obstacle.at { span.end { (look.when(at)) } } }
            p { (prose(&obstacle.message)) }
            @if !obstacle.near.is_empty() {
                h3 { "Messages that came near" }
                ul.parts {
                    @for near in &obstacle.near {
                        li {
                            span.at { (look.time(near.at)) }
                            span.what { (topic_link(&near.topic)) " " (payload(Told::of_text(&text_of(&near.value), None))) " " (prose(&near.why)) }
                            span.path { (one_line(&near.path)) }
                        }
                    }
                }
            }
        }
    }
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn runs(look: &Look, view: &RulePage<'_>, address: &str) -> Markup {
    let count = |word: &str| view.traces.iter().filter(|trace| trace.outcome == word).count();
    let shown: Vec<&TraceAnswer<'_>> =
        view.traces.iter().filter(|trace| view.outcome.is_empty() || trace.outcome == view.outcome).collect();
    // What didn't run is dull where much else did.
    let is_dull = |trace: &&TraceAnswer<'_>| trace.outcome == "skipped" && view.outcome.is_empty();
    let (dull, told): (Vec<_>, Vec<_>) = shown.into_iter().partition(is_dull);
    html! {
        section #runs aria-labelledby="runs-title" {
            h2 #runs-title { "Runs" }
            @if view.traces.is_empty() {
                p.card.calm { "Nothing is remembered of it: it hasn't been triggered since the daemon started." }
            } @else {
                nav.chips aria-label="Runs by outcome" {
                    a href={ (address) "#runs" } aria-current=[view.outcome.is_empty().then_some("true")] { "all " span.count { (view.traces.len()) } }
                    @for word in OUTCOMES {
                        @if count(word) > 0 {
                            a.(word) href={ (address) "?outcome=" (word) "#runs" } aria-current=[(word == view.outcome).then_some("true")] {
                                (word) " " span.count { (count(word)) }
                            }
                        }
                    }
                }
                div.card.runs {
                    @for (index, trace) in told.iter().enumerate() {
                        (row(look, trace, index == 0 && trace.outcome == "failed"))
                    }
                    @if !dull.is_empty() {
                        details.dull #dull open[told.is_empty()] {
                            summary { (dull.len()) " that didn't run" }
                            @for trace in &dull { (row(look, trace, false)) }
                        }
                    }
                }
            }
        }
    }
}
