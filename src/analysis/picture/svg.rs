//! The picture as SVG. Where each box and arrow lies is a library's decision; how they look is ours.

use std::fmt::Write as _;

use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::{LineStyleKind, StyleAttr};
use layout::std_shapes::shapes::{Arrow as Edge, Element, LineEndKind, ShapeKind};
use layout::topo::layout::VisualGraph;

use super::{Arrow, BoxKind, Picture};

const FONT_SIZE: usize = 12;

/// How a picture looks, in light and in the dark.
const STYLE: &str = "svg{font:12px system-ui,sans-serif;color:#18181b;background:#fff}\
.rule{fill:#dbeafe;stroke:#1d4ed8}.topic{fill:#f4f4f5;stroke:#a1a1aa}.line{fill:none;stroke:#71717a}.asked{stroke-dasharray:5 4}\
.writes{stroke:#1d4ed8}.heard{stroke-dasharray:1 4}text{fill:currentColor;text-anchor:middle;dominant-baseline:central}\
@media(prefers-color-scheme:dark){svg{color:#f4f4f5;background:#18181b}.rule{fill:#1e3a8a}.topic{fill:#3f3f46}}";

impl Picture {
    /// Returns the picture as SVG, for a browser.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut graph = VisualGraph::new(Orientation::LeftToRight);
        let look = || StyleAttr::new(Color::transparent(), 1, None, 6, FONT_SIZE);
        let handles: Vec<_> = self
            .boxes
            .iter()
            .map(|found| {
                let class = match found.kind {
                    BoxKind::Rule => "rule",
                    BoxKind::Topic => "topic",
                };
                let shape = ShapeKind::Box(found.label.clone());
                // The size follows from the label.
                let (orientation, size) = (Orientation::LeftToRight, Point::zero());
                graph.add_node(Element::create_with_properties(shape, look(), orientation, size, class))
            })
            .collect();
        for (from, to, arrow) in &self.arrows {
            let (Some(from), Some(to)) = (handles.get(*from), handles.get(*to)) else { continue };
            let class = match arrow {
                Arrow::Wakes => "wakes",
                Arrow::Asked => "asked",
                Arrow::Writes => "writes",
                Arrow::Heard => "heard",
            };
            let style = LineStyleKind::Normal;
            let mut edge = Edge::new(LineEndKind::None, LineEndKind::Arrow, style, "", &look(), &None, &None);
            edge.properties = Some(class.to_owned());
            graph.add_edge(edge, *from, *to);
        }
        let mut canvas = Canvas::default();
        if !self.boxes.is_empty() {
            graph.do_it(false, false, false, &mut canvas);
        }
        canvas.finish()
    }
}

/// Draws what the library has laid out.
#[derive(Default)]
struct Canvas {
    boxes: String,
    lines: String,
    width: f64,
    height: f64,
}

impl Canvas {
    fn reach(&mut self, point: Point) {
        self.width = self.width.max(point.x);
        self.height = self.height.max(point.y);
    }

    fn finish(self) -> String {
        let (width, height) = (self.width + 20.0, self.height + 20.0);
        let arrowhead = "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto-start-reverse\">\
                         <path d=\"M0 0 8 4 0 8z\" fill=\"#71717a\"/></marker></defs>";
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Rules and topics\">\n\
             <style>{STYLE}</style>\n{arrowhead}\n{}{}</svg>\n",
            self.lines, self.boxes
        )
    }
}

impl RenderBackend for Canvas {
    fn draw_rect(&mut self, xy: Point, size: Point, _: &StyleAttr, class: Option<String>, _: Option<ClipHandle>) {
        self.reach(xy.add(size));
        let class = class.unwrap_or_default();
        let round = if class == "rule" { 8 } else { 2 };
        let _ = writeln!(
            self.boxes,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{round}\"/>",
            xy.x, xy.y, size.x, size.y
        );
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_text(&mut self, xy: Point, text: &str, _: &StyleAttr) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        if !text.is_empty() {
            let _ = writeln!(self.boxes, "<text x=\"{:.1}\" y=\"{:.1}\">{text}</text>", xy.x, xy.y);
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        (starts, ends): (bool, bool),
        _: &StyleAttr,
        class: Option<String>,
        _: &str,
    ) {
        let mut line = String::new();
        for (index, (point, control)) in path.iter().enumerate() {
            self.reach(*point);
            let _ = match index {
                0 => write!(line, "M{:.1} {:.1}C{:.1} {:.1}", point.x, point.y, control.x, control.y),
                1 => write!(line, " {:.1} {:.1} {:.1} {:.1}", point.x, point.y, control.x, control.y),
                _ => write!(line, "S{:.1} {:.1} {:.1} {:.1}", point.x, point.y, control.x, control.y),
            };
        }
        let class = class.unwrap_or_default();
        let head =
            |is_there: bool, at: &str| if is_there { format!(" marker-{at}=\"url(#head)\"") } else { String::new() };
        let (start, end) = (head(starts, "start"), head(ends, "end"));
        let _ = writeln!(self.lines, "<path class=\"line {class}\" d=\"{line}\"{start}{end}/>");
    }

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}
