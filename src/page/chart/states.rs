//! Values that aren't numbers, as bars: a colour for each, and their meaning below.

use maud::{Markup, html};
use serde_json::Value;

use crate::api::view::History;
use crate::page::Look;
use crate::page::shown::one_line;

use super::{TimeScale, percent, time_axis};

/// How high the bars are.
const HEIGHT: u32 = 36;

/// So many colours there are; the values after share the last.
const COLOURS: usize = 8;

/// Returns the chart.
pub(super) fn chart(look: &Look, history: &History) -> Markup {
    let colours = colours(history);
    let said =
        history.points.last().map_or(String::new(), |last| format!("At last: {}.", one_line(&text(&last.value))));
    html! {
        svg.chart width="100%" height=(HEIGHT + 22) role="img" aria-label=(said) {
            (time_axis(look, history.from, history.to, HEIGHT))
            (bars(look, history, &colours, 4, HEIGHT - 8))
        }
        ul.legend {
            @for (index, value) in colours.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
                li { svg.swatch width="12" height="12" aria-hidden="true" { rect.(colour(index)) width="12" height="12" rx="3" {} } " " bdi { (one_line(value)) } }
            }
        }
    }
}

/// Returns the bars of a lane, `height` high.
pub(in crate::page) fn bars(look: &Look, history: &History, colours: &[String], y: u32, height: u32) -> Markup {
    let scale = TimeScale::new(history.from, history.to);
    let ends = history.points.iter().skip(1).map(|point| point.at).chain([history.to.min(look.now)]);
    html! {
        @for (point, end) in history.points.iter().zip(ends) {
            @let (from, to) = (scale.part(point.at), scale.part(end));
            @let told = text(&point.value);
            @let index = colours.iter().position(|known| *known == told).unwrap_or(COLOURS);
            rect.(colour(index)) x=(percent(from)) y=(y) width=(percent((to - from).max(0.001))) height=(height) {
                title { (look.short(point.at)) ": " (one_line(&told)) }
            }
        }
    }
}

/// Returns the values, each with a colour by its place: what means off or no comes first, in grey.
pub(in crate::page) fn colours(history: &History) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for point in &history.points {
        let text = text(&point.value);
        if !values.contains(&text) && values.len() < COLOURS {
            values.push(text);
        }
    }
    let is_off = |value: &String| {
        let word = value.to_ascii_lowercase();
        matches!(word.as_str(), "off" | "false" | "closed" | "offline" | "idle" | "no" | "0" | "null" | "away")
    };
    values.sort_by_key(|value| !is_off(value));
    if !values.first().is_some_and(is_off) {
        // The first colour is for what is off.
        values.insert(0, String::new());
    }
    values.truncate(COLOURS);
    values
}

fn colour(index: usize) -> String {
    format!("c{}", index.min(COLOURS - 1))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
