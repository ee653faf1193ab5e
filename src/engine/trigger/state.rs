//! What triggers remember, and whether a message makes one fire (docs/language/triggers.md).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::instant::{Shift, later};
use crate::engine::live::soon::Soon;
use crate::engine::trigger::firing::Firing;
use crate::engine::trigger::sequence::SequenceState;
use crate::model::{Topic, Value};
use crate::rules::StateTrigger;

/// What one trigger remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TriggerState {
    /// What it knows of each topic.
    topics: BTreeMap<Topic, Track>,
    /// When a schedule is due next.
    pub(crate) due: Option<Timestamp>,
    /// For when a schedule, or the expression of an `at`, last fired: it isn't due then once more, though a clock that
    /// was set back shows that time again.
    #[serde(default)]
    pub(crate) fired_at: Option<Timestamp>,
    /// What the parts of a sequence have fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<Box<SequenceState>>,
}

impl TriggerState {
    /// Returns what it remembers beside topics.
    pub(crate) fn without_topics(&self) -> TriggerState {
        TriggerState {
            due: self.due,
            fired_at: self.fired_at,
            sequence: self.sequence.clone(),
            ..TriggerState::default()
        }
    }

    /// Returns what a schedule knows that is due then.
    pub(crate) fn of_due(due: Option<Timestamp>) -> TriggerState {
        TriggerState { due, ..TriggerState::default() }
    }

    /// Returns what a trigger knows of topics, and nothing else.
    pub(crate) fn of_tracks(topics: BTreeMap<Topic, Track>) -> TriggerState {
        TriggerState { topics, ..TriggerState::default() }
    }

    /// Returns what it knows of each topic.
    pub(crate) fn tracks(&self) -> &BTreeMap<Topic, Track> {
        &self.topics
    }

    /// Changes what it knows of a topic.
    pub(crate) fn edit_track<T>(&mut self, topic: &Topic, edit: impl FnOnce(&mut Track) -> T) -> T {
        // Hardly any topic is a new one.
        match self.topics.get_mut(topic) {
            Some(track) => edit(track),
            None => edit(self.topics.entry(topic.clone()).or_default()),
        }
    }

    /// Adds what was kept of a topic.
    pub(crate) fn restore_track(&mut self, topic: Topic, track: Track) {
        self.topics.insert(topic, track);
    }

    /// Adds the topics of `look` of which it knows nothing.
    pub(crate) fn add_tracks(&mut self, look: TriggerState) {
        for (topic, track) in look.topics {
            self.topics.entry(topic).or_insert(track);
        }
    }

    /// Drops the holds that are armed. Returns their topics.
    pub(crate) fn drop_holds(&mut self) -> Vec<Topic> {
        let held = self.topics.iter_mut().filter_map(|(topic, track)| track.hold.take().map(|_| topic.clone()));
        held.collect()
    }
}

/// What a trigger knows of one topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    /// The last value known at the trigger's path; `()`: none yet.
    pub(crate) last: Value,
    /// Whether the last number known lay in the range.
    pub(crate) is_inside: bool,
    /// Whether it fired and hasn't left the range by the hysteresis since.
    pub(crate) is_spent: bool,
    /// What must hold a while longer.
    pub(crate) hold: Option<Hold>,
    /// When the topic has been silent for too long; `None` once that was said.
    pub(crate) silent_at: Option<Timestamp>,
}

/// A hold that is armed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) since: Timestamp,
    pub(crate) due: Timestamp,
    /// What will have triggered the run.
    #[serde(alias = "occasion")]
    pub(crate) firing: Firing,
}

/// What a value means to a state trigger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// It fires, or its hold begins, coming from the value `old`.
    Begins { old: Value },
    /// What was asked doesn't hold any more: a hold is broken.
    Breaks,
}

/// What a message did to a state trigger.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    /// The hold that was broken.
    pub(crate) broken: Option<Hold>,
    /// What it made the trigger do.
    pub(crate) begins: Option<Begins>,
}

/// What a message made a state trigger do.
#[derive(Debug)]
pub(crate) enum Begins {
    /// It fires.
    Firing(Firing),
    /// Its hold is armed, until then.
    Armed(Timestamp),
    /// Its hold would be armed, but the rule is switched off.
    Refused(Firing),
}

/// Whether a hold may be armed now: not where its rule is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MayArm {
    Yes,
    No,
}

impl Shift for TriggerState {
    fn shift(&mut self, by: SignedDuration) {
        if let Some(sequence) = &mut self.sequence {
            sequence.shift(by);
            self.due.shift(by);
        }
        for track in self.topics.values_mut() {
            if let Some(hold) = &mut track.hold {
                hold.since.shift(by);
                hold.due.shift(by);
            }
            track.silent_at.shift(by);
        }
    }
}

impl Track {
    /// Returns what is known of a topic whose value at the trigger's path is `value` when the trigger first
    /// looks: nothing fires from it. A number in the range counts as outside where `counts_as_outside`.
    pub(crate) fn first_look(trigger: &StateTrigger, value: Option<&Value>, counts_as_outside: OutsideFirst) -> Track {
        let mut track = Track::default();
        if let Some(value) = value.filter(|value| !value.is_null()) {
            track.last = value.clone();
            let inside = trigger.range.zip(value.as_number()).is_some_and(|(range, number)| range.contains(number));
            track.is_inside = inside && counts_as_outside == OutsideFirst::No;
            track.is_spent = track.is_inside;
        }
        track
    }

    /// Returns when it is due: its hold is over, or it has been silent for too long.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.hold.as_ref().map(|hold| hold.due).or(self.silent_at)
    }

    /// Takes a message into account, at `now`, whose value at the trigger's path is `value`: the trigger fires, its hold is
    /// armed or broken, or nothing. `firing` gives what the message sets. Returns how soon that must be kept, too.
    pub(crate) fn react(
        &mut self,
        trigger: &StateTrigger,
        value: Option<&Value>,
        (news, now, may_arm): (News, Timestamp, MayArm),
        firing: impl FnOnce() -> Firing,
    ) -> (Soon, Reaction) {
        let change = self.update(trigger, value, news);
        let broken = if change == Change::None { None } else { self.hold.take() };
        let begins = match change {
            Change::None | Change::Breaks => None,
            Change::Begins { old } => {
                let firing = Firing { old, value: value.cloned().unwrap_or_default(), ..firing() };
                Some(match trigger.hold {
                    None => {
                        self.is_spent = trigger.range.is_some();
                        Begins::Firing(firing)
                    }
                    Some(_) if may_arm == MayArm::No => Begins::Refused(firing),
                    Some(hold) => {
                        let due = later(now, hold);
                        self.hold = Some(Hold { since: now, due, firing });
                        Begins::Armed(due)
                    }
                })
            }
        };
        let is_urgent = broken.is_some() || matches!(begins, Some(Begins::Firing(_) | Begins::Armed(_)));
        (if is_urgent { Soon::AtOnce } else { Soon::Late }, Reaction { broken, begins })
    }

    /// Takes a message into account whose value at the trigger's path is `value`, and decides what it means.
    fn update(&mut self, trigger: &StateTrigger, value: Option<&Value>, news: News) -> Change {
        let Some(value) = value.filter(|value| !value.is_null()) else { return Change::None };
        match trigger.range {
            Some(range) => {
                let Some(number) = value.as_number() else { return Change::None };
                let old = std::mem::replace(&mut self.last, value.clone());
                let is_first = old.is_null();
                let was_inside = std::mem::replace(&mut self.is_inside, range.contains(number));
                if range.rearms(number) {
                    self.is_spent = false;
                }
                if !self.is_inside {
                    return Change::Breaks;
                }
                // A number that was there before the trigger looked has crossed: it must leave first.
                if is_first || news == News::Filling {
                    self.is_spent |= !was_inside;
                    return Change::None;
                }
                let crosses = !was_inside && !self.is_spent;
                if crosses && accepts(trigger.from.as_ref(), &old) && accepts(trigger.to.as_ref(), value) {
                    Change::Begins { old }
                } else {
                    Change::None
                }
            }
            None => {
                if self.last == *value {
                    return Change::None;
                }
                let old = std::mem::replace(&mut self.last, value.clone());
                let counts = news == News::Live || (news == News::Missed && !old.is_null());
                match value_change(trigger, &old, value) {
                    Change::Begins { .. } if !counts => Change::Breaks,
                    change => change,
                }
            }
        }
    }
}

/// What a message's value is to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It happens now.
    Live,
    /// It happened while the daemon was down, and the trigger catches up.
    Missed,
    /// It only fills the state, as a retained message at the start does.
    Filling,
}

/// Whether a number in the range at the first look counts as one outside: for a `wait` it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutsideFirst {
    Yes,
    No,
}

/// Decides what a change from `old` to `new`, which differ, means to a trigger without a range.
fn value_change(trigger: &StateTrigger, old: &Value, new: &Value) -> Change {
    let begins = || Change::Begins { old: old.clone() };
    let fits = accepts(trigger.from.as_ref(), old) && accepts(trigger.to.as_ref(), new);
    if trigger.hold.is_none() {
        return if fits { begins() } else { Change::None };
    }
    let was_within = |values: &Vec<Value>| is_one_of(values, old);
    match (&trigger.from, &trigger.to) {
        // Moving inside the list of `to` keeps the clock.
        (_, Some(to)) if is_one_of(to, new) => {
            if fits && !was_within(to) {
                begins()
            } else {
                Change::None
            }
        }
        (_, Some(_)) => Change::Breaks,
        // It holds as long as the value isn't one of `from` again.
        (Some(from), None) => {
            if is_one_of(from, new) {
                Change::Breaks
            } else if was_within(from) {
                begins()
            } else {
                Change::None
            }
        }
        // It holds as long as the value stays equal: each change starts the clock anew.
        (None, None) => begins(),
    }
}

fn accepts(wanted: Option<&Vec<Value>>, value: &Value) -> bool {
    wanted.is_none_or(|values| is_one_of(values, value))
}

fn is_one_of(values: &[Value], value: &Value) -> bool {
    values.iter().any(|wanted| value.matches(wanted))
}
