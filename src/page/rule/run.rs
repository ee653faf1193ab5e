//! A run: what led to it, its steps, and how its waits lie in time.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::api::view::WhyLink;
use crate::api::{StepAnswer, TraceAnswer};
use crate::explain::{LocalTime, cause_in_short};
use crate::page::Look;
use crate::page::look::exact;
use crate::page::shown::{one_line, outcome, prose, rule_link, topic_link};

use super::verdict::values;

/// Returns the view of one run with what led to it, the outermost cause first.
#[must_use]
pub fn one_run(look: &Look, trace: &TraceAnswer<'_>, before: &[WhyLink]) -> Markup {
    html! {
        h1 { @match trace.run { Some(run) => { "Run " (run) }, None => "No run" } " of " (rule_link(trace.rule)) }
        div.card.run { (whole(look, trace)) }
        @if !before.is_empty() {
            h2 { "What led to it" }
            (why_list(look, before))
        }
    }
}

/// Returns a chain of causes, the outermost first.
pub(in crate::page) fn why_list(look: &Look, links: &[WhyLink]) -> Markup {
    html! {
        ol.rows.why.card {
            @for link in links {
                li {
                    span.at { (look.time(link.at)) }
                    span.what {
                        @match &link.rule {
                            Some(rule) => {
                                (rule_link(rule)) " ran, by " (prose(&link.cause))
                                @if let Some(run) = link.run { " " a.muted href={ "/runs/" (run) } { "run " (run) } }
                                @if let Some(outcome) = &link.outcome { " " span.muted { (prose(outcome)) } }
                            },
                            None => {
                                @if let Some(topic) = &link.topic { (topic_link(topic)) " was published by " } (prose(&link.cause))
                            },
                        }
                        @if !link.steps.is_empty() {
                            details { summary { "Steps" } pre.steps { @for line in &link.steps { (one_line(line)) "\n" } } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns a trace in one line, which opens.
pub(super) fn row(look: &Look, trace: &TraceAnswer<'_>, is_open: bool) -> Markup {
    let key = trace.run.map_or_else(|| format!("t-{}", trace.at.as_microsecond()), |run| format!("run-{run}"));
    html! {
        details.run id=(key) open[is_open] {
            summary {
                span.at { (look.time(trace.at)) }
                span.what {
                    (outcome(trace.outcome))
                    @if let Some(by) = trace.by_word() { " " span.muted { (by_words(&by)) } }
                    @if let Some(reason) = &trace.reason { " " span.(if trace.outcome == "failed" { "wrong" } else { "muted" }) { (prose(reason)) } }
                    @if let Some(times) = trace.times { " " span.muted { (times) " times since " (look.short(trace.first_at.unwrap_or(trace.at))) } }
                    " " span.muted { "by " (prose(&cause(look, trace))) }
                }
                (bar(trace))
            }
            (whole(look, trace))
        }
    }
}

/// Returns in words what kept a rule from running, or ended its run.
fn by_words(by: &str) -> String {
    match by {
        "condition" => "its condition was false".to_owned(),
        "unknown" => "its condition was unknown".to_owned(),
        "mode" => "its mode dropped it".to_owned(),
        "cooldown" => "its cooldown wasn't over".to_owned(),
        "disabled" => "it was off".to_owned(),
        "resting" => "it was resting".to_owned(),
        "override" => "it yields: somebody changed what it commands".to_owned(),
        "hold" => "its `for` was broken".replace('`', ""),
        "restart" => "by a new run".to_owned(),
        "while_ended" => "its while ended".to_owned(),
        other => format!("by {}", other.replace('_', " ")),
    }
}

fn cause(look: &Look, trace: &TraceAnswer<'_>) -> String {
    cause_in_short(trace.cause.0, &LocalTime::new(look.zone.clone()))
}

/// Returns all that is known of a trace.
fn whole(look: &Look, trace: &TraceAnswer<'_>) -> Markup {
    let length = trace.ended_at.duration_since(trace.at);
    html! {
        dl.facts {
            div { dt { "Began" } dd { (look.when(trace.at)) } }
            div { dt { "Outcome" } dd { (outcome(trace.outcome)) @if let Some(by) = trace.by_word() { " " (by_words(&by)) } } }
            @if length.as_millis() > 0 { div { dt { "Took" } dd { (exact(length)) } } }
            div { dt { "Cause" } dd {
                @match trace.cause.0.message() {
                    Some((topic, _)) => (topic_link(topic.as_str())),
                    None => (prose(&cause(look, trace))),
                }
                @if let Some(run) = trace.cause.0.run { ", " a href={ "/runs/" (run.0) } { "run " (run.0) } }
            } }
        }
        @if let Some(reason) = &trace.reason { p.(if trace.outcome == "failed" { "wrong" } else { "muted" }) { (prose(reason)) } }
        (axis(trace))
        @if trace.steps.is_empty() { p.muted { "It took no step." } }
        ol.steps {
            @for (step, gap) in with_gaps(trace) {
                li.(step.verdict.unwrap_or_default()) {
                    span.path { (one_line(step.path)) }
                    span.what {
                        span.kind { (step.what) } " "
                        @if let Some(source) = step.source { code { bdi { (one_line(source)) } } " " }
                        @if !step.result.is_empty() { (result(step)) }
                        (values(&step.values))
                    }
                    span.at { (look.time(step.at)) @if let Some(gap) = gap { span.gap { "+" (exact(gap)) } } }
                }
            }
        }
    }
}

fn result(step: &StepAnswer<'_>) -> Markup {
    html! {
        @match step.verdict {
            Some(verdict) => {
                span.pill.answer.(verdict) { (verdict) }
                @if let Some(why) = &step.why { " " (prose(why)) }
            },
            None => span.result { (prose(&one_line(&step.result))) },
        }
    }
}

/// Returns the steps with how long after the one before each was.
fn with_gaps<'a>(
    trace: &'a TraceAnswer<'a>,
) -> impl Iterator<Item = (&'a StepAnswer<'a>, Option<jiff::SignedDuration>)> {
    let mut last: Option<Timestamp> = None;
    trace.steps.iter().map(move |step| {
        let gap = last.map(|last| step.at.duration_since(last)).filter(|gap| gap.as_millis() > 0);
        last = Some(step.at);
        (step, gap)
    })
}

/// A part of a run's time: from and until when, in hundredths of the whole, and what it did then.
struct Part<'a> {
    from: f64,
    to: f64,
    what: &'a str,
    length: jiff::SignedDuration,
}

/// Returns the parts of a run between its steps; none for one that took no time.
fn parts<'a>(trace: &'a TraceAnswer<'_>) -> Vec<Part<'a>> {
    let whole = trace.ended_at.duration_since(trace.at).as_secs_f64();
    if whole < 0.001 {
        return Vec::new();
    }
    let place = |at: Timestamp| (at.duration_since(trace.at).as_secs_f64() / whole * 100.0).clamp(0.0, 100.0);
    let mut parts = Vec::new();
    let mut last: Option<&StepAnswer<'_>> = None;
    let ends = trace.steps.iter().map(|step| (step.at, Some(step))).chain([(trace.ended_at, None)]);
    for (at, step) in ends {
        if let Some(last) = last.filter(|last| at.duration_since(last.at).as_millis() > 0) {
            let length = at.duration_since(last.at);
            parts.push(Part { from: place(last.at), to: place(at), what: last.what, length });
        }
        last = step.or(last);
    }
    parts
}

/// Returns the waits of a run to scale, small.
fn bar(trace: &TraceAnswer<'_>) -> Markup {
    let parts = parts(trace);
    html! {
        @if !parts.is_empty() {
            svg.runbar width="100%" height="6" aria-hidden="true" {
                @for part in &parts {
                    rect.(part.what) x={ (format!("{:.2}", part.from)) "%" } width={ (format!("{:.2}", (part.to - part.from).max(0.4))) "%" } height="6" {}
                }
            }
        }
    }
}

/// Returns the waits of a run to scale, with their lengths.
fn axis(trace: &TraceAnswer<'_>) -> Markup {
    let parts = parts(trace);
    let told: Vec<String> = parts.iter().map(|part| format!("{} {}", part.what, exact(part.length))).collect();
    html! {
        @if !parts.is_empty() {
            svg.axis width="100%" height="34" role="img" aria-label={ "In its time: " (told.join(", ")) } {
                @for part in &parts {
                    @let width = (part.to - part.from).max(0.4);
                    rect.(part.what) x={ (format!("{:.2}", part.from)) "%" } y="2" width={ (format!("{width:.2}")) "%" } height="12" {}
                    @if width > 18.0 {
                        text x={ (format!("{:.2}", part.from + width / 2.0)) "%" } y="28" text-anchor="middle" { (part.what) " " (exact(part.length)) }
                    }
                }
            }
        }
    }
}
