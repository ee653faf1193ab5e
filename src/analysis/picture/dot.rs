//! The picture in the language of Graphviz.

use std::fmt::Write as _;

use super::{Arrow, BoxKind, Picture};

impl Picture {
    /// Returns the picture in the language of Graphviz.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph home {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11];\n");
        for (place, found) in self.boxes.iter().enumerate() {
            let shape = match found.kind {
                BoxKind::Rule => "shape=box, style=\"rounded,filled\", fillcolor=\"#dbeafe\"",
                BoxKind::Topic => "shape=box, style=filled, fillcolor=\"#f4f4f5\"",
                BoxKind::Input => "shape=box, style=\"rounded,filled\", fillcolor=\"#fef3c7\"",
                BoxKind::Invariant => "shape=hexagon, style=filled, fillcolor=\"#fee2e2\"",
                BoxKind::Device => "shape=box, style=filled, fillcolor=\"#dcfce7\"",
            };
            let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let lines: Vec<String> = found.lines().map(escaped).collect();
            let label = lines.join("\\n");
            let _ = writeln!(text, "  n{place} [label=\"{label}\", {shape}];");
        }
        for (from, to, arrow) in &self.arrows {
            let style = match arrow {
                Arrow::Wakes => "",
                Arrow::Asked => " [style=dashed]",
                Arrow::Writes => " [color=\"#1d4ed8\"]",
                Arrow::Heard => " [style=dotted]",
            };
            let _ = writeln!(text, "  n{from} -> n{to}{style};");
        }
        text.push_str("}\n");
        text
    }
}
