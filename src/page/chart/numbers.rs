//! Numbers as a line that goes on straight until the next message says otherwise.

use std::fmt::Write;

use maud::{Markup, html};

use crate::api::view::History;
use crate::page::Look;

use super::{TimeScale, percent, time_axis};

/// How high the drawing is, without what stands below.
const HEIGHT: u32 = 180;

/// Returns the chart.
pub(super) fn line(look: &Look, history: &History) -> Markup {
    let numbers: Vec<f64> = history.points.iter().filter_map(|point| point.value.as_f64()).collect();
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (bottom, top, step) = range(low, high);
    let scale = TimeScale::new(history.from, history.to);
    let y = |number: f64| (1.0 - (number - bottom) / (top - bottom)) * f64::from(HEIGHT);
    // Writing to a string doesn't fail.
    let mut path = String::new();
    for (point, number) in history.points.iter().zip(&numbers) {
        let x = scale.part(point.at) * 1000.0;
        if path.is_empty() {
            path = format!("M{x:.2} {:.2}", y(*number));
        } else {
            let _ = write!(path, "H{x:.2}V{:.2}", y(*number));
        }
    }
    let end = scale.part(history.to.min(look.now)) * 1000.0;
    let _ = write!(path, "H{end:.2}");
    let (least, most, last) = (number_text(low), number_text(high), numbers.last().copied().map(number_text));
    let said = format!(
        "From {} to {}: between {least} and {most}, at last {}.",
        look.short(history.from),
        look.short(history.to),
        last.unwrap_or_default()
    );
    let marks = marks(bottom, top, step);
    html! {
        svg.chart width="100%" height=(HEIGHT + 22) role="img" aria-label=(said) {
            (time_axis(look, history.from, history.to, HEIGHT))
            g.value-axis {
                @for mark in &marks {
                    line x1="0" x2="100%" y1=(format!("{:.1}", y(*mark))) y2=(format!("{:.1}", y(*mark))) {}
                }
            }
            svg x="0" y="0" width="100%" height=(HEIGHT) viewBox={ "0 0 1000 " (HEIGHT) } preserveAspectRatio="none" {
                path.line d=(path) vector-effect="non-scaling-stroke" {}
            }
            @if history.points.len() < 60 {
                g.dots { @for (point, number) in history.points.iter().zip(&numbers) {
                    circle cx=(percent(scale.part(point.at))) cy=(format!("{:.1}", y(*number))) r="2.5" { title { (look.short(point.at)) ": " (number_text(*number)) } }
                } }
            }
            g.value-labels {
                @for mark in &marks { text x="4" y=(format!("{:.1}", (y(*mark) - 4.0).max(11.0))) { (number_text(*mark)) } }
            }
        }
    }
}

/// Returns round numbers around two, and how far apart the marks are.
fn range(low: f64, high: f64) -> (f64, f64, f64) {
    let length = if high > low { high - low } else { low.abs().max(1.0) * 0.1 };
    let rough = length / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let (bottom, mut top) = ((low / step).floor() * step, (high / step).ceil() * step);
    if top <= bottom {
        top = bottom + step;
    }
    (bottom, top, step)
}

fn marks(bottom: f64, top: f64, step: f64) -> Vec<f64> {
    let mut marks = Vec::new();
    let mut mark = bottom;
    while mark <= top + step / 2.0 && marks.len() < 12 {
        marks.push(mark);
        mark += step;
    }
    marks
}

/// Returns a number without what a sum of parts adds to it.
fn number_text(number: f64) -> String {
    let rounded = (number * 1e6).round() / 1e6;
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::view::Point;
    use jiff::tz::TimeZone;

    #[test]
    fn marks_are_round_numbers_around_the_values() {
        assert_eq!(range(18.3, 22.9), (18.0, 24.0, 2.0));
        assert_eq!(range(-3.0, 97.0), (-25.0, 100.0, 25.0));
        let (bottom, top, _) = range(21.0, 21.0);
        assert!(bottom <= 21.0 && top > 21.0 && top - bottom < 5.0);
        assert_eq!(number_text(0.1 + 0.2), "0.3");
    }

    #[test]
    fn the_line_goes_on_straight_until_the_next_message() {
        let at = |text: &str| text.parse().unwrap();
        let point = |time: &str, value: f64| Point { at: at(time), value: value.into() };
        let history = History {
            topic: "t".to_owned(),
            field: None,
            from: at("2024-06-01T00:00:00Z"),
            to: at("2024-06-01T10:00:00Z"),
            found: 2,
            points: vec![point("2024-06-01T00:00:00Z", 0.0), point("2024-06-01T05:00:00Z", 10.0)],
        };
        let look = Look { now: at("2024-06-01T10:00:00Z"), zone: TimeZone::UTC, has_shadow: false };
        let chart = line(&look, &history).into_string();
        assert!(chart.contains("d=\"M0.00 180.00H500.00V0.00H1000.00\""), "{chart}");
        assert!(chart.contains("between 0 and 10, at last 10."), "{chart}");
    }
}
