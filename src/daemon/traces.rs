//! The last traces, within a bound.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::Trace;

/// How many are kept.
const KEPT: usize = 2_000;

/// The last traces, oldest first.
#[derive(Default)]
pub(super) struct Traces(VecDeque<Arc<Trace>>);

impl Traces {
    /// Keeps `trace`; the oldest goes.
    pub(super) fn push(&mut self, trace: Arc<Trace>) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(trace);
    }

    /// Returns the last `limit` traces of `rule` and its instances, or of all rules, newest first.
    pub(super) fn last(&self, rule: Option<&str>, limit: usize) -> Vec<Arc<Trace>> {
        let wanted = |trace: &&Arc<Trace>| rule.is_none_or(|rule| trace.rule.belongs_to(rule));
        self.0.iter().rev().filter(wanted).take(limit).cloned().collect()
    }
}
