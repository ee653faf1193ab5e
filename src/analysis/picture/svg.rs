//! Pictures as SVG, for a browser.

use std::fmt::Write as _;

use super::Picture;

/// How a picture looks, in light and in the dark.
const STYLE: &str = "svg{font:12px system-ui,sans-serif;color:#18181b;background:#fff}\
.rule{fill:#dbeafe;stroke:#1d4ed8}.topic{fill:#f4f4f5;stroke:#a1a1aa}.device{fill:#dcfce7;stroke:#15803d}\
.input{fill:#fef3c7;stroke:#b45309}.invariant{fill:#fee2e2;stroke:#b91c1c}.line{fill:none;stroke:#71717a}.asked{stroke-dasharray:5 4}.writes{stroke:#1d4ed8}.heard{stroke-dasharray:1 4}\
text{fill:currentColor;text-anchor:middle;dominant-baseline:central}.below{fill:#71717a;font-size:11px}\
@media(prefers-color-scheme:dark){svg{color:#f4f4f5;background:#18181b}.rule{fill:#1e3a8a}.topic{fill:#3f3f46}.device{fill:#14532d}.input{fill:#451a03}.invariant{fill:#450a0a}\
.below{fill:#a1a1aa}}";

impl Picture {
    /// Returns the picture as SVG, for a browser.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let drawing = self.draw();
        let (width, height) = drawing.size;
        let arrowhead = "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"8\" refY=\"4\" orient=\"auto\">\
                         <path d=\"M0 0 8 4 0 8z\" fill=\"#71717a\"/></marker></defs>";
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" aria-label=\"Rules, topics and devices\">\n<style>{STYLE}</style>\n{arrowhead}\n"
        );
        for arrow in &drawing.arrows {
            let (class, path) = (arrow.arrow.as_str(), &arrow.path);
            // Writing into a text never fails, here and below.
            let _ = writeln!(svg, "<path class=\"line {class}\" d=\"{path}\" marker-end=\"url(#head)\"/>");
        }
        for found in &drawing.boxes {
            let (x, y) = found.at;
            let (width, height) = found.size;
            let (class, round, middle) = (found.about.kind.as_str(), found.round(), found.middle());
            let name = escaped(&found.about.name);
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"><title>{name}</title></rect>"
            );
            for (index, (line, y)) in found.lines.iter().enumerate() {
                let class = if index == 0 { "" } else { " class=\"below\"" };
                let _ = writeln!(svg, "<text{class} x=\"{middle}\" y=\"{y}\">{}</text>", escaped(line));
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
}

/// Returns a text as it stands in XML, which has no control characters.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
