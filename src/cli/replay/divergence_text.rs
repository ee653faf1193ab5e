//! What only one of two sets of decisions has: by rule for people, recording lines for programs.

use clap::builder::styling::{AnsiColor, Style};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::api::publication_line;
use crate::cli::print;
use crate::model::RuleId;
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

/// Returns the rules whose decisions changed, for programs.
pub(super) fn rules_changed(divergence: &Divergence) -> Value {
    let rule = |(rule, (here, there)): (&RuleId, (Vec<&Published>, Vec<&Published>))| json!({ "rule": rule.as_str(), "changed": here.len().max(there.len()), "only_here": here.len(), "only_there": there.len() });
    divergence.by_rule().into_iter().map(rule).collect()
}

/// Writes the rules whose decisions changed, each with how many.
pub(super) fn show_rules_changed(divergence: &Divergence) {
    let by_rule = divergence.by_rule();
    let width = by_rule.keys().map(|rule| rule.as_str().chars().count()).max().unwrap_or_default();
    for (rule, (here, there)) in &by_rule {
        let rule = rule.as_str();
        print::line(&format!("{rule:width$}  {} more, {} fewer", here.len(), there.len()));
    }
    print::line(&match by_rule.len() {
        0 => "no rule decides otherwise".to_owned(),
        1 => "1 rule decides otherwise".to_owned(),
        rules => format!("{rules} rules decide otherwise"),
    });
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
