//! Coverage: which triggers, conditions and actions of each rule the tests have exercised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::Trace;
use crate::model::{RuleId, Topic};
use crate::rules::{Rule, RuleEntry, Ruleset};

use super::Turns;
use super::test_home::without_instance;

/// What a test has exercised.
#[derive(Debug, Clone, Default)]
pub struct Exercised {
    /// The traces of all that ran and did not run.
    pub traces: Vec<Arc<Trace>>,
    /// Which `while` rules began and ended.
    pub turns: Turns,
}

/// What the tests have exercised of all rules.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// The rules in their order, instances of one rule as one.
    pub rules: Vec<RuleCoverage>,
}

/// What the tests have exercised of one rule.
#[derive(Debug, Clone)]
pub struct RuleCoverage {
    /// The rule's id without an instance.
    pub rule: RuleId,
    /// The paths of its triggers, and whether each fired.
    pub triggers: BTreeMap<String, bool>,
    /// The paths of its conditions, and whether each was seen true, and false.
    pub conditions: BTreeMap<String, (bool, bool)>,
    /// The paths of its actions, and whether each ran.
    pub actions: BTreeMap<String, bool>,
}

impl Coverage {
    /// Returns what these tests have exercised of `rules`.
    pub fn new<'a>(rules: &Ruleset, tests: impl IntoIterator<Item = &'a Exercised>) -> Coverage {
        let mut seen: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for Exercised { traces, turns } in tests {
            for trace in traces {
                let steps = seen.entry(without_instance(trace.rule.as_str())).or_default();
                for step in &trace.steps {
                    steps.insert((&step.path, if step.what == "condition" { &step.result } else { "" }));
                }
            }
            for (rules, result) in [(&turns.began, "true"), (&turns.ended, "false")] {
                for rule in rules {
                    seen.entry(without_instance(rule.as_str())).or_default().insert(("while", result));
                }
            }
        }
        let mut all: Vec<RuleCoverage> = Vec::new();
        for entry in &rules.entries {
            let id = without_instance(entry.id().as_str());
            if all.last().is_some_and(|known| known.rule.as_str() == id) {
                continue;
            }
            let mut coverage = match entry {
                RuleEntry::Rule(rule) => RuleCoverage::of_rule(id, rule),
                RuleEntry::EachTopic(each) => {
                    let topic = example(&each.filter.plain());
                    let made = topic.as_ref().and_then(|topic| (each.make)(topic).ok());
                    made.map_or_else(|| RuleCoverage::empty(id), |rule| RuleCoverage::of_rule(id, &rule))
                }
            };
            coverage.mark(seen.get(id).unwrap_or(&BTreeSet::new()));
            all.push(coverage);
        }
        Coverage { rules: all }
    }

    /// Returns the percentage of all that could be exercised; 100 where there is nothing.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (seen, all) = self
            .rules
            .iter()
            .map(RuleCoverage::counts)
            .fold((0, 0), |(seen, all), (more_seen, more)| (seen + more_seen, all + more));
        percent(seen, all)
    }
}

impl RuleCoverage {
    fn empty(id: &str) -> RuleCoverage {
        let (triggers, conditions, actions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        RuleCoverage { rule: RuleId::from_text(id), triggers, conditions, actions }
    }

    fn of_rule(id: &str, rule: &Rule) -> RuleCoverage {
        let mut coverage = RuleCoverage::empty(id);
        let triggers = rule.triggers().iter().filter(|trigger| trigger.enabled);
        coverage.triggers = triggers.map(|trigger| (trigger.path.to_string(), false)).collect();
        let conditions = rule.conditions().map(|condition| (condition.path.to_string(), (false, false)));
        coverage.conditions = conditions.collect();
        coverage.actions = rule.actions().map(|action| (action.path.to_string(), false)).collect();
        coverage
    }

    /// Marks what the steps, path and a condition's result, have exercised.
    fn mark(&mut self, steps: &BTreeSet<(&str, &str)>) {
        for (path, result) in steps {
            if let Some(fired) = self.triggers.get_mut(*path) {
                *fired = true;
            }
            // An action that only holds others leaves no step of its own: theirs tell that it ran.
            for (action, ran) in &mut self.actions {
                let rest = path.strip_prefix(action.as_str());
                *ran |= rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            }
            if let Some((seen_true, seen_false)) = self.conditions.get_mut(*path) {
                *seen_true |= *result == "true";
                *seen_false |= result.starts_with("false");
            }
        }
    }

    /// Returns how much was exercised, and how much could be (spec 6).
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let count = |flags: &BTreeMap<String, bool>| flags.values().filter(|flag| **flag).count();
        let conditions = self.conditions.values().map(|(yes, no)| usize::from(*yes) + usize::from(*no)).sum::<usize>();
        let seen = count(&self.triggers) + conditions + count(&self.actions);
        (seen, self.triggers.len() + 2 * self.conditions.len() + self.actions.len())
    }

    /// Returns the percentage; 100 where there is nothing to exercise.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (seen, all) = self.counts();
        percent(seen, all)
    }

    /// Returns what was never exercised, in words: `when[1] never fired`.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let triggers =
            self.triggers.iter().filter(|(_, fired)| !**fired).map(|(path, _)| format!("{path} never fired"));
        let conditions = self.conditions.iter().filter_map(|(path, seen)| match seen {
            (true, true) => None,
            (true, false) => Some(format!("{path} never false")),
            (false, true) => Some(format!("{path} never true")),
            (false, false) => Some(format!("{path} never asked")),
        });
        let actions = self.actions.iter().filter(|(_, ran)| !**ran).map(|(path, _)| format!("{path} never ran"));
        triggers.chain(conditions).chain(actions).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a home has fewer than 2^53 rules")]
fn percent(seen: usize, all: usize) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * seen as f64 / all as f64 }
}

/// Returns a topic that a filter without names matches.
fn example(filter: &str) -> Option<Topic> {
    Topic::parse(&filter.replace(['+', '#'], "x")).ok()
}
