//! Coverage: which triggers, conditions and actions of each rule the tests have exercised.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::engine::{BlockedBy, InvariantNews, Outcome, Step, Trace, Verdict, WhyFalse};
use crate::model::{Place, RuleId, Topic};
use crate::rules::{
    ActionKind, Condition, ConditionKind, DeviceCondition, DeviceTrigger, Mode, Rule, RuleEntry, Ruleset, Start,
    TriggerKind,
};

use super::home::{Turns, without_instance};

/// What a test has exercised.
#[derive(Debug, Clone, Default)]
pub struct Exercised {
    /// The traces of all that ran and did not run.
    pub traces: Vec<Arc<Trace>>,
    /// Which `while` rules began and ended.
    pub turns: Turns,
    /// What became of invariants.
    pub invariants: Vec<Arc<InvariantNews>>,
}

/// What the tests have exercised of all rules.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// The rules in their order, instances of one rule as one.
    pub rules: Vec<RuleCoverage>,
    /// The invariants in their order, instances of one as one.
    pub invariants: Vec<InvariantCoverage>,
}

/// Whether the tests have armed an invariant: whether there was anything to judge.
#[derive(Debug, Clone)]
pub struct InvariantCoverage {
    /// Its id without an instance.
    pub invariant: RuleId,
    /// Whether they have.
    pub is_armed: bool,
    /// Where it stands.
    pub place: Place,
}

impl InvariantCoverage {
    fn all(rules: &Ruleset, armed: &BTreeSet<&str>) -> Vec<InvariantCoverage> {
        let mut all: Vec<InvariantCoverage> = Vec::new();
        for entry in &*rules.invariants {
            let id = entry.invariant_id();
            let id = without_instance(id.as_str());
            if all.last().is_none_or(|known| known.invariant.as_str() != id) {
                let (invariant, is_armed) = (RuleId::from_text(id), armed.contains(id));
                all.push(InvariantCoverage { invariant, is_armed, place: entry.place().clone() });
            }
        }
        all
    }
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
    /// The paths of its `for`s, and whether each was seen to end, and to be broken. They count for no percentage.
    pub holds: BTreeMap<String, (bool, bool)>,
    /// The paths of its `state` conditions with `for`, and whether each was seen to have lasted long enough, and not
    /// yet. They count for no percentage.
    pub lasting: BTreeMap<String, (bool, bool)>,
    /// Its mode where that may drop triggers, and whether it did. It counts for no percentage.
    pub drops: Option<(&'static str, bool)>,
    /// Where each of these paths stands.
    pub places: BTreeMap<String, Place>,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It was done, or fired: it's no condition.
    Done,
    /// The condition was true.
    True,
    /// It was false.
    False,
    /// It was false because what it asks for hadn't lasted long enough.
    TooShort,
    /// It was unknown, or failed.
    Neither,
}

impl Came {
    fn of(step: &Step) -> Came {
        match step.verdict() {
            None => Came::Done,
            Some(Verdict::True) => Came::True,
            Some(Verdict::False(Some(why))) if matches!(**why, WhyFalse::TooShort { .. }) => Came::TooShort,
            Some(Verdict::False(_)) => Came::False,
            Some(Verdict::Unknown(_) | Verdict::Failed(_)) => Came::Neither,
        }
    }
}

/// What the traces and turns of tests tell of one rule.
#[derive(Debug, Default)]
struct Seen<'a> {
    /// What came of the steps at their paths.
    steps: BTreeSet<(&'a str, Came)>,
    /// Where in scripts closures did something.
    places: BTreeSet<&'a Place>,
    /// The paths of holds that were broken.
    broken: BTreeSet<&'a str>,
    /// Whether its mode dropped a trigger.
    has_dropped: bool,
}

impl Coverage {
    /// Returns what these tests have exercised of `rules`.
    pub fn new<'a>(rules: &Ruleset, tests: impl IntoIterator<Item = &'a Exercised>) -> Coverage {
        let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
        let mut armed: BTreeSet<&str> = BTreeSet::new();
        for Exercised { traces, turns, invariants } in tests {
            armed.extend(invariants.iter().map(|news| without_instance(news.invariant.as_str())));
            for trace in traces {
                seen.entry(without_instance(trace.rule.as_str())).or_default().note(trace);
            }
            for (rules, came) in [(&turns.began, Came::True), (&turns.ended, Came::False)] {
                for rule in rules {
                    seen.entry(without_instance(rule.as_str())).or_default().steps.insert(("while", came));
                }
            }
        }
        let mut all: Vec<RuleCoverage> = Vec::new();
        for entry in &*rules.entries {
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
            coverage.mark(seen.get(id).unwrap_or(&Seen::default()));
            all.push(coverage);
        }
        Coverage { rules: all, invariants: InvariantCoverage::all(rules, &armed) }
    }

    /// Returns the percentage of all that could be exercised; 100 where there is nothing.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let (seen, all) = self
            .rules
            .iter()
            .map(RuleCoverage::counts)
            .chain(self.invariants.iter().map(|invariant| (usize::from(invariant.is_armed), 1)))
            .fold((0, 0), |(seen, all), (more_seen, more)| (seen + more_seen, all + more));
        percent(seen, all)
    }
}

impl<'a> Seen<'a> {
    fn note(&mut self, trace: &'a Trace) {
        let is_broken = trace.outcome == Outcome::Skipped(BlockedBy::Hold);
        self.has_dropped |= trace.outcome == Outcome::Skipped(BlockedBy::Mode);
        for step in &trace.steps {
            self.places.extend(step.place.as_deref());
            match Came::of(step) {
                // The trigger of a hold that was broken hasn't fired.
                Came::Done if is_broken => self.broken.insert(&step.path),
                came => self.steps.insert((&step.path, came)),
            };
        }
    }
}

impl RuleCoverage {
    fn empty(id: &str) -> RuleCoverage {
        RuleCoverage {
            rule: RuleId::from_text(id),
            triggers: BTreeMap::new(),
            conditions: BTreeMap::new(),
            actions: BTreeMap::new(),
            holds: BTreeMap::new(),
            lasting: BTreeMap::new(),
            drops: None,
            places: BTreeMap::new(),
        }
    }

    fn of_rule(id: &str, rule: &Rule) -> RuleCoverage {
        let mut coverage = RuleCoverage::empty(id);
        let triggers = rule.triggers().iter().filter(|trigger| trigger.enabled && trigger.part_of.is_none());
        coverage.triggers = triggers.map(|trigger| (trigger.path.to_string(), false)).collect();
        let conditions = rule.conditions().map(|condition| (condition.path.to_string(), (false, false)));
        coverage.conditions = conditions.collect();
        coverage.actions = rule.actions().map(|action| (action.path.to_string(), false)).collect();
        coverage.holds = holds(rule).into_iter().map(|path| (path, (false, false))).collect();
        let conditions = rule.conditions().flat_map(Condition::with_inner);
        let lasting = conditions.filter(|condition| match &condition.kind {
            ConditionKind::State(state) | ConditionKind::Device(DeviceCondition { state, .. }) => state.hold.is_some(),
            _ => false,
        });
        coverage.lasting = lasting.map(|condition| (condition.path.to_string(), (false, false))).collect();
        coverage.drops = match rule.mode {
            Mode::Restart => None,
            mode => Mode::ALL.iter().find(|(_, known)| *known == mode).map(|(word, _)| (*word, false)),
        };
        let triggers = rule.triggers().iter().map(|trigger| (&trigger.path, &trigger.place));
        let conditions = rule.conditions().map(|condition| (&condition.path, &condition.place));
        let actions = rule.actions().map(|action| (&action.path, &action.place));
        let places = triggers.chain(conditions).chain(actions);
        coverage.places = places.map(|(path, place)| (path.to_string(), place.clone())).collect();
        for action in rule.actions() {
            if let ActionKind::Script(closure) = &action.kind {
                closure.acts().for_each(|(function, place)| coverage.add_act(&action.path, function, place));
            }
        }
        coverage
    }

    /// Adds what a closure does somewhere, by the line: `then:12 publish`.
    fn add_act(&mut self, closure: &str, function: &str, place: Place) {
        let mut path = format!("{closure}:{} {function}", place.line);
        if self.actions.contains_key(&path) {
            path = format!("{closure}:{}:{} {function}", place.line, place.column);
        }
        self.actions.insert(path.clone(), false);
        self.places.insert(path, place);
    }

    /// Marks what the steps have exercised.
    fn mark(&mut self, seen: &Seen<'_>) {
        for (path, (ended, was_broken)) in &mut self.holds {
            let came = if path == "while" { Came::True } else { Came::Done };
            *ended = seen.steps.contains(&(path, came));
            *was_broken = seen.broken.contains(path.as_str());
        }
        for (path, (lasted, did_not)) in &mut self.lasting {
            *lasted |= seen.steps.contains(&(path, Came::True));
            *did_not |= seen.steps.contains(&(path, Came::TooShort));
            // A `while` is asked whenever something changes, and only what that leads to is traced.
            *did_not |= path.starts_with("while");
        }
        if let Some((_, has_dropped)) = &mut self.drops {
            *has_dropped = seen.has_dropped;
        }
        for (action, ran) in &mut self.actions {
            *ran |= self.places.get(action).is_some_and(|place| seen.places.contains(place));
        }
        for (path, came) in &seen.steps {
            if let Some(fired) = self.triggers.get_mut(*path) {
                *fired = true;
            }
            // An action that only holds others leaves no step of its own: theirs tell that it ran.
            for (action, ran) in &mut self.actions {
                let rest = path.strip_prefix(action.as_str());
                *ran |= rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            }
            if let Some((seen_true, seen_false)) = self.conditions.get_mut(*path) {
                *seen_true |= *came == Came::True;
                *seen_false |= matches!(came, Came::False | Came::TooShort);
            }
        }
    }

    /// Returns how much was exercised, and how much could be (docs/testing.md).
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
        self.gaps_by_path().into_iter().map(|(path, gap)| format!("{path} {gap}")).collect()
    }

    /// Returns what was never exercised, as a path with what never happened there.
    #[must_use]
    pub fn gaps_by_path(&self) -> Vec<(&str, &'static str)> {
        let triggers = self.triggers.iter().filter(|(_, fired)| !**fired).map(|(path, _)| (&**path, "never fired"));
        let conditions = self.conditions.iter().filter_map(|(path, seen)| match seen {
            (true, true) => None,
            (true, false) => Some((&**path, "never false")),
            (false, true) => Some((&**path, "never true")),
            (false, false) => Some((&**path, "never asked")),
        });
        let mut actions: Vec<(&str, &str)> =
            self.actions.iter().filter(|(_, ran)| !**ran).map(|(path, _)| (&**path, "never ran")).collect();
        actions.sort_by_key(|(path, _)| self.places.get(*path));
        triggers.chain(conditions).chain(actions).collect()
    }

    /// Returns what else was never seen, in words; it counts for no percentage: `the for of when never broken`.
    #[must_use]
    pub fn asides(&self) -> Vec<String> {
        let holds = self.holds.iter().flat_map(|(path, (ended, was_broken))| {
            let ended = (!ended).then(|| format!("the for of {path} never over"));
            ended.into_iter().chain((!was_broken).then(|| format!("the for of {path} never broken")))
        });
        let lasting = self.lasting.iter().flat_map(|(path, (lasted, did_not))| {
            let lasted = (!lasted).then(|| format!("the for of {path} never over"));
            lasted.into_iter().chain((!did_not).then(|| format!("{path} never asked before its for was over")))
        });
        let holds = holds.chain(lasting);
        let dropped = self.drops.filter(|(_, has_dropped)| !has_dropped);
        holds.chain(dropped.map(|(mode, _)| format!("mode {mode} never dropped"))).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a home has fewer than 2^53 rules")]
fn percent(seen: usize, all: usize) -> f64 {
    if all == 0 { 100.0 } else { 100.0 * seen as f64 / all as f64 }
}

/// Returns the paths of what in a rule must hold for a time before it begins.
fn holds(rule: &Rule) -> Vec<String> {
    match &rule.start {
        Start::While(start) => (!start.hold.is_zero()).then(|| "while".to_owned()).into_iter().collect(),
        Start::When(triggers) => {
            let holds = triggers.iter().filter(|trigger| match &trigger.kind {
                TriggerKind::State(state) | TriggerKind::Device(DeviceTrigger { state, .. }) => {
                    trigger.enabled && state.hold.is_some()
                }
                _ => false,
            });
            holds.map(|trigger| trigger.path.to_string()).collect()
        }
    }
}

/// Returns a topic that a filter without names matches.
fn example(filter: &str) -> Option<Topic> {
    Topic::parse(&filter.replace(['+', '#'], "x")).ok()
}
