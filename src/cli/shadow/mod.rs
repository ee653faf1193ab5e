//! `homerule shadow`: what rules in the shadow would have done otherwise; `--promote` puts them in force.

mod promote;

use std::collections::BTreeMap;

use clap::Args;
use serde_json::Value;

use super::link::daemon_client::DaemonArguments;
use super::link::home_zone::HomeZone;
use super::status::other_version;
use super::{Exit, Failure, print};
use crate::api::Finding;
use crate::api::view::{ShadowAnswer, ShadowDifferenceAnswer};
use crate::model::one_line;

/// Shows what rules in the shadow would have done otherwise than those in force, or puts them in force.
#[derive(Debug, Args)]
pub(super) struct Shadow {
    /// Only this rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: Option<String>,
    /// Swap the folder of the rules in force with that of those in the shadow, in one step.
    #[arg(long, conflicts_with = "rule")]
    promote: bool,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

/// How many differences of a rule are told, each with why.
const MOST: usize = 5;

impl Shadow {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        if self.promote {
            return promote::promote(&self.daemon, self.json);
        }
        let (answer, zone) = self.daemon.client()?.get_dated("/api/shadow", &[])?;
        let mut answer: ShadowAnswer = serde_json::from_value(answer).map_err(|error| other_version(&error))?;
        if let Some(rule) = &self.rule {
            only(&mut answer, rule)?;
        }
        if self.json {
            print::json(&answer)?;
        } else {
            show(&answer, &zone);
        }
        let is_well = answer.decided == answer.agreed
            && answer.stopped.is_none()
            && !answer.diagnostics.iter().any(Finding::is_error);
        Ok(if is_well { Exit::Well } else { Exit::No })
    }
}

/// Leaves only what is about `rule`.
fn only(answer: &mut ShadowAnswer, rule: &str) -> Result<(), Failure> {
    let is_meant = |id: &str| id == rule || id.rsplit(':').next().is_some_and(|key| key == rule);
    answer.by_rule.retain(|one| is_meant(&one.rule));
    answer.differences.retain(|one| is_meant(&one.rule));
    if answer.by_rule.is_empty() {
        return Err(Failure::new(format!("no rule `{rule}` has decided anything yet, here or in the shadow")));
    }
    (answer.decided, answer.agreed) =
        answer.by_rule.iter().fold((0, 0), |(decided, agreed), one| (decided + one.decided, agreed + one.agreed));
    Ok(())
}

fn show(answer: &ShadowAnswer, zone: &HomeZone) {
    let local = |at: jiff::Timestamp| zone.local(&at.to_string());
    let with = if answer.compare == "live" { "what was published" } else { "the rules in force" };
    print::line(&format!(
        "{} of {} decisions agreed since {}: the rules in {} beside {with}",
        answer.agreed,
        answer.decided,
        local(answer.since),
        answer.rules
    ));
    if answer.undecided > 0 {
        print::line(&format!("{} of the last moments can still agree", answer.undecided));
    }
    if let Some(stopped) = &answer.stopped {
        print::error(&format!("the rules in the shadow don't run any more: {stopped}"));
    }
    if answer.missed > 0 {
        print::warning(&format!("the rules in the shadow didn't keep up: they weren't told {} things", answer.missed));
    }
    for finding in answer.diagnostics.iter().filter(|finding| finding.is_error()) {
        print::error(&format!("{}: {}", finding.place(), finding.message));
    }
    let mut by_rule: BTreeMap<&str, Vec<&ShadowDifferenceAnswer>> = BTreeMap::new();
    for difference in &answer.differences {
        by_rule.entry(&difference.rule).or_default().push(difference);
    }
    for rule in &answer.by_rule {
        print::line("");
        print::line(&format!("{}: {} of {} agreed since {}", rule.rule, rule.agreed, rule.decided, local(rule.since)));
        if let Some(failure) = &rule.failure {
            print::line(&format!("  failed in the shadow {} times, last: {}", rule.failed, one_line(failure)));
        }
        let differences = by_rule.get(&*rule.rule).map_or(&[][..], Vec::as_slice);
        for difference in differences.iter().take(MOST) {
            for line in lines(difference, zone) {
                print::line(&line);
            }
        }
        if differences.len() > MOST {
            print::line(&format!("  … {} earlier: see --json", differences.len() - MOST));
        }
    }
    print::line(&zone.note());
}

/// Returns what differed, and why on both sides.
fn lines(difference: &ShadowDifferenceAnswer, zone: &HomeZone) -> Vec<String> {
    let said = |value: &Value, retain: Option<bool>| match (value, retain) {
        (_, None) => "nothing".to_owned(),
        (value, Some(is_retained)) => {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            let text = if text.is_empty() { "(empty)".to_owned() } else { one_line(&text) };
            if is_retained { format!("{text} (retained)") } else { text }
        }
    };
    let at = zone.local(&difference.at.to_string());
    let mut lines = vec![format!("  {at}  {}", one_line(&difference.topic))];
    let sides = [
        ("here ", &difference.here, difference.here_retain, &difference.why.here),
        ("there", &difference.there, difference.there_retain, &difference.why.there),
    ];
    for (side, value, retain, why) in sides {
        lines.push(format!("    {side}  {}", said(value, retain)));
        lines.extend(why.iter().map(|line| format!("           {line}")));
    }
    lines
}
