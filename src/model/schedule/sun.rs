//! The sun at the home's place: its position now, and its events of a day.
//!
//! Events are at whole seconds, the first at or after the crossing, and the sun's height is that of the last
//! whole second: so at the very instant of its sunrise the sun is up, and at its sunset it is not.

use std::cell::RefCell;
use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use solar_positioning::time::JulianDate;
use solar_positioning::{Horizon, SolarEvents, SolarPositions};

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
    /// Solar noon: it crosses the meridian, at its highest.
    Noon,
    /// Solar midnight: it crosses the meridian below the pole, at its lowest.
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

    /// Returns the event's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, event)| *event == self).map_or("", |(name, _)| name)
    }

    /// Returns when the event is on the local day `date`, the first time where it is twice (a sunset just after
    /// midnight and one just before the next); `None` on a day without it (polar day and night), and without
    /// a location.
    #[must_use]
    pub fn on(self, date: Date, calendar: &Calendar) -> Option<Timestamp> {
        let before_day = calendar.local_midnight(date).checked_sub(SECOND).ok()?;
        let end = calendar.local_midnight(date.tomorrow().ok()?).checked_sub(SECOND).ok()?;
        self.first(before_day, end, calendar.location?)
    }

    /// Returns the first event strictly after `after`; `None` where there is none within four years, and
    /// without a location.
    #[must_use]
    pub fn next(self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let end = after.checked_add(SignedDuration::from_hours(24 * FOUR_YEARS)).unwrap_or(Timestamp::MAX);
        self.first(after, end, calendar.location?)
    }

    /// Returns the first event after `after`, and not after `end`.
    ///
    /// Each day of universal time is searched as a whole: where a search begins moves what it finds by some milliseconds, and an
    /// event is to be at the same second whoever asks, and when.
    fn first(self, after: Timestamp, end: Timestamp, location: Location) -> Option<Timestamp> {
        let mut start = Timestamp::from_second(after.as_second().div_euclid(DAY) * DAY).ok()?;
        while start < end {
            let day_end = start.checked_add(SignedDuration::from_secs(DAY)).ok()?;
            let question = Question { event: self, start, end: day_end, location };
            let mut event = RECENT.with(|recent| recent.borrow_mut().answer(question));
            while let Some(passed) = event.filter(|event| *event <= after) {
                event = self.within(passed, day_end, location);
            }
            if let Some(event) = event {
                return Some(event).filter(|event| *event <= end);
            }
            start = day_end;
        }
        None
    }

    /// Returns whether at `now` the sun is where it goes by this event: below the height of a sunset, above that
    /// of a sunrise. `None` for noon and midnight, which lead to neither, and without a location.
    #[must_use]
    pub fn has_passed(self, now: Timestamp, calendar: &Calendar) -> Option<bool> {
        let is_above = SunPosition::at(now, calendar.location?).elevation >= self.horizon()?.elevation_angle();
        Some(is_above == matches!(self, SunEvent::Sunrise | SunEvent::Dawn))
    }

    /// Returns the first event after `start`, and not after `end`.
    fn within(self, start: Timestamp, end: Timestamp, location: Location) -> Option<Timestamp> {
        let place = place(location);
        let events = if is_in_fast_years(start, end) { SolarEvents::grena3() } else { SolarEvents::new() };
        let (from, to) = (julian_day(start), julian_day(end));
        let found = match (self, self.horizon()) {
            (SunEvent::Sunrise | SunEvent::Dawn, Some(horizon)) => {
                events.next_rise_from_julian(from, to, place, DELTA_T, horizon)
            }
            (_, Some(horizon)) => events.next_set_from_julian(from, to, place, DELTA_T, horizon),
            (SunEvent::Midnight, None) => {
                // Where it is midnight here, it is noon on the other side of the earth.
                let opposite = if place.longitude > 0.0 { place.longitude - 180.0 } else { place.longitude + 180.0 };
                events.next_transit_from_julian(from, to, opposite, DELTA_T)
            }
            (_, None) => events.next_transit_from_julian(from, to, place.longitude, DELTA_T),
        };
        let seconds = ((found.ok()?? - UNIX_EPOCH) * SECONDS_PER_DAY).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "it lies between two timestamps")]
        let event = Timestamp::from_second(seconds as i64).ok()?;
        // A Julian day counts to 40 microseconds: from an event on, the search may find it again.
        if event > start { Some(event) } else { self.within(start.checked_add(SECOND).ok()?, end, location) }
    }

    fn horizon(self) -> Option<Horizon> {
        match self {
            SunEvent::Sunrise | SunEvent::Sunset => Some(Horizon::SunriseSunset),
            SunEvent::Dawn | SunEvent::Dusk => Some(Horizon::CivilTwilight),
            SunEvent::Noon | SunEvent::Midnight => None,
        }
    }
}

impl fmt::Display for SunEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the sun stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SunPosition {
    /// Degrees of its centre above the horizon, without the air's refraction; NaN beyond the years -2000 to 6000.
    pub elevation: f64,
    /// Degrees from north, clockwise; NaN beyond the years -2000 to 6000.
    pub azimuth: f64,
}

impl SunPosition {
    /// Returns where the sun stands at `now`, seen from `location`.
    #[must_use]
    pub fn at(now: Timestamp, location: Location) -> SunPosition {
        let positions = if is_in_fast_years(now, now) { SolarPositions::grena3() } else { SolarPositions::new() };
        let second = Timestamp::from_second(now.as_second()).unwrap_or(now);
        JulianDate::new(julian_day(second), DELTA_T)
            .and_then(|time| positions.at_from_julian(time, place(location), 0.0, None))
            .map_or(SunPosition { elevation: f64::NAN, azimuth: f64::NAN }, |position| SunPosition {
                elevation: position.elevation_angle(),
                azimuth: position.azimuth(),
            })
    }
}

/// The sun on one local day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SunDay {
    /// It rises, or sets, or both.
    RisesOrSets {
        /// When it rises; `None` on the day on which it sets for the polar night.
        sunrise: Option<Timestamp>,
        /// When it sets; `None` on the day on which it rises for the polar day.
        sunset: Option<Timestamp>,
    },
    /// It is up all day.
    AlwaysUp,
    /// It is down all day.
    AlwaysDown,
}

impl SunDay {
    /// Returns what the sun does on the local day `date`; `None` without a location.
    #[must_use]
    pub fn of(date: Date, calendar: &Calendar) -> Option<SunDay> {
        let (sunrise, sunset) = (SunEvent::Sunrise.on(date, calendar), SunEvent::Sunset.on(date, calendar));
        Some(if sunrise.is_some() || sunset.is_some() {
            SunDay::RisesOrSets { sunrise, sunset }
        } else if SunDay::is_up(calendar.local_midnight(date), calendar)? {
            SunDay::AlwaysUp
        } else {
            SunDay::AlwaysDown
        })
    }

    /// Returns whether the sun is up at `now`: between sunrise and sunset. `None` without a location.
    #[must_use]
    pub fn is_up(now: Timestamp, calendar: &Calendar) -> Option<bool> {
        SunEvent::Sunrise.has_passed(now, calendar)
    }

    /// Returns when the sun next rises or sets, strictly after `after`; `None` without a location.
    #[must_use]
    pub fn next_change(after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let next = if SunDay::is_up(after, calendar)? { SunEvent::Sunset } else { SunEvent::Sunrise };
        next.next(after, calendar)
    }
}

thread_local! {
    /// A condition asks with each message for the same events of the same few days, and one takes longer to
    /// compute than all the rest of the condition.
    static RECENT: RefCell<Recent> = const { RefCell::new(Recent([None; Recent::PLACES])) };
}

/// What decides when an event is on one day.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Question {
    event: SunEvent,
    start: Timestamp,
    end: Timestamp,
    location: Location,
}

/// The answers to questions that were asked lately: each has one place, by its event and day.
struct Recent([Option<(Question, Option<Timestamp>)>; Recent::PLACES]);

impl Recent {
    /// More days than a window looks at.
    const DAYS: i64 = 8;
    const PLACES: usize = 8 * SunEvent::ALL.len();

    fn answer(&mut self, question: Question) -> Option<Timestamp> {
        let day =
            usize::try_from(question.start.as_second().div_euclid(DAY).rem_euclid(Recent::DAYS)).unwrap_or_default();
        let mut place = self.0.get_mut(day * SunEvent::ALL.len() + question.event as usize);
        if let Some(Some((asked, answer))) = place.as_deref()
            && *asked == question
        {
            return *answer;
        }
        let answer = question.event.within(question.start, question.end, question.location);
        if let Some(place) = &mut place {
            **place = Some((question, answer));
        }
        answer
    }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const FOUR_YEARS: i64 = 1461;
/// In seconds.
const DAY: i64 = 86_400;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// 1970-01-01T00:00:00Z as a Julian day.
const UNIX_EPOCH: f64 = 2_440_587.5;

/// How far the clock of astronomers is ahead, in seconds. It grows by less than a second a year, in which the
/// sun moves by 0.00001°.
const DELTA_T: f64 = 70.0;

/// Returns whether the fast algorithm (Grena 2012, to 0.01°) knows these years; the other is ten times slower.
fn is_in_fast_years(start: Timestamp, end: Timestamp) -> bool {
    const YEAR_2011: i64 = 1_293_840_000;
    const YEAR_2110: i64 = 4_417_977_600;
    start.as_second() >= YEAR_2011 && end.as_second() < YEAR_2110
}

fn julian_day(instant: Timestamp) -> f64 {
    UNIX_EPOCH + instant.as_duration().as_secs_f64() / SECONDS_PER_DAY
}

/// Returns the place as the library wants it, within its ranges.
fn place(location: Location) -> solar_positioning::Location {
    let within = |degrees: f64, limit: f64| if degrees.is_finite() { degrees.clamp(-limit, limit) } else { 0.0 };
    solar_positioning::Location {
        latitude: within(location.latitude, 90.0),
        longitude: within(location.longitude, 180.0),
    }
}

#[cfg(test)]
mod tests;
