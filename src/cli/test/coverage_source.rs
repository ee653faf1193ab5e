//! Coverage as source: each file of rules, each line marked by what the tests exercised of what stands there.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::builder::styling::{AnsiColor, Style};

use crate::cli::print;
use crate::lang::Source;
use crate::sim::RuleCoverage;

use super::runner::Finished;

/// What of a line was exercised.
#[derive(Debug, Default)]
struct Marked {
    /// What never happened there, in words.
    gaps: Vec<String>,
}

/// Writes the source of all rules: `+` before a line of which all was exercised, `-` before one that lacks something, and
/// behind it what.
pub(super) fn write(results: &[Finished<'_>]) {
    for finished in results {
        for (file, lines) in &marks(&finished.coverage.rules) {
            let Some(Source::Content(bytes)) = finished.suite.sources.get(file) else { continue };
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            print::line(&format!("{}{file}", finished.suite.prefix));
            for (number, line) in (1..).zip(text.lines()) {
                print::line(&marked(number, line, lines.get(&number)));
            }
            print::line("");
        }
    }
}

/// Returns the lines of each file at which something that can be exercised stands.
fn marks(rules: &[RuleCoverage]) -> BTreeMap<Arc<str>, BTreeMap<u32, Marked>> {
    let mut files: BTreeMap<Arc<str>, BTreeMap<u32, Marked>> = BTreeMap::new();
    for rule in rules {
        let gaps = rule.gaps_by_path();
        for (path, place) in &rule.places {
            let line = files.entry(Arc::clone(&place.file)).or_default().entry(place.line).or_default();
            let here = gaps.iter().filter(|(known, _)| known == path);
            line.gaps.extend(here.map(|(path, gap)| format!("{path} {gap}")));
        }
    }
    files
}

fn marked(number: u32, line: &str, marked: Option<&Marked>) -> String {
    let (style, mark, gaps) = match marked {
        None => (Style::new(), ' ', String::new()),
        Some(marked) if marked.gaps.is_empty() => (AnsiColor::Green.on_default(), '+', String::new()),
        Some(marked) => (AnsiColor::Red.on_default(), '-', format!("   # {}", marked.gaps.join(", "))),
    };
    format!("{style}{number:>5} {mark} {line}{gaps}{style:#}").trim_end().to_owned()
}
