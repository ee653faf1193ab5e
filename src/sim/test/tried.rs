//! What came of a test that is being written.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::{Outcome, Trace};
use crate::model::RuleId;
use crate::sim::home::Published;

/// What came of a test that is being written.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What rules published.
    pub published: Vec<Published>,
    /// The rules that ran, and didn't fail.
    pub ran: BTreeSet<RuleId>,
    /// The rules that failed.
    pub failed: BTreeSet<RuleId>,
}

impl Tried {
    /// Returns what was published, with the rules that ran according to their traces.
    pub(super) fn of(published: Vec<Published>, traces: &[Arc<Trace>]) -> Tried {
        let (mut ran, mut failed) = (BTreeSet::new(), BTreeSet::new());
        for trace in traces {
            match trace.outcome {
                Outcome::Skipped(_) => {}
                Outcome::Failed(_) => {
                    failed.insert(trace.rule.clone());
                }
                Outcome::Finished | Outcome::Stopped(_) | Outcome::Cancelled(_) | Outcome::Running => {
                    ran.insert(trace.rule.clone());
                }
            }
        }
        Tried { published, ran, failed }
    }
}
