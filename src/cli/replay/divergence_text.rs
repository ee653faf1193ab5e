//! What only one of two sets of decisions has: by rule for people, recording lines for programs.

use clap::builder::styling::{AnsiColor, Style};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::api::publication_line;
use crate::cli::print;
use crate::sim::{Divergence, Published};

use super::shown::text;

/// Returns the answer for programs.
pub(super) fn answer(divergence: &Divergence) -> Value {
    let lines = |published: &[Published]| -> Vec<Value> {
        let line = |published: &Published| {
            serde_json::to_value(publication_line(published.at, &published.publication)).unwrap_or_default()
        };
        published.iter().map(line).collect()
    };
    json!({ "only_here": lines(&divergence.only_here), "only_there": lines(&divergence.only_there) })
}

/// Writes what differs, by rule: `+` what only the first has, `-` what only the second; their names are told above.
pub(super) fn show(divergence: &Divergence, (here, there): (&str, &str), zone: &TimeZone) {
    let (plus, minus) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default());
    print::line(&format!("{plus}+ {here}{plus:#}"));
    print::line(&format!("{minus}- {there}{minus:#}"));
    let bold = Style::new().bold();
    for (rule, (only_here, only_there)) in divergence.by_rule() {
        print::line(&format!("\n{bold}{rule}{bold:#}"));
        let mut lines: Vec<(&Published, char, Style)> =
            only_there.into_iter().map(|published| (published, '-', minus)).collect();
        lines.extend(only_here.into_iter().map(|published| (published, '+', plus)));
        lines.sort_by_key(|(published, ..)| published.at);
        for (published, sign, style) in lines {
            print::line(&format!("  {style}{sign} {}{style:#}", text(published, zone)));
        }
    }
}
