//! Why a side did what it did, or didn't: the traces of its rules of late, in words.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::Trace;
use crate::explain::{LocalTime, trace_lines};
use crate::model::RuleId;

use super::decision::{By, Decision, Said, Side};

/// How many of the last differences may still be told why: their runs hadn't ended.
pub(super) const LATE: usize = 20;

/// How many lines tell why.
const MOST_LINES: usize = 30;

/// How long one may be.
const LONGEST_LINE: usize = 300;

/// Of how many rules the last trace is known, on each side.
const MOST_RULES: usize = 5000;

/// How far from a decision a trace may be to tell of it.
const NEAR: SignedDuration = SignedDuration::from_mins(1);

/// The last trace of each rule, on each side.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    last: BTreeMap<(Side, RuleId), Arc<Trace>>,
}

impl Reasons {
    /// Notes that a run of one side ended, or that a rule of it didn't run.
    pub(super) fn note(&mut self, side: Side, trace: &Arc<Trace>) {
        if self.last.len() >= 2 * MOST_RULES {
            self.last.pop_first();
        }
        self.last.insert((side, trace.rule.clone()), Arc::clone(trace));
    }

    /// Returns why one side decided this about `rule` at `at`; nothing, if that is what it decided.
    pub(super) fn why(
        &self,
        side: Side,
        decision: Option<&Decision>,
        rule: &RuleId,
        at: Timestamp,
        time: &LocalTime,
    ) -> Vec<String> {
        let by = decision.map(|decision| &decision.by);
        match by {
            Some(By::Client(client)) => return vec![format!("the client `{client}` published it")],
            Some(By::Somebody) => return vec!["somebody published it".to_owned()],
            Some(By::Rule(..)) | None => {}
        }
        let (rule, run) = match by {
            Some(By::Rule(rule, run)) => (rule, *run),
            _ => (rule, None),
        };
        let trace = self.last.get(&(side, rule.clone()));
        let is_it = |trace: &&Arc<Trace>| match decision {
            Some(_) => run.is_none() || trace.run == run,
            None => trace.ended_at.duration_since(at).abs() <= NEAR || trace.at.duration_since(at).abs() <= NEAR,
        };
        match (trace.filter(is_it), decision) {
            (Some(trace), _) => lines(trace, time),
            (None, Some(_)) => vec![format!("a run of `{rule}` that hadn't ended")],
            (None, None) => vec![format!("`{rule}` wasn't triggered, or isn't there")],
        }
    }
}

/// Returns why `said` was, where `trace` is the run that did it.
pub(super) fn ended(said: Option<&Said>, trace: &Trace, time: &LocalTime) -> Option<Vec<String>> {
    let By::Rule(rule, Some(run)) = &said?.by else { return None };
    (trace.rule == *rule && trace.run == Some(*run)).then(|| lines(trace, time))
}

fn lines(trace: &Trace, time: &LocalTime) -> Vec<String> {
    let report = trace_lines([trace], time);
    let cut = |line: &str| match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    };
    report.lines.iter().take(MOST_LINES).map(|line| cut(line.text.strip_prefix("  ").unwrap_or(&line.text))).collect()
}
