//! What triggers remember, and whether a message makes one fire (spec 2.3, 2.9).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Topic, Value};
use crate::rules::StateTrigger;
use crate::script::Reads;

use crate::engine::firing::Firing;

/// What one trigger remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TriggerState {
    /// What it knows of each topic.
    pub(crate) topics: BTreeMap<Topic, Track>,
    /// When a schedule is due next.
    pub(crate) due: Option<Timestamp>,
    /// For when a schedule, or the expression of an `at`, last fired: it isn't due then once more, though a clock that
    /// was set back shows that time again.
    #[serde(default)]
    pub(crate) fired_at: Option<Timestamp>,
    /// What the expression of an `at` read; asked anew after a restart.
    #[serde(skip)]
    pub(crate) reads: Reads,
    /// When it is to be asked again since time passes; derived from what it read.
    #[serde(skip)]
    pub(crate) recheck_at: Option<Timestamp>,
}

impl TriggerState {
    /// Returns what it remembers beside topics.
    pub(crate) fn without_topics(&self) -> TriggerState {
        TriggerState { due: self.due, fired_at: self.fired_at, ..TriggerState::default() }
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

    /// Takes a message into account whose value at the trigger's path is `value`, and decides what it means.
    pub(crate) fn hear(&mut self, trigger: &StateTrigger, value: Option<&Value>, news: News) -> Change {
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

/// Returns `at` and `duration` earlier; the begin of time where that is before it.
pub(crate) fn earlier(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// Returns `at` and `duration` later; the end of time where that is beyond it.
pub(crate) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
