//! The picture in the language of Mermaid, which many pages show as it is.

use std::fmt::Write as _;

use super::{Arrow, BoxKind, Picture};

impl Picture {
    /// Returns the picture in the language of Mermaid.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (place, found) in self.boxes.iter().enumerate() {
            // Quoted, a label may hold anything but quotes; `#` begins the name of a character.
            let escaped = |text: &str| text.replace('#', "#35;").replace('"', "#quot;");
            let lines: Vec<String> = found.lines().map(escaped).collect();
            let label = lines.join("<br>");
            let _ = match found.kind {
                BoxKind::Rule => writeln!(text, "  n{place}(\"{label}\")"),
                BoxKind::Invariant => writeln!(text, "  n{place}{{{{\"{label}\"}}}}"),
                BoxKind::Topic | BoxKind::Device | BoxKind::Input => writeln!(text, "  n{place}[\"{label}\"]"),
            };
        }
        for (from, to, arrow) in &self.arrows {
            let line = match arrow {
                Arrow::Wakes => "-->",
                Arrow::Asked | Arrow::Heard => "-.->",
                Arrow::Writes => "==>",
            };
            let _ = writeln!(text, "  n{from} {line} n{to}");
        }
        let rules = self.boxes.iter().enumerate().filter(|(_, found)| found.kind == BoxKind::Rule);
        let rules: Vec<String> = rules.map(|(place, _)| format!("n{place}")).collect();
        if !rules.is_empty() {
            let _ = writeln!(text, "  classDef rule fill:#dbeafe,stroke:#1d4ed8\n  class {} rule", rules.join(","));
        }
        text
    }
}
