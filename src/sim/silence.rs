//! Why a rule that may publish what a test expects did nothing at all: what keeps it, or what it waits for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::engine::{Awaited, RuleView, Step};
use crate::explain::{LineKind, Report, awaited, blocked, nearest_topic, step_lines};
use crate::model::RuleId;
use crate::rules::{Rule, Start, Trigger};

use super::VirtualHome;
use super::local_clock::LocalClock;

/// So many rules are told.
const MOST_RULES: usize = 3;

/// How the rules stand at a moment, by their ids.
pub(super) struct Standings {
    now: Timestamp,
    views: BTreeMap<RuleId, RuleView>,
}

impl Standings {
    /// Looks at those rules of the home that `is_wanted`, instances of `each` too.
    pub(super) fn of(world: &mut VirtualHome, is_wanted: impl Fn(&RuleId) -> bool) -> Standings {
        let ids: Vec<RuleId> = world.engine().rule_ids().filter(|id| is_wanted(id)).cloned().collect();
        let now = world.now();
        let views = ids.into_iter().filter_map(|id| Some((id.clone(), world.view(&id)?))).collect();
        Standings { now, views }
    }

    /// Returns how all of them stand.
    pub(super) fn all(&self) -> Vec<&RuleView> {
        self.views.values().collect()
    }

    /// Returns how the rule `id` stands.
    pub(super) fn view(&self, id: &RuleId) -> Option<&RuleView> {
        self.views.get(id)
    }

    /// Returns the rules that are `rule` or that it made.
    pub(super) fn instances(&self, rule: &RuleId) -> Vec<&RuleView> {
        self.views.values().filter(|view| view.rule.id.belongs_to(rule.as_str())).collect()
    }

    /// Says of each of these rules, of which one `does_what`, why it did nothing.
    pub(super) fn explain(&self, views: &[&RuleView], does_what: &str, world: &VirtualHome) -> Report {
        let mut report = Report::default();
        for view in views.iter().take(MOST_RULES) {
            report.append(self.explain_one(view, does_what, world));
        }
        if views.len() > MOST_RULES {
            let more = views.len() - MOST_RULES;
            report.add(LineKind::Plain, format!("and so do {more} more rules"));
        }
        report
    }

    fn explain_one(&self, view: &RuleView, does_what: &str, world: &VirtualHome) -> Report {
        let clock = world.clock();
        let mut report = Report::default();
        let rule = &view.rule;
        let id = &rule.id;
        if let Some(standing) = blocked(view, self.now, clock.time()) {
            report.add(LineKind::Plain, format!("`{id}` {does_what}, and {}", standing.text));
            report.append(judged(&standing.judged, &clock));
            return report;
        }
        if let Start::While(start) = &rule.start {
            let since = view.begun_at.map_or(String::new(), |at| format!(" since {}", clock.text(at)));
            let text =
                format!("its `while` at {} has held{since}: it began then, and not since", start.condition.place);
            report.add(LineKind::Plain, format!("`{id}` {does_what}, and {text}"));
            return report;
        }
        let awaited = waits_for(rule, view, &clock);
        report.add(LineKind::Plain, format!("`{id}` {does_what}, and nothing triggered it{awaited}"));
        let near = world.heard.near(rule, &clock);
        if near.is_empty() {
            let filters = rule.triggers().iter().filter_map(Trigger::filter);
            for topic in filters.filter_map(|filter| nearest_topic(filter, world.heard.topics())) {
                report.add(
                    LineKind::Plain,
                    format!("    nothing spoke there, but `{topic}` did: is one of the two misspelt?"),
                );
            }
        }
        for line in near {
            report.add(LineKind::Plain, line);
        }
        report
    }
}

fn judged(steps: &[Step], clock: &LocalClock) -> Report {
    let mut report = Report::default();
    for line in step_lines(steps, None, clock.time()) {
        report.add(LineKind::Plain, line);
    }
    report
}

fn waits_for(rule: &Rule, view: &RuleView, clock: &LocalClock) -> String {
    let text = |trigger: &Trigger| {
        let due = view.dues.iter().find(|(path, _)| *path == trigger.path);
        let due = due.map_or(String::new(), |(_, due)| format!(", next at {}", clock.text(*due)));
        format!("{}{due}", awaited(&Awaited::from(trigger)))
    };
    let texts: Vec<String> = rule.triggers().iter().map(text).collect();
    if texts.is_empty() { String::new() } else { format!(": it waits for {}", texts.join(" or ")) }
}
