//! How a rule stands at a moment, part by part.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::api::view::{VerdictAnswer, VerdictPart};
use crate::page::shown::{one_line, prose};

/// Returns a table of the parts.
pub(super) fn verdict(verdict: &VerdictAnswer) -> Markup {
    html! {
        div.verdict.card {
            (parts("Starts with", &verdict.triggers, "Nothing starts it."))
            (parts("Lets it run", &verdict.gates, ""))
            @if !verdict.conditions.is_empty() { (parts("Asks", &verdict.conditions, "")) }
        }
    }
}

fn parts(title: &str, parts: &[VerdictPart], none: &str) -> Markup {
    html! {
        h3 { (title) }
        @if parts.is_empty() { p.muted { (none) } }
        ul.parts {
            @for part in parts {
                li {
                    span.pill.answer.(part.result) { (part.result) }
                    span.what {
                        @if part.source.contains('`') { (prose(&part.source)) } @else { code { bdi { (one_line(&part.source)) } } }
                        @if let Some(why) = &part.why { ", " span.why { (prose(why)) } }
                        (values(&part.values))
                    }
                    span.path { (one_line(&part.path)) }
                }
            }
        }
    }
}

/// Returns the values that were read.
pub(super) fn values(values: &Map<String, Value>) -> Markup {
    html! {
        @if !values.is_empty() {
            ul.values {
                @for (name, value) in values {
                    li { code { bdi { (one_line(name)) } } " = " code { bdi { (one_line(&value.to_string())) } } }
                }
            }
        }
    }
}
