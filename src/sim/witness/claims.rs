//! What must come out of a journal for a claim to hold.

use crate::analysis::{Pattern, clash};
use crate::model::{RuleId, Value};
use crate::sim::explore::Finding;
use crate::sim::explore::journal::{Act, Journal};
use crate::sim::explore::world::{Home, Outcome, Published, World};

/// How often rules publish after one message that go on without end.
const ENDLESS: usize = 12;

/// What rules published, and what was found.
pub(super) struct Played {
    pub(super) published: Vec<Published>,
    pub(super) found: Vec<Finding>,
    /// How many of `published` came before the last thing that happened outside.
    before_last: usize,
}

impl Played {
    pub(super) fn of(home: &Home, journal: &Journal) -> Played {
        let mut world = World::start_noting(home, journal.start);
        let mut before_last = 0;
        let is_published = |outcome: &&Outcome| matches!(outcome, Outcome::Published(_));
        for entry in &journal.entries {
            if entry.act != Act::Pass {
                before_last = world.outcomes.iter().flatten().filter(is_published).count();
            }
            world.apply(entry);
        }
        let published = world.outcomes.unwrap_or_default().into_iter().filter_map(|outcome| match outcome {
            Outcome::Published(published) => Some(published),
            Outcome::Answered { .. } => None,
        });
        Played { published: published.collect(), found: world.found, before_last }
    }

    /// Returns what a rule, or an instance of it, published.
    pub(super) fn by<'a>(&'a self, rule: &'a RuleId) -> impl Iterator<Item = &'a Published> {
        self.published.iter().filter(|published| published.by.maker() == rule.maker())
    }

    /// Returns whether both publish what clashes, in one instant.
    pub(super) fn clashes(&self, one: &RuleId, other: &RuleId, pattern: &Pattern) -> bool {
        self.by(one).filter(|first| first.is_at_once && pattern.matches(&first.topic)).any(|first| {
            self.by(other).any(|second| {
                second.is_at_once
                    && second.event == first.event
                    && second.topic == first.topic
                    && clash(first.payload.value(), second.payload.value())
            })
        })
    }

    /// Returns whether one message made these rules run again and again.
    pub(super) fn is_endless(&self, rules: &[RuleId]) -> bool {
        let is_one = |id: &RuleId| rules.iter().any(|rule| rule.maker() == id.maker());
        let told = self.found.iter().any(|finding| match finding {
            Finding::Loop(rule) => is_one(rule),
            _ => false,
        });
        let last = self.published.get(self.before_last..).unwrap_or_default();
        let by = |rule: &RuleId| last.iter().filter(|published| published.by.maker() == rule.maker()).count();
        told || rules.iter().all(|rule| by(rule) >= ENDLESS)
    }

    /// Returns whether the rule switched something on that stays so.
    pub(super) fn lasts(&self, rule: &RuleId, pattern: &Pattern) -> bool {
        let mine = |published: &&Published| pattern.matches(&published.topic);
        self.by(rule).any(|published| mine(&published))
    }

    /// Returns whether the rule acted as it doesn't in `other`.
    pub(super) fn acts_beyond(&self, other: &Played, rule: &RuleId) -> bool {
        self.by(rule).count() > other.by(rule).count()
    }
}

/// Returns `value` with each `said` in it, itself or one of its fields, replaced by `meant`.
pub(super) fn replaced(value: &Value, said: &Value, meant: &Value) -> Value {
    match value {
        value if value == said => meant.clone(),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), replaced(value, said, meant)));
            Value::Map(entries.collect::<crate::model::Map>().into())
        }
        other => other.clone(),
    }
}
