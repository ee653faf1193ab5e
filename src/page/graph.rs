//! The view Graph: rules, topics and devices as a picture, and the same as a list beside it.

use maud::{Markup, html};

use crate::api::view::{GraphAnswer, GraphArrow, GraphBox};
use crate::api::{Drawing, DrawnBox};

use super::shown::{counted, encoded, one_line, pages, prose, rule_address, topic_address};

/// How far one may look around what is asked for, with the words for it.
const REACHES: [(usize, &str); 4] = [(1, "next to it"), (2, "two steps"), (3, "three steps"), (4, "four steps")];

/// The most links of one line of the list.
const MOST_LINKS: usize = 12;

/// The lines of a rule in the list: the kind of arrow, whether it comes to the rule, and the words before what is beside it.
const LINES: [(&str, bool, &str); 4] = [
    ("wakes", true, "Started by"),
    ("asked", true, "Reads"),
    ("writes", false, "Writes"),
    ("writes", true, "Run or switched by"),
];

/// The view of the graph.
pub struct GraphPage<'a> {
    /// What is shown.
    pub answer: &'a GraphAnswer,
    /// The same with its places.
    pub drawing: &'a Drawing,
    /// All rules of the home.
    pub rules: &'a [String],
    /// The rule that is asked for; empty: none.
    pub rule: &'a str,
    /// The topic or filter.
    pub topic: &'a str,
    /// The device.
    pub device: &'a str,
    /// How many steps away something may be.
    pub reach: usize,
    /// Whether a part of the home is asked for.
    pub is_part: bool,
    /// Why what is asked for can't be shown.
    pub trouble: Option<&'a str>,
    /// The number of this page, from 1, and of the last.
    pub pages: (usize, usize),
}

/// Returns the view.
#[must_use]
pub fn graph(view: &GraphPage<'_>) -> Markup {
    let answer = view.answer;
    html! {
        h1 { "Graph" }
        (filter(view))
        @if let Some(trouble) = view.trouble { p.card.problem #trouble role="alert" { (prose(trouble)) } }
        @else if answer.boxes.is_empty() {
            p.card.calm { "There are no rules yet that read or write a topic." }
        } @else {
            p.muted { (told(view)) }
            (pages(view.pages, |page| format!("/graph?page={page}")))
            div.card.picture-card role="region" aria-label="Picture" tabindex="0" { (picture(view.drawing)) }
            (legend())
            (list(view))
        }
    }
}

fn filter(view: &GraphPage<'_>) -> Markup {
    html! {
        form.filter method="get" action="/graph" role="search" {
            label { span { "Rule" }
                input type="text" name="rule" value=(view.rule) list="all-rules" placeholder="hall:light" autocomplete="off"
                    aria-describedby=[view.trouble.map(|_| "trouble")]; }
            label { span { "Topic or filter" } input type="text" name="topic" value=(view.topic) placeholder="home/hall/#" autocomplete="off"; }
            @if !view.device.is_empty() {
                label { span { "Device" } input type="text" name="device" value=(view.device) autocomplete="off"; }
            }
            label { span { "How far" }
                select name="reach" {
                    @for (steps, words) in REACHES { option value=(steps) selected[steps == view.reach] { (words) } }
                }
            }
            button type="submit" { "Show" }
            @if view.is_part { a.quiet href="/graph" { "The whole home" } }
        }
        datalist #all-rules { @for rule in view.rules { option value=(rule) {} } }
    }
}

/// Returns what the picture holds, in words.
fn told(view: &GraphPage<'_>) -> String {
    let count = |kind: &str| view.answer.boxes.iter().filter(|found| found.kind == kind).count();
    let topics = count("topic") + count("device");
    let mut told = format!("{} and {}", counted(count("rule"), "rule"), counted(topics, "topic"));
    if count("invariant") > 0 {
        told = format!("{}, {}", counted(count("invariant"), "invariant"), told);
    }
    if view.answer.left_out > 0 {
        return format!("{told}; {} more would be too many to read: ask for less", view.answer.left_out);
    }
    if view.pages.1 > 1 {
        let all = counted(view.rules.len(), "rule");
        return format!("{told} of a home with {all}: ask for a rule or a topic to see what is around it");
    }
    told
}

/// Returns where a click on a box leads.
fn address(kind: &str, name: &str, device: Option<&str>) -> String {
    match (kind, device) {
        ("rule", _) => rule_address(name),
        ("input", _) => "/inputs".to_owned(),
        ("invariant", _) => format!("/graph?rule={}", encoded(name)),
        (_, Some(device)) => format!("/devices/{}", encoded(device)),
        _ if name.contains(['+', '#']) => format!("/topics?filter={}", encoded(name)),
        _ => topic_address(name),
    }
}

fn picture(drawing: &Drawing) -> Markup {
    let (width, height) = drawing.size;
    html! {
        svg.picture #picture width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="group"
            aria-label="Rules, topics, devices and inputs. The list below says the same." {
            defs {
                marker #head markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto" { path d="M0 0 8 4 0 8z" {} }
            }
            g.joins aria-hidden="true" {
                @for arrow in &drawing.arrows {
                    path class={ "join " (arrow.arrow.as_str()) } d=(arrow.path) marker-end="url(#head)" data-from=(arrow.from) data-to=(arrow.to) {}
                }
            }
            @for (place, found) in drawing.boxes.iter().enumerate() { (drawn(place, found)) }
        }
    }
}

fn drawn(place: usize, found: &DrawnBox) -> Markup {
    let about = &found.about;
    let kind = about.kind.as_str();
    let said: Vec<&str> = about.lines().collect();
    html! {
        a.(kind) href=(address(kind, &about.name, about.device.as_deref())) data-box=(place) aria-label={ (kind) " " (one_line(&said.join(", "))) } {
            rect x=(found.at.0) y=(found.at.1) width=(found.size.0) height=(found.size.1) rx=(found.round()) { title { (one_line(&about.name)) } }
            @for (index, (line, y)) in found.lines.iter().enumerate() {
                text.below[index > 0] x=(found.middle()) y=(y) { (one_line(line)) }
            }
        }
    }
}

fn legend() -> Markup {
    let line = |kind: &str| html! { svg.swatch width="34" height="12" aria-hidden="true" { path class={ "join " (kind) } d="M0 6H34" {} } " " };
    html! {
        p.legend-line {
            span { (line("wakes")) "starts" } " "
            span { (line("asked")) "is read" } " "
            span { (line("writes")) "writes, runs or switches" } " "
            span { (line("heard")) "is heard as" } " "
            span.muted { "A click leads to the rule, the topic or the device." }
        }
    }
}

/// Returns the same as a list, rule by rule.
fn list(view: &GraphPage<'_>) -> Markup {
    let boxes = &view.answer.boxes;
    html! {
        section #list aria-labelledby="list-title" {
            h2 #list-title { "Rule by rule" }
            ul.rows.card.graph-list {
                @for (place, found) in boxes.iter().enumerate().filter(|(_, found)| is_told(found)) {
                    li data-row=(place) {
                        span.what {
                            @if let Some(title) = &found.title { strong { bdi { (one_line(title)) } } " " }
                            (link(found))
                            @if boxes.len() > 1 && view.rule != found.name {
                                " " a.quiet href={ "/graph?rule=" (encoded(&found.name)) } aria-label={ "Only what is around " (one_line(&found.name)) } { "only around it" }
                            }
                        }
                        dl.joined {
                            @for (kind, comes_in, words) in LINES { (line(view.answer, place, kind, comes_in, words)) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns whether the list tells of it: of rules, and of what must never happen.
fn is_told(found: &GraphBox) -> bool {
    found.kind == "rule" || found.kind == "invariant"
}

fn line(answer: &GraphAnswer, place: usize, kind: &str, comes_in: bool, words: &str) -> Markup {
    let arrows = answer.arrows.iter().filter(|arrow| arrow.kind == kind);
    let other = |arrow: &GraphArrow| {
        let (own, other) = if comes_in { (arrow.to, arrow.from) } else { (arrow.from, arrow.to) };
        (own == place).then_some(other)
    };
    let found: Vec<&GraphBox> = arrows.filter_map(other).filter_map(|other| answer.boxes.get(other)).collect();
    html! {
        @if !found.is_empty() {
            div {
                dt { (words) }
                dd {
                    @for (index, one) in found.iter().take(MOST_LINKS).enumerate() {
                        @if index > 0 { ", " }
                        @if let Some(title) = one.title.as_ref().filter(|_| !is_told(one)) { bdi { (one_line(title)) } " " }
                        (link(one))
                    }
                    @if found.len() > MOST_LINKS { ", and " (found.len() - MOST_LINKS) " more" }
                }
            }
        }
    }
}

fn link(found: &GraphBox) -> Markup {
    let class = if is_told(found) { "rule" } else { "topic" };
    html! { a.(class) href=(address(&found.kind, &found.name, found.device.as_deref())) { bdi { (one_line(&found.name)) } } }
}
