//! The sun at the home's place: its position now, and its events of a day.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Calendar, Location};

/// An event of the sun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SunEvent {
    /// Its upper limb rises (-0.833°).
    Sunrise,
    /// Its upper limb sets (-0.833°).
    Sunset,
    /// Civil dawn (-6°).
    Dawn,
    /// Civil dusk (-6°).
    Dusk,
    /// Solar noon: its highest point.
    Noon,
    /// Solar midnight: its lowest point.
    Midnight,
}

impl SunEvent {
    /// All events with their words.
    pub const ALL: [(&'static str, SunEvent); 6] = [
        ("sunrise", SunEvent::Sunrise),
        ("sunset", SunEvent::Sunset),
        ("dawn", SunEvent::Dawn),
        ("dusk", SunEvent::Dusk),
        ("noon", SunEvent::Noon),
        ("midnight", SunEvent::Midnight),
    ];

    /// Returns the event that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<SunEvent> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, event)| *event)
    }

    /// Returns when the event is on the local day `date`; `None` on a day without it (polar day and night).
    #[must_use]
    pub fn on(self, date: Date, calendar: &Calendar) -> Option<Timestamp> {
        let _ = (date, calendar);
        None
    }
}

/// Where the sun stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SunPosition {
    /// Degrees above the horizon.
    pub elevation: f64,
    /// Degrees from north, clockwise.
    pub azimuth: f64,
}

impl SunPosition {
    /// Returns where the sun stands at `now`, seen from `location`.
    #[must_use]
    pub fn at(now: Timestamp, location: Location) -> SunPosition {
        let _ = (now, location);
        SunPosition { elevation: 0.0, azimuth: 0.0 }
    }
}

/// The sun on one local day: is it up between two events, all day, or never?
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SunDay {
    /// It rises and sets.
    RisesAndSets {
        /// When it rises.
        sunrise: Timestamp,
        /// When it sets.
        sunset: Timestamp,
    },
    /// It is up all day.
    AlwaysUp,
    /// It is down all day.
    AlwaysDown,
}

impl SunDay {
    /// Returns whether the sun is up at `now`: between sunrise and sunset. `None` without a location.
    #[must_use]
    pub fn is_up(now: Timestamp, calendar: &Calendar) -> Option<bool> {
        let _ = (now, calendar);
        None
    }

    /// Returns when the sun next rises or sets, strictly after `after`.
    #[must_use]
    pub fn next_change(after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let _ = (after, calendar);
        None
    }
}
