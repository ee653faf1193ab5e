//! The view of one device: what it has, what it says and said, what it can be told, and which rules have to do with it.

use maud::{Markup, html};

use crate::api::view::{DeviceRule, PropertyHistory, WhyLink};
use crate::api::{DeviceAnswer, PropertyAnswer};
use crate::page::Look;
use crate::page::chart::chart;
use crate::page::rule::why_list;
use crate::page::shown::{counted, encoded, one_line, prose, rule_link, topic_address};

use super::control::Control;
use super::list::{problems, spoke, value};

/// The stretches of time that can be asked for, with their words.
const STRETCHES: [(&str, &str); 4] = [("1h", "1 hour"), ("24h", "1 day"), ("7d", "7 days"), ("30d", "30 days")];

/// So many properties are drawn at once; the others are unfolded.
const DRAWN: usize = 4;

/// The view of one device.
pub struct DevicePage<'a> {
    /// The device.
    pub device: &'a DeviceAnswer,
    /// What its properties said over time.
    pub histories: &'a [PropertyHistory],
    /// The stretch of time that is drawn.
    pub stretch: &'a str,
    /// Whether messages are recorded.
    pub is_recorded: bool,
    /// The rules that read or command it.
    pub rules: &'a [DeviceRule],
    /// What commanded it last, and what caused that.
    pub why: &'a [WhyLink],
}

/// Returns the view.
#[must_use]
pub fn device(look: &Look, view: &DevicePage<'_>) -> Markup {
    let device = view.device;
    let address = format!("/api/devices/{}/set", encoded(&device.id));
    html! {
        h1 { bdi { (one_line(&device.label)) } @if device.available == Some(false) { " " span.pill.failed { "not available" } } }
        @for problem in problems(device) { p.card.problem { (prose(&problem)) } }
        @if let Some(reason) = &device.refuses { p.card.problem { "It can't be commanded: " (prose(reason)) } }
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
        section aria-labelledby="properties-title" {
            h2 #properties-title { "Properties" }
            ul.rows.topics.card { @for one in &device.properties { (property(look, &address, one)) } }
        }
        (rules(view))
        @if !view.why.is_empty() {
            section aria-labelledby="why-title" { h2 #why-title { "Who commanded it last, and why" } (why_list(look, view.why)) }
        }
        (history(look, view))
    }
}

fn rules(view: &DevicePage<'_>) -> Markup {
    let words = |rule: &DeviceRule| {
        let words = [(rule.is_started, "is started by it"), (rule.reads, "reads it"), (rule.commands, "commands it")];
        words.iter().filter(|(is_so, _)| *is_so).map(|(_, words)| *words).collect::<Vec<_>>().join(", ")
    };
    html! {
        section #rules aria-labelledby="rules-title" {
            h2 #rules-title { "Rules " span.count { (view.rules.len()) } }
            @if view.rules.is_empty() {
                p.card.calm { "No rule reads or commands it." }
            } @else {
                ul.rows.rules.card {
                    @for rule in view.rules {
                        li {
                            span.what {
                                @if let Some(name) = &rule.name { strong { bdi { (one_line(name)) } } " " }
                                (rule_link(&rule.rule))
                            }
                            span.state { (words(rule)) }
                        }
                    }
                }
                p { a href={ "/graph?device=" (encoded(&view.device.id)) } { "Show them as a graph" } }
            }
        }
    }
}

fn history(look: &Look, view: &DevicePage<'_>) -> Markup {
    let address = |stretch: &str| format!("/devices/{}?last={stretch}#history", encoded(&view.device.id));
    html! {
        section #history aria-labelledby="history-title" {
            h2 #history-title { "History" }
            nav.chips aria-label="Time" {
                @for (stretch, words) in STRETCHES {
                    a href=(address(stretch)) aria-current=[(stretch == view.stretch).then_some("true")] { (words) }
                }
            }
            @if view.histories.is_empty() {
                p.card.calm {
                    "It said nothing in this time."
                    @if !view.is_recorded { " The recorder is off: only what's in memory is shown." }
                }
            }
            @for one in view.histories.iter().take(DRAWN) { (drawn(look, one)) }
            @if view.histories.len() > DRAWN {
                details #more-history {
                    summary { @match view.histories.len() - DRAWN { 1 => "1 more property", more => { (more) " more properties" } } }
                    @for one in view.histories.iter().skip(DRAWN) { (drawn(look, one)) }
                }
            }
        }
    }
}

fn drawn(look: &Look, one: &PropertyHistory) -> Markup {
    let history = &one.history;
    let name = history.field.as_deref().unwrap_or_default();
    html! {
        div.card {
            h3 {
                (one_line(name)) @if let Some(unit) = &one.unit { ", " (one_line(unit)) }
                " " span.count { (counted(history.found, "value")) }
            }
            (chart(look, history))
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
            span.value.controls {
                @if property.is_said { span.said { (value(property)) } }
                @if let Some(said) = &property.misfit { span.wrong { "says " code { bdi { (one_line(&said.to_string())) } } } " " }
                @if property.can_set { (control.markup()) }
            }
            span.times { @if let Some(at) = property.changed_at { (look.age(at)) } }
        }
    }
}
