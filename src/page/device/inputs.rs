//! The view of inputs: what people set by hand, and what they should have been told.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::{InputAnswer, UndeliveredNotification};
use crate::page::Look;
use crate::page::shown::{encoded, one_line};

use super::control::Control;
use super::undelivered::undelivered;

/// Returns the view.
#[must_use]
pub fn inputs(look: &Look, inputs: &[InputAnswer], not_delivered: &[UndeliveredNotification]) -> Markup {
    html! {
        h1 { "Inputs " span.count { (inputs.len()) } }
        @if inputs.is_empty() {
            p.card.calm { "No rule file has " code { "inputs:" } ". They are what you set by hand and rules read." }
        } @else {
            ul.rows.topics.card { @for input in inputs { (row(look, input)) } }
        }
        (undelivered(look, not_delivered))
    }
}

fn row(look: &Look, input: &InputAnswer) -> Markup {
    let address = format!("/api/inputs/{}", encoded(&input.name));
    let holds = match input.kind {
        "toggle" => "boolean",
        "button" => "press",
        kind => kind,
    };
    let name = input.title.as_deref().unwrap_or(&input.name);
    let control = Control {
        address: &address,
        key: "value",
        name,
        holds,
        value: &input.value,
        words: input.options.iter().map(|word| &**word).collect(),
        range: (input.min, input.max, input.step),
    };
    let body = serde_json::json!({ "value": null }).to_string();
    html! {
        li {
            span.what {
                (one_line(name))
                @if input.title.is_some() { " " code { (one_line(&input.name)) } }
                " " span.muted { bdi { (one_line(&input.place)) } }
            }
            span.value.controls {
                @if !input.value.is_null() {
                    span.said {
                        @match &input.value {
                            Value::Bool(true) => "on",
                            Value::Bool(false) => "off",
                            Value::String(text) => bdi { (one_line(text)) },
                            other => (one_line(&other.to_string())),
                        }
                        @if let Some(unit) = &input.unit { " " (one_line(unit)) }
                    }
                }
                (control.markup())
                @if input.is_set && input.kind != "button" {
                    button.quiet type="button" data-post=(address) data-body=(body) data-done={ (one_line(name)) ": as the file says" } { "Default" }
                }
            }
            span.times { @if let Some(at) = input.changed_at { (look.age(at)) } }
        }
    }
}
