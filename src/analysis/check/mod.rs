//! What in a home is probably not meant: a check a file. Each is silent unless it has a reason; its file says when.

mod command;
mod dead_topic;
mod endless_for;
mod flapping;
mod loops;
mod missing_trigger;
mod never_fires;
mod never_off;
mod two_writers;
mod words;

pub use words::clash;

use crate::lang::Code;
use crate::model::{Payload, Place, RuleId, Topic};
use crate::rules::Ruleset;

use super::{Graph, Known, Pattern};

/// Something that is probably not meant.
#[derive(Debug, Clone)]
pub struct Suspicion {
    /// Which kind.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// Other places that belong to it, with what to say there.
    pub related: Vec<(Place, String)>,
    /// What, and why it matters.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The rules that it's about; an `allow` of one of them silences it.
    pub rules: Vec<RuleId>,
    /// Whether it's only told where it can be demonstrated.
    pub needs_witness: bool,
    /// What demonstrates it.
    pub claim: Claim,
}

/// What demonstrates a suspicion.
#[derive(Debug, Clone)]
pub enum Claim {
    /// Both rules publish to a topic of the pattern in one instant, and what they publish clashes.
    Clash {
        /// The first.
        one: RuleId,
        /// The other.
        other: RuleId,
        /// Where to.
        pattern: Pattern,
    },
    /// One message makes these rules run again and again.
    Endless(Vec<RuleId>),
    /// The rule publishes to a topic of the pattern, and nothing is published there for a day.
    Lasts {
        /// The rule.
        rule: RuleId,
        /// Where to.
        pattern: Pattern,
    },
    /// The order of two messages decides: the rule acts if `asked` says it first, and not if it says it after `wakes`.
    OrderMatters {
        /// The rule.
        rule: RuleId,
        /// What wakes it.
        wakes: Pattern,
        /// What it asks.
        asked: Pattern,
    },
    /// What was recorded makes the rule act again and again.
    Recorded {
        /// The rule.
        rule: RuleId,
        /// The topic.
        topic: Topic,
        /// What it said, each so many milliseconds after the one before.
        said: Vec<(u64, Payload)>,
    },
    /// The rule would act if `topic` said what `instead` says.
    ActsIf {
        /// The rule.
        rule: RuleId,
        /// What it waits for.
        topic: Topic,
        /// Where that is said.
        instead: Topic,
        /// Which values are meant, where it's about these.
        values: Vec<(Payload, Payload)>,
    },
    /// The rule publishes to a topic of the pattern.
    Publishes {
        /// The rule.
        rule: RuleId,
        /// Where to.
        pattern: Pattern,
    },
    /// The rule runs.
    Runs(RuleId),
}

/// A home as checks see it.
pub(super) struct Checked<'a> {
    pub(super) graph: &'a Graph,
    pub(super) known: &'a Known,
}

/// Returns what is probably not meant in a home.
#[must_use]
pub fn suspicions(rules: &Ruleset, known: &Known) -> Vec<Suspicion> {
    let graph = Graph::new(rules, known);
    let home = Checked { graph: &graph, known };
    let mut found = Vec::new();
    for check in [
        two_writers::find,
        loops::find,
        dead_topic::find,
        never_fires::find,
        flapping::find,
        never_off::find,
        missing_trigger::find,
        endless_for::find,
        command::find,
    ] {
        found.extend(check(&home));
    }
    // All instances of a rule say the same.
    let mut seen: Vec<(Code, Place, String)> = Vec::new();
    found.retain(|found| {
        let key = (found.code, found.place.clone(), found.message.clone());
        let is_new = !seen.iter().any(|(code, place, _)| *code == key.0 && *place == key.1);
        seen.push(key);
        is_new
    });
    found
}
