//! The view of devices: by area, with what each says; first those that something is wrong with.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::{DeviceAnswer, DevicesAnswer, PropertyAnswer};
use crate::page::Look;
use crate::page::shown::{counted, encoded, one_line, pages, prose};

/// How many properties stand in the list.
const IN_A_LIST: usize = 4;

/// How many devices that something is wrong with are told first.
const MOST_WRONG: usize = 50;

/// The view of devices.
pub struct DevicesPage<'a> {
    /// All devices.
    pub all: &'a DevicesAnswer,
    /// Those of this page.
    pub shown: &'a [&'a DeviceAnswer],
    /// How many are wanted in all.
    pub found: usize,
    /// The text that is searched for.
    pub text: &'a str,
    /// The number of this page, from 1, and of the last.
    pub pages: (usize, usize),
}

/// Returns the view.
#[must_use]
pub fn devices(look: &Look, view: &DevicesPage<'_>) -> Markup {
    let mut areas: Vec<(Option<&str>, Vec<&DeviceAnswer>)> = Vec::new();
    for device in view.shown {
        let area = device.area.as_deref();
        match areas.last_mut().filter(|(last, _)| *last == area) {
            Some((_, devices)) => devices.push(device),
            None => areas.push((area, vec![device])),
        }
    }
    html! {
        h1 { "Devices " span.count { (view.all.devices.len()) } }
        @if view.all.devices.is_empty() {
            p.card.calm { "No device is known. docs/devices.md says what to switch on so that they're found." }
        } @else {
            (search(view))
            @if view.text.is_empty() { (wrong(look, &view.all.devices)) }
            @if view.shown.is_empty() { p.card.calm { "No device is like that." } }
        }
        @for (area, devices) in &areas {
            section {
                h2 { (one_line(area.unwrap_or("No area"))) }
                ul.rows.topics.card { @for device in devices { (row(look, device)) } }
            }
        }
        (pager(view))
        @if !view.all.diagnostics.is_empty() {
            section {
                h2 { "What can't be read" }
                @for found in &view.all.diagnostics {
                    p.card.problem { strong { bdi { (one_line(&found.about)) } } " " (prose(&found.message)) }
                }
            }
        }
    }
}

fn search(view: &DevicesPage<'_>) -> Markup {
    html! {
        form.filter method="get" action="/devices" role="search" {
            label { span { "Text" } input type="search" name="text" value=(view.text) placeholder="name, area or kind" autocomplete="off"; }
            button type="submit" { "Search" }
            @if !view.text.is_empty() { a.quiet href="/devices" { "All devices" } }
        }
        @if !view.text.is_empty() { p.muted { (counted(view.found, "device")) " found" } }
    }
}

fn wrong(look: &Look, devices: &[DeviceAnswer]) -> Markup {
    let wrong: Vec<(&DeviceAnswer, Vec<String>)> =
        devices.iter().map(|device| (device, problems(device))).filter(|(_, problems)| !problems.is_empty()).collect();
    html! {
        @if !wrong.is_empty() {
            section #wrong aria-labelledby="wrong-title" {
                h2 #wrong-title { "Something is wrong with " span.count.bad { (wrong.len()) } }
                div.cards {
                    @for (device, problems) in wrong.iter().take(MOST_WRONG) {
                        div.card.problem {
                            p.head { (link(device)) span.end { "heard " (spoke(look, device)) } }
                            @for problem in problems { p { (prose(problem)) } }
                        }
                    }
                }
                @if wrong.len() > MOST_WRONG { p.muted { (wrong.len() - MOST_WRONG) " more are marked below." } }
            }
        }
    }
}

/// Returns what is wrong with a device, a sentence each.
pub(super) fn problems(device: &DeviceAnswer) -> Vec<String> {
    let away = (device.available == Some(false))
        .then(|| "It isn't available: it says so itself, or its bridge does.".to_owned());
    let misfit = |property: &PropertyAnswer| {
        let said = property.misfit.as_ref()?;
        Some(format!("It says `{said}` for `{}`, which should be {}.", property.name, promised(property)))
    };
    let told = device.diagnostics.iter().map(ToString::to_string);
    away.into_iter().chain(device.properties.iter().filter_map(misfit)).chain(told).collect()
}

fn promised(property: &PropertyAnswer) -> String {
    match (property.holds, property.min, property.max) {
        ("number", Some(min), Some(max)) => format!("a number from {min} to {max}"),
        ("number", Some(min), None) => format!("a number of at least {min}"),
        ("number", None, Some(max)) => format!("a number of at most {max}"),
        ("number", None, None) => "a number".to_owned(),
        ("boolean", ..) => "yes or no".to_owned(),
        ("words", ..) => {
            let words: Vec<String> = property.words.iter().map(|word| format!("`{word}`")).collect();
            format!("one of {}", words.join(", "))
        }
        ("color", ..) => "a colour".to_owned(),
        _ => "something else".to_owned(),
    }
}

fn link(device: &DeviceAnswer) -> Markup {
    html! { a href={ "/devices/" (encoded(&device.id)) } { bdi { (one_line(&device.label)) } } }
}

fn row(look: &Look, device: &DeviceAnswer) -> Markup {
    let said: Vec<&PropertyAnswer> = device.properties.iter().filter(|property| !property.value.is_null()).collect();
    let is_wrong = !device.diagnostics.is_empty() || device.properties.iter().any(|property| property.misfit.is_some());
    html! {
        li {
            span.what {
                (link(device)) " " span.muted { (device.kind) }
                @if device.available == Some(false) { " " span.pill.failed { "not available" } }
                @if is_wrong { " " span.pill.failed { "has a problem" } }
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

fn pager(view: &DevicesPage<'_>) -> Markup {
    let address = |page: usize| format!("/devices?text={}&page={page}", encoded(view.text));
    pages(view.pages, address)
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
