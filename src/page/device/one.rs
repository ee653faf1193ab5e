//! The view of one device: what it has, what it says, and what it can be told.

use maud::{Markup, html};

use crate::api::{DeviceAnswer, PropertyAnswer};
use crate::page::Look;
use crate::page::shown::{encoded, one_line, prose, topic_address};

use super::control::Control;
use super::list::{spoke, value};

/// Returns the view.
#[must_use]
pub fn device(look: &Look, device: &DeviceAnswer) -> Markup {
    let address = format!("/api/devices/{}/set", encoded(&device.id));
    html! {
        h1 { bdi { (one_line(&device.label)) } }
        div.card {
            dl.facts {
                div { dt { "Kind" } dd { (device.kind) } }
                @if let Some(area) = &device.area { div { dt { "Area" } dd { (one_line(area)) } } }
                @if let Some(model) = &device.model { div { dt { "Model" } dd { (one_line(model)) } } }
                div { dt { "Id" } dd { code { bdi { (one_line(&device.id)) } } } }
                @if !device.aliases.is_empty() { div { dt { "Also called" } dd { (one_line(&device.aliases.join(", "))) } } }
                @if let Some(available) = device.available { div { dt { "Available" } dd { @if available { "yes" } @else { strong { "no" } } } } }
                div { dt { "Heard" } dd { (spoke(look, device)) } }
            }
        }
        @for problem in &device.diagnostics { p.card.problem { (prose(problem)) } }
        @if let Some(reason) = &device.refuses { p.card.problem { "It can't be commanded: " (prose(reason)) } }
        section aria-labelledby="properties-title" {
            h2 #properties-title { "Properties" }
            ul.rows.topics.card { @for one in &device.properties { (property(look, &address, one)) } }
        }
    }
}

fn property(look: &Look, address: &str, property: &PropertyAnswer) -> Markup {
    let control = Control {
        address,
        key: &property.name,
        name: &property.name,
        holds: property.holds,
        value: &property.value,
        words: property.words.iter().map(|word| &**word).collect(),
        range: (property.min, property.max, property.step),
    };
    html! {
        li {
            span.what {
                @match &property.topic {
                    Some(topic) if !topic.contains(['+', '#']) => a href=(topic_address(topic)) title="What its topic says" { (one_line(&property.name)) },
                    _ => (one_line(&property.name)),
                }
            }
            span.value {
                @if property.is_said { (value(property)) " " }
                @if property.can_set { (control.markup()) }
            }
            span.times { @if let Some(at) = property.changed_at { (look.age(at)) } }
        }
    }
}
