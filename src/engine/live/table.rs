//! The rules in force, each with what it remembers. A rule is changed through [`LiveRules::edit`] and its kin alone, which
//! note what must be kept: so no caller can forget it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::condition::tracker::{Noted, Tracker};
use crate::engine::instant::Shift;
use crate::engine::kept::snapshot::SaveKey;
use crate::engine::trigger::state::{Track, TriggerState};
use crate::model::{RuleId, Topic};
use crate::rules::{EachTopic, Rule, RuleEntry, Ruleset, Start, TopicIndex};
use crate::script::RuleNames;

use super::id::{LiveId, Rank};
use super::rule::{LiveRule, Pace};
use super::saved_rule::{RULE, SavedRule, to_json};
use super::soon::Soon;
use super::timer::Timer;
use super::track_key::{TrackKey, TrackPart};
use super::unsaved::Unsaved;
use super::yielding::Yielding;

/// All rules in force, and what is kept of those that aren't.
#[derive(Debug)]
pub(crate) struct LiveRules {
    ruleset: Ruleset,
    rows: Vec<LiveRule>,
    /// Takes the place of a rule whose id is no longer good, which nobody should have.
    vacant: LiveRule,
    in_order: BTreeMap<Rank, LiveId>,
    by_rule: BTreeMap<RuleId, LiveId>,
    each: Vec<(usize, EachTopic)>,
    each_index: TopicIndex<usize>,
    dormant: BTreeMap<RuleId, SavedRule>,
    unsaved: Unsaved,
    /// Whether an invariant may refuse what is published.
    refuses: bool,
    /// The rules that yield.
    yielding: Yielding,
}

impl LiveRules {
    /// Returns a table without rules.
    pub(crate) fn new() -> LiveRules {
        LiveRules {
            ruleset: Ruleset::default(),
            rows: Vec::new(),
            vacant: LiveRule::new(Arc::new(Rule::vacant()), Rank { entry: usize::MAX, topic: None }),
            in_order: BTreeMap::new(),
            by_rule: BTreeMap::new(),
            each: Vec::new(),
            each_index: TopicIndex::default(),
            dormant: BTreeMap::new(),
            unsaved: Unsaved::default(),
            refuses: false,
            yielding: Yielding::default(),
        }
    }

    /// Returns whether this is the id of a rule in force.
    pub(crate) fn has(&self, id: LiveId) -> bool {
        id.index() < self.rows.len()
    }

    /// Returns a rule in force.
    pub(crate) fn get(&self, id: LiveId) -> &LiveRule {
        debug_assert!(id.index() < self.rows.len(), "{id:?} has outlived its table");
        self.rows.get(id.index()).unwrap_or(&self.vacant)
    }

    /// Returns a rule in force, to be changed: it is kept before anything that follows leaves.
    pub(crate) fn edit(&mut self, id: LiveId) -> &mut LiveRule {
        self.unsaved.rules.insert(id);
        self.row(id)
    }

    /// Returns a rule in force, to be changed in a way that may be kept within a second.
    pub(crate) fn edit_late(&mut self, id: LiveId) -> &mut LiveRule {
        self.unsaved.rules_late.insert(id);
        self.row(id)
    }

    /// Returns when rules' own publications triggered a rule of late, to be counted on: that isn't kept for its own sake.
    pub(crate) fn edit_storm(&mut self, id: LiveId) -> &mut VecDeque<Timestamp> {
        &mut self.row(id).storm
    }

    /// Returns how often a rule runs, to be counted on: that isn't kept.
    pub(crate) fn edit_pace(&mut self, id: LiveId) -> &mut Pace {
        &mut self.row(id).pace
    }

    /// Changes when a trigger is due, or when it last fired.
    pub(crate) fn edit_trigger(&mut self, id: LiveId, index: u16, edit: impl FnOnce(&mut TriggerState)) {
        if let Some(state) = self.edit(id).triggers.get_mut(usize::from(index)) {
            edit(state);
        }
    }

    /// Changes what a trigger knows of `topic`; `edit` says how soon that must be kept.
    pub(crate) fn edit_track<T>(
        &mut self,
        id: LiveId,
        index: u16,
        topic: &Topic,
        edit: impl FnOnce(&mut Track) -> (Soon, T),
    ) -> Option<T> {
        let row = self.row(id);
        let rule = row.rule.id.clone();
        let state = row.triggers.get_mut(usize::from(index))?;
        let (soon, result) = state.edit_track(topic, edit);
        self.note_track(TrackKey { rule, part: TrackPart::Trigger(index), topic: topic.clone() }, soon);
        Some(result)
    }

    /// Drops the holds that a rule has armed.
    pub(crate) fn drop_holds(&mut self, id: LiveId) -> Vec<(u16, Topic)> {
        let row = self.row(id);
        let rule = row.rule.id.clone();
        let mut dropped = Vec::new();
        for (index, state) in (0..=u16::MAX).zip(&mut row.triggers) {
            dropped.extend(state.drop_holds().into_iter().map(|topic| (index, topic)));
        }
        for (index, topic) in &dropped {
            let key = TrackKey { rule: rule.clone(), part: TrackPart::Trigger(*index), topic: topic.clone() };
            self.note_track(key, Soon::AtOnce);
        }
        dropped
    }

    /// Changes since when the `state` conditions with `for` hold, and what they know; `edit` says what it changed of what it
    /// was given for `topic`.
    pub(crate) fn edit_tracker(
        &mut self,
        id: LiveId,
        index: u16,
        topic: &Topic,
        edit: impl FnOnce(&mut Tracker) -> Noted,
    ) {
        let row = self.row(id);
        let rule = row.rule.id.clone();
        let noted = row.trackers.get_mut(usize::from(index)).map(edit).unwrap_or_default();
        if noted.since {
            let key = TrackKey { rule: rule.clone(), part: TrackPart::Condition(index), topic: topic.clone() };
            self.note_track(key, Soon::AtOnce);
        }
        if noted.known {
            self.note_track(TrackKey { rule, part: TrackPart::Known(index), topic: topic.clone() }, Soon::Late);
        }
    }

    /// Gives a rule what its triggers know when they first look at the state. It is kept only where a schedule is due, so
    /// that the next start knows what it missed: the rest follows from the state.
    pub(crate) fn set_triggers(&mut self, id: LiveId, states: Vec<TriggerState>) {
        if states.iter().any(|state| state.due.is_some()) {
            self.unsaved.rules.insert(id);
        }
        self.row(id).triggers = states;
    }

    /// Adds what triggers know of topics of which nothing was kept.
    pub(crate) fn add_tracks(&mut self, id: LiveId, looks: Vec<TriggerState>) {
        for (state, look) in self.row(id).triggers.iter_mut().zip(looks) {
            state.add_tracks(look);
        }
    }

    /// Gives a rule its trackers, which follow from the state as they stand, or were kept.
    pub(crate) fn set_trackers(&mut self, id: LiveId, make: impl FnOnce(Vec<Tracker>) -> Vec<Tracker>) {
        let row = self.row(id);
        row.trackers = make(std::mem::take(&mut row.trackers));
    }

    /// Moves all that lasts.
    pub(crate) fn shift(&mut self, by: SignedDuration) {
        self.rows.iter_mut().for_each(|row| row.shift(by));
        self.keep_all_at_once();
    }

    /// Moves all that is kept of rules that aren't in force.
    pub(crate) fn shift_dormant(&mut self, by: SignedDuration) {
        self.dormant.values_mut().for_each(|rule| rule.shift(by));
    }

    /// Returns the rule `id`.
    pub(crate) fn find(&self, id: &RuleId) -> Option<LiveId> {
        self.by_rule.get(id).copied()
    }

    /// Returns which of two rules comes first.
    pub(crate) fn order(&self, left: LiveId, right: LiveId) -> Ordering {
        if self.each.is_empty() {
            // Rules were made in their order, and none came between them since.
            return left.cmp(&right);
        }
        self.get(left).rank.cmp(&self.get(right).rank)
    }

    /// Returns how many rules are in force.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns all rules, in their order.
    pub(crate) fn ids(&self) -> Vec<LiveId> {
        self.in_order.values().copied().collect()
    }

    /// Returns the rules with `while`, in their order.
    pub(crate) fn while_rules(&self) -> Vec<LiveId> {
        let is_while = |live: &LiveRule| matches!(live.rule.start, Start::While(_));
        self.iter().filter(|(_, live)| is_while(live)).map(|(id, _)| id).collect()
    }

    /// Returns the rules that yield, in the order in which they came into force.
    pub(crate) fn yielding(&self) -> &[LiveId] {
        self.yielding.all()
    }

    /// Returns the rules that yield and watch what `topic` says, in that order.
    pub(crate) fn watching(&self, topic: &Topic) -> Vec<LiveId> {
        self.yielding.watching(topic)
    }

    /// Returns whether any rule yields.
    pub(crate) fn yields_any(&self) -> bool {
        !self.yielding.is_empty()
    }

    /// Returns whether an invariant may refuse what is published.
    pub(crate) fn refuses_any(&self) -> bool {
        self.refuses
    }

    /// Returns the invariants, in their order.
    pub(crate) fn invariants(&self) -> Vec<LiveId> {
        self.iter().filter(|(_, live)| live.rule.invariant.is_some()).map(|(id, _)| id).collect()
    }

    /// Returns all rules with what they remember, in their order; and the invariants behind them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LiveId, &LiveRule)> {
        self.in_order.values().map(|id| (*id, self.get(*id)))
    }

    /// Returns an index of the rules' ids, instances of `each` too.
    pub(crate) fn names(&self) -> Arc<RuleNames> {
        let of_topics = self.each.iter().map(|(_, each)| &each.id);
        Arc::new(RuleNames::new(self.by_rule.keys()).with_rules_of_topics(of_topics))
    }

    /// Puts other rules in force, empty of any past; what the old ones remember is dormant then.
    pub(crate) fn replace_all(&mut self, ruleset: &Ruleset) {
        self.ruleset = ruleset.clone();
        for id in std::mem::take(&mut self.unsaved.rules) {
            self.unsaved.dormant.insert(self.get(id).rule.id.clone());
        }
        for id in std::mem::take(&mut self.unsaved.rules_late) {
            self.unsaved.dormant_late.insert(self.get(id).rule.id.clone());
        }
        for row in std::mem::take(&mut self.rows) {
            self.dormant.insert(row.rule.id.clone(), row.to_saved());
        }
        self.in_order.clear();
        self.by_rule.clear();
        self.each.clear();
        self.each_index = TopicIndex::default();
        self.refuses = false;
        self.yielding = Yielding::default();
        for (entry, rule) in ruleset.all().enumerate() {
            match rule {
                RuleEntry::Rule(rule) => {
                    self.insert(Rank { entry, topic: None }, Arc::clone(rule));
                }
                RuleEntry::EachTopic(each) => {
                    self.each_index.insert(&each.filter, self.each.len());
                    self.each.push((entry, each.clone()));
                }
            }
        }
    }

    /// Puts rules in force in the places of those that changed, and gives all others the text that they have now, which
    /// means the same. Returns the changed ones, empty of any past: what the old ones remember is dormant then. `None`, and
    /// nothing is changed, where rules came, went or moved, or are made for topics.
    pub(crate) fn replace_changed(&mut self, ruleset: &Ruleset) -> Option<Vec<LiveId>> {
        let changed: BTreeSet<RuleId> = self.ruleset.changed_in_place(ruleset)?.into_iter().collect();
        self.ruleset = ruleset.clone();
        let mut replaced = Vec::new();
        for (entry, rule) in ruleset.all().enumerate() {
            let (RuleEntry::Rule(rule), rank) = (rule, Rank { entry, topic: None }) else { continue };
            let Some(id) = self.in_order.get(&rank).copied() else { continue };
            let is_changed = changed.contains(&rule.id);
            self.refuses |= rule.refuses();
            let row = self.row(id);
            if is_changed {
                let old = std::mem::replace(row, LiveRule::new(Arc::clone(rule), rank));
                self.dormant.insert(old.rule.id.clone(), old.to_saved());
                replaced.push(id);
            } else {
                row.rule = Arc::clone(rule);
            }
        }
        self.yielding = Yielding::of((0..).map(LiveId::of).zip(self.rows.iter().map(|row| &row.rule)));
        Some(replaced)
    }

    /// Returns whether `each: {topic: …}` asks for rules.
    pub(crate) fn makes_for_topics(&self) -> bool {
        !self.each.is_empty()
    }

    /// Makes the rules that `each: {topic: …}` asks for now that `topic` is there. Returns them, and what is wrong where one
    /// can't be made.
    pub(crate) fn make_for_topic(&mut self, topic: &Topic) -> (Vec<LiveId>, Vec<(RuleId, String)>) {
        let mut made = Vec::new();
        let mut errors = Vec::new();
        let mut found = Vec::new();
        self.each_index.find(topic, &mut found);
        found.sort_unstable();
        for index in found {
            let Some((entry, each)) = self.each.get(index) else { continue };
            let rank = Rank { entry: *entry, topic: Some(topic.clone()) };
            if self.in_order.contains_key(&rank) {
                continue;
            }
            match (each.make)(topic) {
                Ok(rule) => made.push(self.insert(rank, Arc::new(rule))),
                Err(error) => errors.push((each.id.clone(), error)),
            }
        }
        (made, errors)
    }

    /// Gives a rule what is kept of it. Returns how much of it the rule took.
    pub(crate) fn adopt(&mut self, id: LiveId) -> Option<Adopted> {
        let row = self.rows.get_mut(id.index())?;
        let saved = self.dormant.remove(&row.rule.id)?;
        let is_changed = saved.fingerprint != row.rule.fingerprint;
        if is_changed {
            // What the rule knew of topics before it changed is forgotten.
            self.unsaved.tracks.extend(saved.track_keys(&row.rule.id));
            self.unsaved.rules.insert(id);
        }
        let adopted = if is_changed {
            Adopted::OfChangedRule { ended: saved.timers.clone() }
        } else if saved.is_whole {
            Adopted::Whole
        } else {
            Adopted::WithGaps
        };
        row.take_saved(saved);
        Some(adopted)
    }

    /// Takes the timers of rules that are no more.
    pub(crate) fn take_timers_of_dormant(&mut self) -> Vec<(RuleId, Vec<Timer>)> {
        let gone = self.dormant.iter_mut().filter(|(_, saved)| !saved.timers.is_empty());
        let gone: Vec<_> = gone.map(|(id, saved)| (id.clone(), std::mem::take(&mut saved.timers))).collect();
        self.unsaved.dormant.extend(gone.iter().map(|(id, _)| id.clone()));
        gone
    }

    /// Takes back what was kept of a rule.
    pub(crate) fn restore(&mut self, rule: RuleId, saved: SavedRule) {
        self.unsaved.kept.insert(rule.clone());
        self.dormant.insert(rule, saved);
    }

    /// Takes back what was kept of a topic. That of a rule of which nothing is known counts for nothing.
    ///
    /// # Errors
    /// When it can't be read.
    pub(crate) fn restore_track(&mut self, key: &TrackKey, value: &str) -> Result<(), String> {
        self.dormant.get_mut(&key.rule).map_or(Ok(()), |saved| saved.restore_track(key, value))
    }

    /// Makes all of it be kept, before anything else leaves.
    pub(crate) fn keep_all_at_once(&mut self) {
        self.unsaved.rules.extend((0..self.rows.len()).map(LiveId::of));
        self.keep_tracks_and_dormant();
    }

    /// Makes all of it be kept within a second.
    pub(crate) fn keep_all(&mut self) {
        self.unsaved.rules_late.extend((0..self.rows.len()).map(LiveId::of));
        self.keep_tracks_and_dormant();
    }

    /// Says what must be kept at once.
    pub(crate) fn save_at_once(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(id) = self.unsaved.rules.pop_first() {
            self.unsaved.rules_late.remove(&id);
            self.save_rule(id, save);
        }
        while let Some(key) = self.unsaved.tracks.pop_first() {
            self.unsaved.tracks_late.remove(&key);
            self.save_track(&key, save);
        }
        while let Some(rule) = self.unsaved.dormant.pop_first() {
            self.unsaved.dormant_late.remove(&rule);
            self.save_dormant(&rule, save);
        }
    }

    /// Says what may be kept late.
    pub(crate) fn save_late(&mut self, save: &mut impl FnMut(SaveKey, Option<String>)) {
        while let Some(id) = self.unsaved.rules_late.pop_first() {
            self.save_rule(id, save);
        }
        while let Some(key) = self.unsaved.tracks_late.pop_first() {
            self.save_track(&key, save);
        }
        while let Some(rule) = self.unsaved.dormant_late.pop_first() {
            self.save_dormant(&rule, save);
        }
    }

    fn row(&mut self, id: LiveId) -> &mut LiveRule {
        debug_assert!(id.index() < self.rows.len(), "{id:?} has outlived its table");
        self.rows.get_mut(id.index()).unwrap_or(&mut self.vacant)
    }

    fn insert(&mut self, rank: Rank, rule: Arc<Rule>) -> LiveId {
        self.refuses |= rule.refuses();
        let id = LiveId::of(self.rows.len());
        self.yielding.add(id, &rule);
        self.by_rule.insert(rule.id.clone(), id);
        self.in_order.insert(rank.clone(), id);
        self.rows.push(LiveRule::new(rule, rank));
        id
    }

    fn note_track(&mut self, key: TrackKey, soon: Soon) {
        match soon {
            Soon::AtOnce => self.unsaved.tracks.insert(key),
            Soon::Late => self.unsaved.tracks_late.insert(key),
        };
    }

    fn keep_tracks_and_dormant(&mut self) {
        for row in &self.rows {
            self.unsaved.tracks.extend(row.track_keys());
        }
        for (rule, saved) in &self.dormant {
            self.unsaved.tracks.extend(saved.track_keys(rule));
        }
        self.unsaved.dormant.extend(self.dormant.keys().cloned());
    }

    fn save_rule(&mut self, id: LiveId, save: &mut impl FnMut(SaveKey, Option<String>)) {
        let Some(row) = self.rows.get(id.index()) else { return };
        save(SaveKey(format!("{RULE}{}", row.rule.id).into()), to_json(&row.to_row()));
        self.unsaved.kept.insert(row.rule.id.clone());
    }

    /// Says what must be kept of a rule that wasn't in force when that was noted, or that nothing must any more.
    fn save_dormant(&mut self, rule: &RuleId, save: &mut impl FnMut(SaveKey, Option<String>)) {
        match self.find(rule) {
            Some(id) => self.save_rule(id, save),
            None => save(SaveKey(format!("{RULE}{rule}").into()), self.dormant.get(rule).and_then(SavedRule::to_row)),
        }
    }

    /// Says what must be kept of one topic, or that nothing must any more.
    fn save_track(&mut self, key: &TrackKey, save: &mut impl FnMut(SaveKey, Option<String>)) {
        let id = self.find(&key.rule);
        let value = match id {
            Some(id) => self.get(id).track_value(key),
            None => self.dormant.get(&key.rule).and_then(|saved| saved.track_value(key)),
        };
        // Its rule's row says of which rule it is true.
        if let Some(id) = id
            && !self.unsaved.kept.contains(&key.rule)
        {
            self.save_rule(id, save);
        }
        save(key.to_save_key(), value);
    }
}

/// What a rule took of what was kept of it.
pub(crate) enum Adopted {
    /// All.
    Whole,
    /// All, but nothing was kept of topics that have been silent.
    WithGaps,
    /// What belongs to its id, since it means something else now: these timers ended.
    OfChangedRule {
        /// The timers.
        ended: Vec<Timer>,
    },
}
