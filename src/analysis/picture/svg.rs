//! Pictures as SVG: boxes in columns from left to right, in the direction in which messages go.

use std::fmt::Write as _;

use super::{Arrow, BoxKind, Picture};

/// How a picture looks, in light and in the dark.
const STYLE: &str = "svg{font:12px system-ui,sans-serif;color:#18181b;background:#fff}\
.rule{fill:#dbeafe;stroke:#1d4ed8}.topic{fill:#f4f4f5;stroke:#a1a1aa}.line{fill:none;stroke:#71717a}.asked{stroke-dasharray:5 4}\
.writes{stroke:#1d4ed8}.heard{stroke-dasharray:1 4}text{fill:currentColor;text-anchor:middle;dominant-baseline:central}\
@media(prefers-color-scheme:dark){svg{color:#f4f4f5;background:#18181b}.rule{fill:#1e3a8a}.topic{fill:#3f3f46}}";

/// The height of a box, and the room between boxes of a column and between columns, in pixels.
const HEIGHT: usize = 28;
const BETWEEN: usize = 18;
const ASIDE: usize = 90;

/// How wide a letter is at most, nearly.
const LETTER: usize = 7;

/// Where a box stands: its left upper corner, and its width.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    x: usize,
    y: usize,
    width: usize,
}

impl Place {
    fn middle(self) -> usize {
        self.y + HEIGHT / 2
    }
}

impl Picture {
    /// Returns the picture as SVG, for a browser.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let places = self.places();
        let width = places.iter().map(|place| place.x + place.width).max().unwrap_or_default() + 20;
        let height = places.iter().map(|place| place.y + HEIGHT).max().unwrap_or_default() + 50;
        let arrowhead = "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">\
                         <path d=\"M0 0 8 4 0 8z\" fill=\"#71717a\"/></marker></defs>";
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"Rules and topics\">\n<style>{STYLE}</style>\n{arrowhead}\n"
        );
        for (from, to, arrow) in &self.arrows {
            if let (Some(from), Some(to)) = (places.get(*from), places.get(*to)) {
                // Writing into a text never fails, here and below.
                let _ = writeln!(
                    svg,
                    "<path class=\"line {}\" d=\"{}\" marker-end=\"url(#head)\"/>",
                    class(*arrow),
                    line(*from, *to)
                );
            }
        }
        for (found, place) in self.boxes.iter().zip(&places) {
            let (class, round) = match found.kind {
                BoxKind::Rule => ("rule", 8),
                BoxKind::Topic => ("topic", 2),
            };
            let Place { x, y, width } = place;
            let text = found.label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let (center, middle) = (x + width / 2, place.middle());
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" rx=\"{round}\"/>"
            );
            let _ = writeln!(svg, "<text x=\"{center}\" y=\"{middle}\">{text}</text>");
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Returns where each box stands.
    fn places(&self) -> Vec<Place> {
        let columns = self.columns();
        let mut places = vec![Place::default(); self.boxes.len()];
        let mut x = 10;
        for column in 0..=columns.iter().max().copied().unwrap_or_default() {
            let mut inside: Vec<usize> =
                (0..self.boxes.len()).filter(|index| columns.get(*index) == Some(&column)).collect();
            // Beside what leads to them, on the whole.
            inside.sort_by_key(|index| {
                let before =
                    self.arrows.iter().filter(|(from, to, _)| to == index && columns.get(*from) < Some(&column));
                let heights: Vec<usize> =
                    before.filter_map(|(from, ..)| places.get(*from)).map(|place| place.y).collect();
                heights.iter().sum::<usize>().checked_div(heights.len())
            });
            let width =
                |index: &usize| self.boxes.get(*index).map_or(0, |found| found.label.chars().count() * LETTER + 20);
            let widest = inside.iter().map(width).max().unwrap_or_default();
            for (row, index) in inside.iter().enumerate() {
                if let Some(place) = places.get_mut(*index) {
                    *place = Place { x, y: 10 + row * (HEIGHT + BETWEEN), width: width(index) };
                }
            }
            x += widest + ASIDE;
        }
        places
    }

    /// Returns the column of each box: behind all that lead to it, but for arrows that close a circle.
    fn columns(&self) -> Vec<usize> {
        let mut columns = vec![0; self.boxes.len()];
        let mut open: Vec<usize> = (0..self.boxes.len()).collect();
        while !open.is_empty() {
            let waits = |index: &usize| {
                self.arrows.iter().any(|(from, to, _)| to == index && from != index && open.contains(from))
            };
            // In a circle each waits for another: then the first goes.
            let next = open.iter().position(|index| !waits(index)).unwrap_or_default();
            let done = open.remove(next);
            let column = columns.get(done).copied().unwrap_or_default();
            for (_, to, _) in self.arrows.iter().filter(|(from, to, _)| *from == done && open.contains(to)) {
                if let Some(other) = columns.get_mut(*to) {
                    *other = (column + 1).max(*other);
                }
            }
        }
        columns
    }
}

fn class(arrow: Arrow) -> &'static str {
    match arrow {
        Arrow::Wakes => "wakes",
        Arrow::Asked => "asked",
        Arrow::Writes => "writes",
        Arrow::Heard => "heard",
    }
}

/// Returns the line of an arrow: to the right as a bow, and back around below.
fn line(from: Place, to: Place) -> String {
    let (start, end) = (from.x + from.width, to.x);
    if start < end {
        let half = (end - start) / 2;
        let (one, other) = (from.middle(), to.middle());
        return format!("M{start} {one}C{} {one} {} {other} {end} {other}", start + half, end - half);
    }
    let (start, end) = (from.x + from.width / 2, to.x + to.width / 2);
    let (one, other) = (from.y + HEIGHT, to.y + HEIGHT);
    let below = one.max(other) + 30;
    format!("M{start} {one}C{start} {below} {end} {below} {end} {other}")
}
