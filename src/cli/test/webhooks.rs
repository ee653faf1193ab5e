//! The webhooks that tests post to: whether a rule hears them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::test_file::TestFile;
use crate::lang::{Code, Diagnostic, nearest};
use crate::rules::{RuleEntry, Ruleset};
use crate::sim::TestHome;

/// Returns a warning for each webhook that none of the rules has which a test file names. It may be meant so: that
/// nothing happens then is worth a test.
pub(super) fn check(file: &TestFile, home: &TestHome) -> Vec<Diagnostic> {
    let chosen =
        file.rules_at_any_time().map(|rules| rules.map_or_else(|| Ok(home.all_rules()), |some| home.select(some)));
    let Ok(rules) = chosen.collect::<Result<Vec<Ruleset>, _>>() else { return Vec::new() };
    let mut known: BTreeSet<Arc<str>> = BTreeSet::new();
    for entry in rules.iter().flat_map(|rules| &*rules.entries) {
        match entry {
            RuleEntry::Rule(rule) => known.extend(rule.webhooks().cloned()),
            // What the rules of topics yet to come hear is known when those come.
            RuleEntry::EachTopic(_) => return Vec::new(),
        }
    }
    let unheard = file.webhooks().filter(|(name, _)| !known.contains(*name));
    let warning = |(name, span): (&str, &std::ops::Range<usize>)| {
        let help = match nearest(name, known.iter().map(AsRef::as_ref)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "none of its rules has a trigger `webhook:`".to_owned(),
            None => {
                let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
                format!("known here: {}", known.join(", "))
            }
        };
        file.warning_at(span, Code::NOTHING_THERE, format!("no rule hears the webhook `{name}`"), Some(help))
    };
    unheard.map(warning).collect()
}
