//! All rules of a home, checked and replaced together.

use std::fmt;
use std::sync::Arc;

use crate::model::agenda::Agendas;
use crate::model::{Place, RuleId, Secrets, Topic, TopicFilter};
use crate::script::RuleNames;

use super::{Inputs, Invariant, Rule, Targets};

/// All rules, in the order of their files' paths and their places in the file. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Ruleset {
    /// The rules, and what makes rules for topics yet to come.
    pub entries: Arc<[RuleEntry]>,
    /// The invariants, in the order of the rules.
    pub invariants: Arc<[RuleEntry]>,
    /// Their ids, for expressions and actions that name one.
    pub names: Arc<RuleNames>,
    /// The values that nobody is shown.
    pub secrets: Arc<Secrets>,
    /// The home's inputs.
    pub inputs: Arc<Inputs>,
    /// The home's calendars.
    pub agendas: Arc<Agendas>,
    /// Where notifications go.
    pub targets: Arc<Targets>,
}

/// A rule, or what makes one for each topic that matches.
#[derive(Debug, Clone)]
pub enum RuleEntry {
    /// A rule.
    Rule(Arc<Rule>),
    /// `each: { topic: FILTER }`.
    EachTopic(EachTopic),
}

/// Makes a rule for each topic that a filter matches (docs/language/reuse.md).
#[derive(Clone)]
pub struct EachTopic {
    /// The rule's id without an instance.
    pub id: RuleId,
    /// Which topics.
    pub filter: TopicFilter,
    /// Where the rule's key stands.
    pub place: Place,
    /// Makes the rule for a topic, whose captures its texts may name. An error says what is wrong with it.
    pub make: MakeRule,
}

/// Makes a rule for a topic that the filter matches. Pure: the same topic gives the same rule.
type MakeRule = Arc<dyn Fn(&Topic) -> Result<Rule, String> + Send + Sync>;

impl fmt::Debug for EachTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EachTopic").field("id", &self.id).field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Ruleset {
    /// Returns a ruleset of these entries, in their order.
    #[must_use]
    pub fn new(entries: Vec<RuleEntry>) -> Ruleset {
        let names = RuleNames::new(entries.iter().map(RuleEntry::id));
        Ruleset { entries: entries.into(), names: Arc::new(names), ..Ruleset::default() }
    }

    /// Returns it with these secrets.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Ruleset {
        Ruleset { secrets: Arc::new(secrets), ..self }
    }

    /// Returns it with these inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: Arc<Inputs>) -> Ruleset {
        Ruleset { inputs, ..self }
    }

    /// Returns it with these calendars.
    #[must_use]
    pub fn with_agendas(self, agendas: Agendas) -> Ruleset {
        Ruleset { agendas: Arc::new(agendas), ..self }
    }

    /// Returns it with these targets of notifications.
    #[must_use]
    pub fn with_targets(self, targets: Targets) -> Ruleset {
        Ruleset { targets: Arc::new(targets), ..self }
    }

    /// Returns it with these invariants.
    #[must_use]
    pub fn with_invariants(self, invariants: Vec<RuleEntry>) -> Ruleset {
        Ruleset { invariants: invariants.into(), ..self }
    }

    /// Returns the rules, then the invariants.
    pub fn all(&self) -> impl Iterator<Item = &RuleEntry> {
        self.entries.iter().chain(&*self.invariants)
    }

    /// Returns a ruleset of these of its entries, or others, with its secrets, inputs, calendars and targets, and without
    /// invariants.
    #[must_use]
    pub fn of(&self, entries: Vec<RuleEntry>) -> Ruleset {
        let (secrets, inputs) = (Arc::clone(&self.secrets), Arc::clone(&self.inputs));
        let (agendas, targets) = (Arc::clone(&self.agendas), Arc::clone(&self.targets));
        Ruleset { secrets, inputs, agendas, targets, ..Ruleset::new(entries) }
    }

    /// Returns the rules that mean something else in `new`; `None` where rules came, went or moved, or where some are made for
    /// topics, which only the engine knows.
    #[must_use]
    pub fn changed_in_place(&self, new: &Ruleset) -> Option<Vec<RuleId>> {
        if self.entries.len() != new.entries.len() || self.invariants.len() != new.invariants.len() {
            return None;
        }
        let mut changed = Vec::new();
        for pair in self.all().zip(new.all()) {
            match pair {
                (RuleEntry::Rule(old), RuleEntry::Rule(new)) if old.id == new.id => {
                    if old.fingerprint != new.fingerprint {
                        changed.push(new.id.clone());
                    }
                }
                _ => return None,
            }
        }
        Some(changed)
    }
}

impl RuleEntry {
    /// Returns where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            RuleEntry::Rule(rule) => &rule.place,
            RuleEntry::EachTopic(each) => &each.place,
        }
    }

    /// Returns the id of the invariant that it carries, without an instance for what makes some; its own where it carries none.
    #[must_use]
    pub fn invariant_id(&self) -> RuleId {
        match self {
            RuleEntry::Rule(rule) => rule.invariant.as_ref().map_or(&rule.id, |invariant| &invariant.id).clone(),
            RuleEntry::EachTopic(each) => Invariant::id_of(&each.id),
        }
    }

    /// Returns its id, without an instance for what makes rules.
    #[must_use]
    pub fn id(&self) -> &RuleId {
        match self {
            RuleEntry::Rule(rule) => &rule.id,
            RuleEntry::EachTopic(each) => &each.id,
        }
    }
}
