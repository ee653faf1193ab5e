//! What a home does by time alone: each trigger that is due, and each `while` that a time of day or the sun begins or ends.
//!
//! The engine itself is run through the coming days, with rules that do nothing and devices that say nothing. So a clock
//! change or a polar night means here what it means in the house.

mod note;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::engine::{BlockedBy, ByTime, CauseKind, Options, Outcome, RuleByTime, StepKind, Trace};
use crate::explain;
use crate::lang::test_file::Answers;
use crate::model::RuleId;
use crate::model::schedule::SunEvent;
use crate::rules::{Block, BlockId, Mode, Per, Rule, RuleEntry, Ruleset, Start, TriggerKind};

use super::home::VirtualHome;
use note::{ClockNote, Sunless, sunless};

/// The most entries. More are read by nobody.
const MOST: usize = 200_000;

/// What a home does by time alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schedule {
    /// What is due, in order.
    pub entries: Vec<Due>,
    /// The days without an event of the sun that a trigger is for.
    pub sunless: Vec<SunlessDays>,
    /// Whether more would follow than is listed.
    pub is_cut: bool,
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Of which rule.
    pub rule: RuleId,
    /// The trigger's place in the rule: `when[0]`, or `while`.
    pub trigger: Arc<str>,
    /// What the trigger says, in words.
    pub words: String,
    /// What is special about this time.
    pub note: Option<String>,
    /// How the clock changes on that day, where that doesn't move this time.
    pub clock_change: Option<String>,
}

impl Due {
    /// Returns all that is special about this time and its day.
    #[must_use]
    pub fn full_note(&self) -> Option<String> {
        joined(self.clock_change.iter().chain(&self.note).cloned().collect())
    }
}

/// Days on which a trigger's event of the sun doesn't come.
#[derive(Debug, Clone, PartialEq)]
pub struct SunlessDays {
    /// Of which rule.
    pub rule: RuleId,
    /// The trigger's place in the rule.
    pub trigger: Arc<str>,
    /// The event that doesn't come.
    pub event: SunEvent,
    /// The first day.
    pub first: Date,
    /// The last day, within what was asked for.
    pub last: Date,
}

impl Schedule {
    /// Returns what `rules` do by time alone from `from` until before `until`; of the rules `only`, if some are named.
    #[must_use]
    pub fn new(
        rules: &Ruleset,
        options: &Options,
        (from, until): (Timestamp, Timestamp),
        only: Option<&BTreeSet<RuleId>>,
    ) -> Schedule {
        let wanted = |id: &RuleId| only.is_none_or(|only| only.contains(id) || only.contains(&id.maker()));
        let idle: Vec<Arc<Rule>> = rules.entries.iter().filter_map(idle).collect();
        let entries = idle.iter().cloned().map(RuleEntry::Rule).collect();
        // What is due at the very beginning is due.
        let start = from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(from);
        let home = VirtualHome::start(start, rules.of(entries), options.clone(), [], Answers::default());
        let rules = idle.iter().filter(|rule| wanted(&rule.id)).map(|rule| (rule.id.clone(), Arc::clone(rule)));
        let mut walk = Walk { home, rules: rules.collect(), stands: BTreeMap::new(), entries: Vec::new() };
        walk.note_whiles();
        walk.home.traces.clear();
        walk.entries.clear();
        let mut is_cut = false;
        while let Some(due) = walk.home.engine().next_deadline().filter(|due| *due < until) {
            walk.step(due);
            is_cut = walk.entries.len() >= MOST;
            if is_cut {
                break;
            }
        }
        let mut entries = walk.entries;
        let mut missing = Vec::new();
        for rule in walk.rules.values() {
            for days in sunless(rule, &options.calendar, (from, until)) {
                mark(&mut entries, rule, &days);
                let Sunless { trigger, event, first, last, .. } = days;
                missing.push(SunlessDays { rule: rule.id.clone(), trigger, event, first, last });
            }
        }
        Schedule { entries, sunless: missing, is_cut }
    }
}

/// The home on its way through the days.
struct Walk {
    home: VirtualHome,
    /// The rules that are asked for.
    rules: BTreeMap<RuleId, Arc<Rule>>,
    /// How each `while` stood last.
    stands: BTreeMap<RuleId, Stand>,
    entries: Vec<Due>,
}

/// How a `while` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It has begun.
    Holds,
    /// It will hold if the rest of its condition does.
    May,
    /// It can't hold at this time.
    Not,
}

impl Walk {
    /// Lets time pass to `due`, and notes what that leads to.
    fn step(&mut self, due: Timestamp) {
        self.home.advance(due);
        for trace in std::mem::take(&mut self.home.traces) {
            self.note_trace(&trace);
        }
        // It keeps what happened; nobody asks for it.
        self.home.take_published();
        self.note_whiles();
    }

    fn note_trace(&mut self, trace: &Trace) {
        let Some(rule) = self.rules.get(&trace.rule).cloned() else { return };
        if !matches!(trace.cause.kind, CauseKind::Time { .. }) {
            return;
        }
        let Some(step) = trace.steps.iter().find(|step| step.kind == StepKind::Trigger) else { return };
        let Some(trigger) = rule.triggers().iter().find(|trigger| trigger.path == step.path) else { return };
        let (calendar, at) = (&self.home.options().calendar, trace.at);
        let schedule = match &trigger.kind {
            TriggerKind::Schedule { schedule, .. } => Some(schedule),
            _ => None,
        };
        let ClockNote { of_time, of_day } = ClockNote::new(schedule, at, calendar);
        let mut notes: Vec<String> = of_time.into_iter().collect();
        let condition = self.home.by_time(&rule.id).map_or(ByTime::Open, |by_time| by_time.condition);
        match condition {
            ByTime::False => return,
            ByTime::True => {}
            ByTime::Open => notes.push("if its `if` is true".to_owned()),
        }
        if trace.outcome == Outcome::Skipped(BlockedBy::Disabled) {
            return;
        }
        let words = explain::trigger_time(&trigger.kind);
        self.entries.push(Due {
            at,
            rule: rule.id.clone(),
            trigger: Arc::clone(&trigger.path),
            words,
            note: joined(notes),
            clock_change: of_day,
        });
    }

    fn note_whiles(&mut self) {
        let at = self.home.now();
        let whiles = self.rules.values().filter(|rule| matches!(rule.start, Start::While(_)) && rule.enabled);
        for rule in whiles.cloned().collect::<Vec<_>>() {
            let Some(RuleByTime { start: Some(start), .. }) = self.home.by_time(&rule.id) else { continue };
            let stand = if self.home.engine().holding().contains(&rule.id) {
                Stand::Holds
            } else if start == ByTime::Open {
                Stand::May
            } else {
                Stand::Not
            };
            let Some(before) = self.stands.insert(rule.id.clone(), stand) else { continue };
            let words = match (before, stand) {
                (Stand::Holds, Stand::Holds) | (Stand::May, Stand::May) | (Stand::Not, Stand::Not) => continue,
                (_, Stand::Holds) => "its `while` begins",
                (Stand::Holds, _) => "its `while` ends",
                (_, Stand::May) => "its `while` may begin",
                (Stand::May, Stand::Not) => "its `while` can't hold any longer",
            };
            let ClockNote { of_time, of_day } = ClockNote::new(None, at, &self.home.options().calendar);
            let mut notes: Vec<String> = of_time.into_iter().collect();
            if stand == Stand::May {
                notes.push("if the rest of its condition is true".to_owned());
            }
            let (rule, trigger) = (rule.id.clone(), Arc::from("while"));
            self.entries.push(Due {
                at,
                rule,
                trigger,
                words: words.to_owned(),
                note: joined(notes),
                clock_change: of_day,
            });
        }
    }
}

/// Returns a rule that is triggered as this one is, and does nothing.
fn idle(entry: &RuleEntry) -> Option<Arc<Rule>> {
    let RuleEntry::Rule(rule) = entry else { return None };
    let mut rule = Rule::clone(rule);
    rule.blocks = vec![Block { path: "then".into(), actions: Vec::new() }];
    rule.then = Some(BlockId(0));
    rule.otherwise = None;
    rule.variables = Vec::new();
    (rule.mode, rule.per, rule.cooldown) = (Mode::Parallel, Per::default(), None);
    Some(Arc::new(rule))
}

/// Notes the days without an event at what comes after them, or else at what comes before.
fn mark(entries: &mut [Due], rule: &Rule, days: &Sunless) {
    let is_its = |due: &Due| due.rule == rule.id && due.trigger == days.trigger;
    let after = entries.iter().position(|due| is_its(due) && due.at > days.ends_at);
    let near = after.or_else(|| entries.iter().rposition(is_its));
    if let Some(due) = near.and_then(|index| entries.get_mut(index)) {
        let note = days.to_string();
        due.note = Some(due.note.take().map_or(note.clone(), |known| format!("{known}; {note}")));
    }
}

fn joined(notes: Vec<String>) -> Option<String> {
    (!notes.is_empty()).then(|| notes.join("; "))
}
