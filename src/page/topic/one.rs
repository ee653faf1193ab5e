//! The view of one topic: what it says, what it said, who said it and why.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::StateAnswer;
use crate::api::view::{History, WhyLink};
use crate::page::Look;
use crate::page::chart::chart;
use crate::page::rule::why_list;
use crate::page::shown::{counted, encoded, one_line, topic_address};

use super::json::pretty;

/// The stretches of time that can be asked for, with their words.
const STRETCHES: [(&str, &str); 4] = [("1h", "1 hour"), ("24h", "1 day"), ("7d", "7 days"), ("30d", "30 days")];

/// The most fields that are offered.
const MOST_FIELDS: usize = 30;

/// The view of one topic.
pub struct TopicPage<'a> {
    /// The topic.
    pub topic: &'a str,
    /// What is known of it; `None`: nothing.
    pub state: Option<&'a StateAnswer>,
    /// What it said before.
    pub before: Option<&'a Value>,
    /// What it said over time; `None`: that can't be shown.
    pub history: Option<&'a History>,
    /// The field that is drawn; empty: the whole.
    pub field: &'a str,
    /// The stretch of time that is drawn.
    pub stretch: &'a str,
    /// Whether messages are recorded.
    pub is_recorded: bool,
    /// What published it last, and what caused that.
    pub why: &'a [WhyLink],
}

/// Returns the view.
#[must_use]
pub fn topic(look: &Look, view: &TopicPage<'_>) -> Markup {
    html! {
        h1.topic-name { bdi { (one_line(view.topic)) } }
        @match view.state {
            None => p.card.calm { "No message has been heard on this topic." },
            Some(state) => section aria-label="Value" { (value(look, view, state)) },
        }
        @if let Some(history) = view.history { (history_section(look, view, history)) }
        @if !view.why.is_empty() {
            section aria-labelledby="why-title" { h2 #why-title { "Why" } (why_list(look, view.why)) }
        }
        (publish(view))
    }
}

fn value(look: &Look, view: &TopicPage<'_>, state: &StateAnswer) -> Markup {
    html! {
        div.card {
            (pretty(state.told(), &state.value, view.before))
            dl.facts {
                div { dt { "Last message" } dd { (look.when(state.at)) } }
                div { dt { "Changed" } dd { (look.when(state.changed_at)) } }
                div { dt { "From" } dd { (state.origin.as_str()) @if state.retained { ", retained" } } }
                @if let Some(device) = &state.device { div { dt { "Device" } dd { (one_line(device)) } } }
            }
        }
    }
}

fn history_section(look: &Look, view: &TopicPage<'_>, history: &History) -> Markup {
    let fields = view.state.map(|state| fields(&state.value)).unwrap_or_default();
    let address =
        |field: &str, stretch: &str| format!("{}?field={}&last={stretch}", topic_address(view.topic), encoded(field));
    html! {
        section #history aria-labelledby="history-title" {
            h2 #history-title { "History" @if !view.field.is_empty() { " of " code { (one_line(view.field)) } } }
            div.bar {
                nav.chips aria-label="Time" {
                    @for (stretch, words) in STRETCHES {
                        a href=(address(view.field, stretch)) aria-current=[(stretch == view.stretch).then_some("true")] { (words) }
                    }
                }
                @if fields.len() > 1 {
                    nav.chips aria-label="Field" {
                        @for field in &fields {
                            a href=(address(field, view.stretch)) aria-current=[(field == view.field).then_some("true")] {
                                @if field.is_empty() { "whole" } @else { (one_line(field)) }
                            }
                        }
                    }
                }
            }
            div.card {
                @if history.points.is_empty() {
                    p.muted {
                        "No message is known of this time."
                        @if !view.is_recorded { " The recorder is off: only what's in memory is shown." }
                    }
                } @else {
                    (chart(look, history))
                    details #values {
                        summary { (counted(history.found, "message")) @if history.found > history.points.len() { ", thinned out" } }
                        table.plain {
                            thead { tr { th { "Time" } th { "Value" } } }
                            tbody {
                                @for point in history.points.iter().rev().take(100) {
                                    tr { td { (look.time(point.at)) } td { code { bdi { (one_line(&text_of(&point.value))) } } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Returns the paths of a payload whose values can be drawn; the first is the one that one wants to see.
fn fields(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, String::new(), &mut found);
    found.truncate(MOST_FIELDS);
    found
}

fn collect(value: &Value, path: String, found: &mut Vec<String>) {
    if found.len() >= MOST_FIELDS {
        return;
    }
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter().filter(|(name, _)| is_plain(name)) {
                collect(inner, if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
            }
        }
        Value::Null | Value::Array(_) => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(path),
    }
}

/// Returns whether a key stands in a path as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
}

fn publish(view: &TopicPage<'_>) -> Markup {
    let is_own = view.topic.starts_with('$');
    html! {
        @if !is_own {
            section aria-labelledby="publish-title" {
                h2 #publish-title { "Publish" }
                form.card.publish data-publish=(view.topic) {
                    label { span { "Payload" } textarea name="payload" rows="3" spellcheck="false" {} }
                    div.bar {
                        label.check { input type="checkbox" name="retain"; " Retained" }
                        button.main type="submit" { "Publish" }
                        @if view.state.is_some_and(|state| state.retained) {
                            button type="button" data-clear=(view.topic) data-ask="Clear the retained message? Whoever subscribes won't be told the value any more." { "Clear what's retained" }
                        }
                    }
                }
            }
        }
    }
}
