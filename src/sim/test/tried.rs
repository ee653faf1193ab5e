//! What came of a test that is being written.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::{Notice, Outcome, Trace};
use crate::model::RuleId;
use crate::sim::home::{Call, CallKind, Published};

/// What came of a test that is being written.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What rules published, but for what is part of a notification.
    pub published: Vec<Published>,
    /// What people were told.
    pub told: Vec<Notice>,
    /// The rules that ran, and didn't fail.
    pub ran: BTreeSet<RuleId>,
    /// The rules that failed.
    pub failed: BTreeSet<RuleId>,
}

impl Tried {
    /// Returns what was published, with the rules that ran according to their traces.
    pub(super) fn of(published: Vec<Published>, calls: &[Call], traces: &[Arc<Trace>]) -> Tried {
        let notices = calls.iter().filter_map(|call| match &call.kind {
            CallKind::Notify(notice, publication) => Some((notice, *publication)),
            CallKind::Http(_) | CallKind::Exec(_) => None,
        });
        let told = notices.clone().map(|(notice, _)| (**notice).clone()).collect();
        let of_notices: BTreeSet<usize> = notices.filter_map(|(_, publication)| publication).collect();
        let rest = published.into_iter().enumerate().filter(|(index, _)| !of_notices.contains(index));
        let published = rest.map(|(_, published)| published).collect();
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
        Tried { published, told, ran, failed }
    }
}
