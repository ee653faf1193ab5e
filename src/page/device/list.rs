//! The view of devices: by area, with what each says.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::{DeviceAnswer, DevicesAnswer, PropertyAnswer};
use crate::page::Look;
use crate::page::shown::{encoded, one_line, prose};

/// How many properties stand in the list.
const IN_A_LIST: usize = 4;

/// Returns the view.
#[must_use]
pub fn devices(look: &Look, view: &DevicesAnswer) -> Markup {
    let mut areas: Vec<(Option<&str>, Vec<&DeviceAnswer>)> = Vec::new();
    for device in &view.devices {
        let area = device.area.as_deref();
        match areas.last_mut().filter(|(last, _)| *last == area) {
            Some((_, devices)) => devices.push(device),
            None => areas.push((area, vec![device])),
        }
    }
    html! {
        h1 { "Devices " span.count { (view.devices.len()) } }
        @if view.devices.is_empty() {
            p.card.calm { "No device is known. docs/devices.md says what to switch on so that they're found." }
        }
        @for (area, devices) in &areas {
            section {
                h2 { (one_line(area.unwrap_or("No area"))) }
                ul.rows.topics.card { @for device in devices { (row(look, device)) } }
            }
        }
        @if !view.diagnostics.is_empty() {
            section {
                h2 { "What can't be read" }
                @for found in &view.diagnostics {
                    p.card.problem { strong { bdi { (one_line(&found.about)) } } " " (prose(&found.message)) }
                }
            }
        }
    }
}

fn row(look: &Look, device: &DeviceAnswer) -> Markup {
    let said: Vec<&PropertyAnswer> = device.properties.iter().filter(|property| !property.value.is_null()).collect();
    html! {
        li {
            span.what {
                a href={ "/devices/" (encoded(&device.id)) } { bdi { (one_line(&device.label)) } }
                " " span.muted { (device.kind) }
                @if device.available == Some(false) { " " strong { "not available" } }
                @if !device.diagnostics.is_empty() { " " strong { "has a problem" } }
            }
            span.value {
                @for (index, property) in said.iter().take(IN_A_LIST).enumerate() {
                    @if index > 0 { " · " }
                    span.muted { (one_line(&property.name)) } " " (value(property))
                }
            }
            span.times { (spoke(look, device)) }
        }
    }
}

/// Returns how long ago a device spoke.
pub(super) fn spoke(look: &Look, device: &DeviceAnswer) -> Markup {
    let age = device.age.and_then(|seconds| jiff::SignedDuration::try_from_secs_f64(seconds).ok());
    match age.and_then(|age| look.now.checked_sub(age).ok()) {
        Some(at) => look.age(at),
        None => html! { span.muted { "never heard" } },
    }
}

/// Returns what was last said of a property, with its unit.
pub(super) fn value(property: &PropertyAnswer) -> Markup {
    html! {
        @match &property.value {
            Value::Null => span.muted { "not said" },
            Value::String(text) => bdi { (one_line(text)) },
            other => (one_line(&other.to_string())),
        }
        @if let Some(unit) = property.unit.as_deref().filter(|_| !property.value.is_null()) { " " (one_line(unit)) }
    }
}
