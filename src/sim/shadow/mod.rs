//! Rules in the shadow of those in force: what both decide about the same messages, compared.
//!
//! Pure: whoever runs the second engine tells what either side decided, and when; nothing here knows an engine, a clock or a file.
//! Both sides are told in the order in which they happened, each with its time; a difference is one only once neither side can find its
//! like any more.

mod decision;
mod pairs;
mod score;
mod why;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::analysis::{Graph, Known, Pattern};
use crate::engine::{Outcome, Trace};
use crate::explain::LocalTime;
use crate::lang::Compare;
use crate::model::{Message, Origin, RuleId, Secrets};
use crate::rules::Ruleset;

pub use decision::{By, Decision, Said, Side};
pub use score::{Score, ShadowDifference, Tally};

use pairs::{Paired, Pairs};
use why::Reasons;

/// Compares what both sides decide.
#[derive(Debug)]
pub struct Shadow {
    compare: Compare,
    pairs: Pairs,
    score: Score,
    reasons: Reasons,
    /// What the rules in the shadow may publish to, and which of them.
    writes: Vec<(RuleId, Pattern)>,
    secrets: Arc<Secrets>,
    time: LocalTime,
}

impl Shadow {
    /// Compares from `score` on; two decisions are the same if they are at most `window` apart.
    #[must_use]
    pub fn new(compare: Compare, window: SignedDuration, score: Score, time: LocalTime) -> Shadow {
        Shadow {
            compare,
            pairs: Pairs::new(window),
            score,
            reasons: Reasons::default(),
            writes: Vec::new(),
            secrets: Arc::default(),
            time,
        }
    }

    /// From now on `rules` are in the shadow; `changed` are those that are others than before, on either side, and count anew.
    pub fn change<'a>(&mut self, rules: &Ruleset, changed: impl IntoIterator<Item = &'a RuleId>) {
        let graph = Graph::new(rules, &Known::default());
        let of_node = |node: &crate::analysis::Node| {
            let patterns: BTreeSet<Pattern> = node.writes.iter().map(|writing| writing.pattern.clone()).collect();
            let id = node.rule.id.clone();
            patterns.into_iter().filter(|pattern| !pattern.is_anything()).map(move |pattern| (id.clone(), pattern))
        };
        self.writes = graph.rules.iter().flat_map(of_node).collect();
        self.secrets = Arc::new(self.secrets.with(&rules.secrets));
        self.forget(changed);
    }

    /// Lets rules count anew that are others than before.
    pub fn forget<'a>(&mut self, rules: impl IntoIterator<Item = &'a RuleId>) {
        self.score.forget(rules);
    }

    /// Masks these secrets in what is kept.
    pub fn mask(&mut self, secrets: &Secrets) {
        self.secrets = Arc::new(self.secrets.with(secrets));
    }

    /// Somebody published `message`. Returns whether that is what the rules in the shadow have decided already, and so no news to them.
    pub fn heard(&mut self, at: Timestamp, message: &Message, by: By) -> bool {
        if self.compare == Compare::Own || message.origin == Origin::Retained || self.writer(message).is_none() {
            return false;
        }
        let decision = Decision::of_message(at, message, by);
        let is_echo = self.pairs.has_like(Side::Here, &decision);
        self.decide(Side::Here, decision);
        is_echo
    }

    /// The rules in force published `message`.
    pub fn published_here(&mut self, at: Timestamp, message: &Message, by: By) {
        if self.compare == Compare::Own || self.writer(message).is_some() {
            self.decide(Side::Here, Decision::of_message(at, message, by));
        }
    }

    /// Takes what one side decided. What isn't published can't be seen of others, and is no part of the comparison then.
    pub fn called(&mut self, side: Side, decision: Decision) {
        if self.compare == Compare::Own {
            self.decide(side, decision);
        }
    }

    /// The rules in the shadow would have published `message`.
    pub fn published_there(&mut self, at: Timestamp, message: &Message, by: By) {
        if self.compare == Compare::Live && self.writer(message).is_none() {
            // Nobody knew: its topic is put together of what can't be read off the rule.
            if let By::Rule(rule, _) = &by {
                self.writes.push((rule.clone(), Pattern::of_topic(&message.topic)));
            }
        }
        self.decide(Side::There, Decision::of_message(at, message, by));
    }

    /// A run of one side ended, or a rule of it didn't run.
    pub fn traced(&mut self, side: Side, trace: &Arc<Trace>) {
        if let (Side::There, Outcome::Failed(fault)) = (side, &trace.outcome) {
            self.score.fail(&trace.rule, fault.to_string(), trace.at);
        }
        self.reasons.note(side, trace);
        for difference in self.score.differences.iter_mut().rev().take(why::LATE) {
            if let Some(lines) = why::ended(difference.said(side), trace, &self.time) {
                *difference.why_mut(side) = lines;
            }
        }
    }

    /// Decides what is due at `now`.
    pub fn settle(&mut self, now: Timestamp) {
        let paired = self.pairs.settle(now);
        self.take(paired);
    }

    /// Returns when something will be due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.pairs.next_deadline()
    }

    /// One side wasn't told everything: what waits for its like can't be judged.
    pub fn missed(&mut self) {
        self.pairs.clear();
    }

    /// The clock was set.
    pub fn shift(&mut self, by: SignedDuration) {
        self.pairs.shift(by);
    }

    /// Returns the score.
    #[must_use]
    pub fn score(&self) -> &Score {
        &self.score
    }

    /// Returns how many decisions may still find their like.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.pairs.waiting()
    }

    /// Returns the rule in the shadow that may publish where `message` was.
    fn writer(&self, message: &Message) -> Option<&RuleId> {
        let writes = self.writes.iter().find(|(_, pattern)| pattern.matches(&message.topic));
        writes.map(|(rule, _)| rule)
    }

    fn decide(&mut self, side: Side, decision: Decision) {
        let paired = self.pairs.add(side, decision);
        self.take(paired);
    }

    fn take(&mut self, paired: Vec<Paired>) {
        for one in paired {
            match one {
                Paired::Same { there } => {
                    if let Some(rule) = there.rule() {
                        self.score.agree(rule, there.at);
                    }
                }
                Paired::Differs { here, there } => self.differ(Some(here), Some(there)),
                Paired::Only(Side::Here, here) => self.differ(Some(here), None),
                Paired::Only(Side::There, there) => self.differ(None, Some(there)),
            }
        }
    }

    fn differ(&mut self, here: Option<Decision>, there: Option<Decision>) {
        let Some(one) = there.as_ref().or(here.as_ref()) else { return };
        let (at, topic) = (here.as_ref().map_or(one.at, |here| here.at.min(one.at)), Arc::clone(&one.topic));
        let of_shadow = || {
            let writes = self.writes.iter().find(|(_, pattern)| pattern_matches(pattern, &topic));
            writes.map(|(rule, _)| rule.clone())
        };
        let Some(rule) = one.rule().cloned().or_else(of_shadow) else { return };
        let why_here = self.reasons.why(Side::Here, here.as_ref(), &rule, at, &self.time);
        let why_there = self.reasons.why(Side::There, there.as_ref(), &rule, at, &self.time);
        let said = |decision: Decision| {
            let masked = self.secrets.mask_payload(&decision.payload);
            let payload = masked.unwrap_or_else(|| decision.payload.clone());
            Decision { payload, ..decision }.said()
        };
        let (here, there) = (here.map(said), there.map(said));
        let topic = self.secrets.mask_text(&topic).map_or(topic, Into::into);
        self.score.differ(ShadowDifference { at, rule, topic, here, there, why_here, why_there });
    }
}

fn pattern_matches(pattern: &Pattern, topic: &str) -> bool {
    crate::model::Topic::parse(topic).is_ok_and(|topic| pattern.matches(&topic))
}
