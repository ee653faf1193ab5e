//! The files that a browser gets with a page, in the program itself.

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Its name.
    pub name: &'static str,
    /// What it is, as HTTP says it.
    pub kind: &'static str,
    /// Its text.
    pub text: &'static str,
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All files of the page.
pub const ASSETS: [Asset; 13] = [
    Asset { name: "page.css", kind: "text/css; charset=utf-8", text: include_str!("assets/page.css") },
    Asset { name: "icon.svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") },
    Asset { name: "theme.js", kind: SCRIPT, text: include_str!("assets/theme.js") },
    Asset { name: "page.js", kind: SCRIPT, text: include_str!("assets/page.js") },
    Asset { name: "live.js", kind: SCRIPT, text: include_str!("assets/live.js") },
    Asset { name: "stream.js", kind: SCRIPT, text: include_str!("assets/stream.js") },
    Asset { name: "shared.js", kind: SCRIPT, text: include_str!("assets/shared.js") },
    Asset { name: "morph.js", kind: SCRIPT, text: include_str!("assets/morph.js") },
    Asset { name: "time.js", kind: SCRIPT, text: include_str!("assets/time.js") },
    Asset { name: "act.js", kind: SCRIPT, text: include_str!("assets/act.js") },
    Asset { name: "timeline.js", kind: SCRIPT, text: include_str!("assets/timeline.js") },
    Asset { name: "graph.js", kind: SCRIPT, text: include_str!("assets/graph.js") },
    Asset { name: "trial.js", kind: SCRIPT, text: include_str!("assets/trial.js") },
];

/// Returns the file of this name.
#[must_use]
pub fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_from_outside() {
        for asset in ASSETS {
            let foreign = asset.text.replace("http://www.w3.org/2000/svg", "");
            assert!(!foreign.contains("://") && !foreign.contains("url(/"), "{}", asset.name);
        }
    }
}
