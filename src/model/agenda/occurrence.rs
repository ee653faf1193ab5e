//! An event, and the times at which it happens.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{Map, Value};

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Its title.
    pub summary: Arc<str>,
    /// Where it is; empty where that isn't said.
    pub location: Arc<str>,
    /// What else is said of it; empty where nothing is.
    pub description: Arc<str>,
    /// Whether it lasts whole days.
    pub is_all_day: bool,
}

/// An event at one of its times. They are in the order of their starts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// When it begins.
    pub start: Timestamp,
    /// When it is over.
    pub end: Timestamp,
    /// What it is.
    pub event: Arc<Event>,
}

/// The beginning or the end of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// The beginning.
    Start,
    /// The end.
    End,
}

impl Edge {
    /// Both, with their words.
    pub const ALL: [(&'static str, Edge); 2] = [("start", Edge::Start), ("end", Edge::End)];

    /// Returns its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Edge::Start => "start",
            Edge::End => "end",
        }
    }
}

impl Occurrence {
    /// Returns when it begins or ends.
    #[must_use]
    pub fn at(&self, edge: Edge) -> Timestamp {
        match edge {
            Edge::Start => self.start,
            Edge::End => self.end,
        }
    }

    /// Returns whether it touches the time from `from` until before `until`.
    #[must_use]
    pub fn touches(&self, from: Timestamp, until: Timestamp) -> bool {
        self.start < until && (self.end > from || (self.start == self.end && self.start >= from))
    }

    /// Returns it as expressions read it, with times of that zone.
    #[must_use]
    pub fn to_value(&self, zone: &TimeZone) -> Value {
        let time = |at: Timestamp| Value::Time(Box::new(at.to_zoned(zone.clone())));
        let text = |text: &Arc<str>| Value::Text(Arc::clone(text));
        let mut map = Map::default();
        map.insert("summary".into(), text(&self.event.summary));
        map.insert("start".into(), time(self.start));
        map.insert("end".into(), time(self.end));
        map.insert("location".into(), text(&self.event.location));
        map.insert("description".into(), text(&self.event.description));
        map.insert("all_day".into(), Value::Bool(self.event.is_all_day));
        Value::Map(Arc::new(map))
    }
}
