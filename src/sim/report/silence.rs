//! How the rules stand that may do what a test expects and did nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::{RuleView, TriggerSources};
use crate::explain::{LineKind, Report, Silence};
use crate::model::RuleId;

use crate::sim::home::VirtualHome;

/// The most rules that are told of.
const MOST_RULES: usize = 3;

/// How the rules stand at a moment, by their ids.
pub(in crate::sim) struct Standings {
    now: Timestamp,
    views: BTreeMap<RuleId, RuleView>,
    sources: BTreeMap<RuleId, TriggerSources>,
}

impl Standings {
    /// Looks at those rules of the home that `is_wanted`, instances of `each` too.
    pub(in crate::sim) fn of(world: &mut VirtualHome, is_wanted: impl Fn(&RuleId) -> bool) -> Standings {
        let ids: Vec<RuleId> = world.engine().rule_ids().filter(|id| is_wanted(id)).cloned().collect();
        let now = world.now();
        let sources = ids.iter().filter_map(|id| Some((id.clone(), world.engine().trigger_sources(id)?))).collect();
        let views = ids.into_iter().filter_map(|id| Some((id.clone(), world.view(&id)?))).collect();
        Standings { now, views, sources }
    }

    /// Returns how all of them stand.
    pub(in crate::sim) fn all(&self) -> Vec<&RuleView> {
        self.views.values().collect()
    }

    /// Returns how the rule `id` stands.
    pub(in crate::sim) fn view(&self, id: &RuleId) -> Option<&RuleView> {
        self.views.get(id)
    }

    /// Returns the rules that are `rule` or that it made.
    pub(in crate::sim) fn instances(&self, rule: &RuleId) -> Vec<&RuleView> {
        self.views.values().filter(|view| view.rule.id.belongs_to(rule.as_str())).collect()
    }

    /// Says of each of these rules, of which one `does_what`, why it did nothing.
    pub(in crate::sim) fn explain(&self, views: &[&RuleView], does_what: &str, world: &VirtualHome) -> Report {
        let clock = world.clock();
        let silence = Silence { now: self.now, time: clock.time(), messages: world.heard.messages() };
        let mut report = Report::default();
        for view in views.iter().take(MOST_RULES) {
            if let Some(sources) = self.sources.get(&view.rule.id) {
                report.append(silence.of(view, sources, does_what));
            }
        }
        match views.len().saturating_sub(MOST_RULES) {
            0 => {}
            1 => report.add(LineKind::Plain, "and so does 1 more rule"),
            more => report.add(LineKind::Plain, format!("and so do {more} more rules")),
        }
        report
    }
}
