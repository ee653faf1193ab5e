//! Triggers: what may start a rule, or end a wait (docs/language/triggers.md).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::schedule::{Schedule, Weekdays};
use crate::model::{DeviceFilter, Name, Place, TopicFilter, Value, ValuePath};
use crate::script::{Closure, Expression, Failure};

use super::{Ignored, PartOf, Sequence, Wanted};

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Read as `trigger.id`.
    pub id: Option<Name>,
    /// A trigger that is switched off never fires.
    pub enabled: bool,
    /// What it waits for.
    pub kind: TriggerKind,
    /// Of which sequence it is a part: then it fires nothing else.
    pub part_of: Option<PartOf>,
    /// Where it stands in its rule: `when[0]`, `then[1].wait[0]`.
    pub path: Arc<str>,
    /// Where it stands in its file.
    pub place: Place,
}

/// The kinds of triggers.
#[derive(Debug, Clone)]
pub enum TriggerKind {
    /// Each message.
    Topic {
        /// Of these topics.
        filter: TopicFilter,
        /// Whose payload matches one of these; `None`: any payload.
        payload: Option<Vec<Value>>,
        /// For which this holds.
        condition: Option<Question>,
        /// Retained messages at the start too.
        retained: bool,
    },
    /// A change of a topic's value.
    State(StateTrigger),
    /// A change of a device's property.
    Device(DeviceTrigger),
    /// No message of a topic that has been seen.
    Silent {
        /// Of these topics, each for itself.
        filter: TopicFilter,
        /// For so long.
        hold: Duration,
    },
    /// A due time.
    Schedule {
        /// When.
        schedule: Schedule,
        /// How late it may fire after downtime; `None`: not at all.
        catch_up: Option<Duration>,
    },
    /// A time that an expression gives.
    AtExpression {
        /// Gives a text (`07:30`), a time, or `()`: never.
        expression: Expression,
        /// The days on which it counts.
        weekdays: Weekdays,
        /// How late it may fire after downtime; `None`: not at all.
        catch_up: Option<Duration>,
    },
    /// Other triggers that fire one after the other, or one that fires several times.
    Sequence(Sequence),
    /// An MQTT client comes or goes.
    Client {
        /// Its id; `*` stands for any text.
        pattern: Arc<str>,
        /// Which of both.
        is: ClientChange,
    },
    /// One of the daemon's own events.
    Event(HomeEvent),
    /// A POST to `/hook/NAME`.
    Webhook(Arc<str>),
}

/// What `where` asks.
#[derive(Debug, Clone)]
pub enum Question {
    /// An expression that gives a boolean, or `()`: false.
    Expression(Expression),
    /// A closure of a script that takes the event, and gives the same.
    Closure(Closure),
}

impl Question {
    /// Returns a failure of what it gave.
    #[must_use]
    pub fn failure(&self, message: String) -> Failure {
        match self {
            Question::Expression(expression) => Failure::of_expression(expression, message),
            Question::Closure(closure) => Failure { place: Some(closure.place()), ..Failure::plain(message) },
        }
    }
}

/// Which devices a trigger hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// Those of these names or ids.
    Names(Vec<Name>),
    /// All that fit, now or later.
    Where(DeviceFilter),
}

/// A trigger on a property of devices: each device has its own clock.
#[derive(Debug, Clone)]
pub struct DeviceTrigger {
    /// Which devices.
    pub devices: DeviceChoice,
    /// Which property.
    pub property: Name,
    /// What must change; its filter matches the property of any device.
    pub state: StateTrigger,
}

/// A trigger on a topic's value: when the value at `field` changes, and what is given holds.
#[derive(Debug, Clone)]
pub struct StateTrigger {
    /// The topics, each for itself.
    pub filter: TopicFilter,
    /// The value's path in the payload.
    pub field: ValuePath,
    /// What the value was: one of these.
    pub from: Option<Vec<Value>>,
    /// What the value is: one of these.
    pub to: Option<Vec<Value>>,
    /// The range that the number crosses into.
    pub range: Option<Range>,
    /// How long it must hold.
    pub hold: Option<Duration>,
    /// How long ago a change during downtime may be; `None`: none counts.
    pub catch_up: Option<Duration>,
    /// What is skipped: the value before stays.
    pub ignored: Ignored,
}

/// A range of numbers, its ends outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The number must be above this.
    pub above: Option<f64>,
    /// The number must be below this.
    pub below: Option<f64>,
    /// How far the number must leave the range before it can cross into it again.
    pub hysteresis: f64,
}

impl Range {
    /// Returns whether `number` lies strictly within.
    #[must_use]
    pub fn contains(&self, number: f64) -> bool {
        self.above.is_none_or(|above| number > above) && self.below.is_none_or(|below| number < below)
    }

    /// Returns the side on which `number` isn't within; `None` if it is.
    #[must_use]
    pub fn missed(&self, number: f64) -> Option<Wanted> {
        let above = self.above.filter(|above| number <= *above).map(Wanted::Above);
        above.or_else(|| self.below.filter(|below| number >= *below).map(Wanted::Below))
    }

    /// Returns whether `number` has left the range by the hysteresis, at or beyond threshold ∓ hysteresis.
    #[must_use]
    pub fn rearms(&self, number: f64) -> bool {
        self.above.is_some_and(|above| number <= above - self.hysteresis)
            || self.below.is_some_and(|below| number >= below + self.hysteresis)
    }
}

/// Whether a client came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientChange {
    /// It connected.
    Connected,
    /// It went, whatever way.
    Disconnected,
}

/// The daemon's own events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HomeEvent {
    /// The daemon started; what was restored is there.
    Started,
    /// New rules are in force.
    Reloaded,
    /// The daemon is about to stop.
    Stopping,
    /// Rules that set each other off were stopped.
    LoopDetected,
    /// A rule's run failed.
    RuleFailed,
    /// Somebody changed what a rule commands that yields.
    Overridden,
    /// What must never happen did.
    InvariantBroken,
    /// An invariant couldn't be judged.
    InvariantFailed,
}

impl HomeEvent {
    /// All events with their words.
    pub const ALL: [(&'static str, HomeEvent); 8] = [
        ("started", HomeEvent::Started),
        ("reloaded", HomeEvent::Reloaded),
        ("stopping", HomeEvent::Stopping),
        ("loop_detected", HomeEvent::LoopDetected),
        ("rule_failed", HomeEvent::RuleFailed),
        ("overridden", HomeEvent::Overridden),
        ("invariant_broken", HomeEvent::InvariantBroken),
        ("invariant_failed", HomeEvent::InvariantFailed),
    ];

    /// Returns its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            HomeEvent::Started => "started",
            HomeEvent::Reloaded => "reloaded",
            HomeEvent::Stopping => "stopping",
            HomeEvent::LoopDetected => "loop_detected",
            HomeEvent::RuleFailed => "rule_failed",
            HomeEvent::Overridden => "overridden",
            HomeEvent::InvariantBroken => "invariant_broken",
            HomeEvent::InvariantFailed => "invariant_failed",
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Names(names) => f.write_str(&names.join(", ")),
            DeviceChoice::Where(filter) => {
                let has = (!filter.has.is_empty()).then(|| format!("has {}", filter.has.join(", ")));
                let area = filter.area.as_ref().map(|area| format!("area {area}"));
                let kind = filter.kind.as_ref().map(|kind| format!("kind {kind}"));
                let parts: Vec<String> = area.into_iter().chain(kind).chain(has).collect();
                write!(f, "{{ {} }}", parts.join(", "))
            }
        }
    }
}
