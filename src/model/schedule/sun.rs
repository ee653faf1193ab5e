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
        let location = calendar.location?;
        let before_day = calendar.local_midnight(date).checked_sub(SECOND).ok()?;
        let end = calendar.local_midnight(date.tomorrow().ok()?).checked_sub(SECOND).ok()?;
        let question = Question { event: self, start: before_day, end, location };
        RECENT.with(|recent| recent.borrow_mut().answer(question))
    }

    /// Returns the first event strictly after `after`; `None` where there is none within four years, and
    /// without a location.
    #[must_use]
    pub fn next(self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let location = calendar.location?;
        let day = |number| after.checked_add(SignedDuration::from_hours(24 * number)).ok();
        (0..FOUR_YEARS)
            .map_while(|number| day(number).zip(day(number + 1)))
            .find_map(|(start, end)| self.within(start, end, location))
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
            usize::try_from(question.start.as_second().div_euclid(86_400).rem_euclid(Recent::DAYS)).unwrap_or_default();
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
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    const GOLDEN: (&str, f64, f64) = ("America/Denver", 39.742_476, -105.178_6);
    const LONDON: (&str, f64, f64) = ("Europe/London", 51.507_4, -0.127_8);
    const NEW_YORK: (&str, f64, f64) = ("America/New_York", 40.712_8, -74.006);
    const QUITO: (&str, f64, f64) = ("America/Guayaquil", -0.180_7, -78.467_8);
    const REYKJAVIK: (&str, f64, f64) = ("Atlantic/Reykjavik", 64.146_6, -21.942_6);
    const SYDNEY: (&str, f64, f64) = ("Australia/Sydney", -33.868_8, 151.209_3);
    const TROMSO: (&str, f64, f64) = ("Europe/Oslo", 69.649_2, 18.955_3);

    fn calendar((zone, latitude, longitude): (&str, f64, f64)) -> Calendar {
        Calendar {
            zone: TimeZone::get(zone).unwrap(),
            location: Some(Location { latitude, longitude }),
            ..Calendar::default()
        }
    }

    /// Asserts that an event is at the local `time`, give or take some seconds.
    fn assert_near(place: (&str, f64, f64), date: &str, event: SunEvent, time: &str, seconds: i64) {
        let calendar = calendar(place);
        let date: Date = date.parse().unwrap();
        let expected = calendar.first_instant(date.to_datetime(time.parse().unwrap()));
        let found = event.on(date, &calendar).unwrap();
        let away = found.duration_since(expected).as_secs().abs();
        assert!(away <= seconds, "{event} of {date} at {place:?}: {found}, not {expected}");
    }

    #[test]
    fn the_sun_is_as_in_the_paper_of_its_algorithm() {
        // Reda and Andreas (2003), appendix A.5: the library's other algorithm, to the second.
        assert_near(GOLDEN, "2003-10-17", SunEvent::Sunrise, "07:12:43", 10);
        assert_near(GOLDEN, "2003-10-17", SunEvent::Noon, "12:46:05", 2);
        let position = SunPosition::at("2003-10-17T19:30:30Z".parse().unwrap(), calendar(GOLDEN).location.unwrap());
        assert!(
            (position.elevation - 39.872).abs() < 0.01 && (position.azimuth - 194.340).abs() < 0.01,
            "{position:?}"
        );
    }

    #[test]
    fn sunrise_and_sunset_are_as_in_the_almanacs() {
        for (place, date, sunrise, sunset) in [
            (LONDON, "2024-06-21", "04:43", "21:21"),
            (LONDON, "2024-12-21", "08:04", "15:53"),
            (NEW_YORK, "2024-06-21", "05:25", "20:31"),
            (SYDNEY, "2024-12-21", "05:41", "20:05"),
            (SYDNEY, "2024-06-21", "07:00", "16:54"),
            (QUITO, "2024-03-20", "06:18", "18:24"),
            (REYKJAVIK, "2024-12-21", "11:22", "15:30"),
        ] {
            assert_near(place, date, SunEvent::Sunrise, sunrise, 120);
            assert_near(place, date, SunEvent::Sunset, sunset, 120);
        }
    }

    #[test]
    fn the_sun_agrees_with_another_formula_all_over_the_world() {
        for place in [LONDON, NEW_YORK, QUITO, REYKJAVIK, SYDNEY, TROMSO, ("UTC", -54.8, -68.3), ("UTC", 35.7, 139.7)] {
            let calendar = calendar(place);
            let mut compared = 0;
            for date in "2024-01-03".parse::<Date>().unwrap().series(jiff::Span::new().days(5)).take(146) {
                for (event, height) in [
                    (SunEvent::Sunrise, -0.833),
                    (SunEvent::Sunset, -0.833),
                    (SunEvent::Dawn, -6.0),
                    (SunEvent::Dusk, -6.0),
                ] {
                    let Some(expected) = noaa(date, event, height, calendar.location.unwrap()) else { continue };
                    let day = calendar.date_of(expected);
                    let Some(found) = event.on(day, &calendar) else { continue };
                    let away = found.duration_since(expected).as_secs().abs();
                    // Twice a day near midnight, in the bright nights.
                    if away < 80_000 {
                        let allowed = if place.1.abs() > 65.0 { 180 } else { 120 };
                        assert!(away <= allowed, "{event} of {day} at {place:?}: {found}, not {expected}");
                        compared += 1;
                    }
                }
            }
            assert!(compared > 350, "{place:?}: {compared}");
        }
    }

    /// Computes an event by the equations of NOAA's calculator (Meeus, low precision), refined once; `None` also
    /// where the sun only just reaches the height, and the time depends on the last digit.
    fn noaa(date: Date, event: SunEvent, height: f64, location: Location) -> Option<Timestamp> {
        let sign = if matches!(event, SunEvent::Sunrise | SunEvent::Dawn) { -1.0 } else { 1.0 };
        let midnight = date.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let mut minutes = 720.0 - 4.0 * location.longitude;
        for _ in 0..3 {
            let century = (julian_day(midnight) + minutes / 1440.0 - 2_451_545.0) / 36_525.0;
            let longitude = (280.466_46 + century * (36_000.769_83 + century * 0.000_303_2)).to_radians();
            let anomaly = (357.529_11 + century * (35_999.050_29 - 0.000_153_7 * century)).to_radians();
            let eccentricity = 0.016_708_634 - century * 0.000_042_037;
            let centre = anomaly.sin() * (1.914_602 - century * 0.004_817)
                + (2.0 * anomaly).sin() * 0.019_993
                + (3.0 * anomaly).sin() * 0.000_289;
            let node = (125.04 - 1934.136 * century).to_radians();
            let apparent = longitude + (centre - 0.005_69 - 0.004_78 * node.sin()).to_radians();
            let obliquity = (23.439_291 - 0.013_004_2 * century + 0.002_56 * node.cos()).to_radians();
            let declination = (obliquity.sin() * apparent.sin()).asin();
            let y = (obliquity / 2.0).tan().powi(2);
            let equation = 4.0
                * (y * (2.0 * longitude).sin() - 2.0 * eccentricity * anomaly.sin()
                    + 4.0 * eccentricity * y * anomaly.sin() * (2.0 * longitude).cos()
                    - 0.5 * y * y * (4.0 * longitude).sin()
                    - 1.25 * eccentricity * eccentricity * (2.0 * anomaly).sin())
                .to_degrees();
            let latitude = location.latitude.to_radians();
            let cosine =
                (height.to_radians().sin() - latitude.sin() * declination.sin()) / (latitude.cos() * declination.cos());
            if cosine.abs() > 0.99 {
                return None;
            }
            minutes = 720.0 - 4.0 * location.longitude - equation + sign * 4.0 * cosine.acos().to_degrees();
        }
        midnight.checked_add(SignedDuration::from_secs_f64(minutes * 60.0)).ok()
    }

    #[test]
    fn polar_night_and_midnight_sun_are_told_apart() {
        let calendar = calendar(TROMSO);
        let day = |date: &str| SunDay::of(date.parse().unwrap(), &calendar).unwrap();
        assert_eq!(day("2024-12-21"), SunDay::AlwaysDown);
        assert_eq!(day("2024-06-21"), SunDay::AlwaysUp);
        assert!(matches!(day("2024-03-20"), SunDay::RisesOrSets { sunrise: Some(_), sunset: Some(_) }));
        for event in [SunEvent::Sunrise, SunEvent::Sunset] {
            assert_eq!(event.on("2024-12-21".parse().unwrap(), &calendar), None);
            assert_eq!(event.on("2024-06-21".parse().unwrap(), &calendar), None);
        }
        // Civil twilight comes each day of the polar night, and the meridian is crossed on all days.
        for event in [SunEvent::Dawn, SunEvent::Dusk, SunEvent::Noon, SunEvent::Midnight] {
            assert!(event.on("2024-12-21".parse().unwrap(), &calendar).is_some(), "{event}");
        }
    }

    #[test]
    fn after_the_polar_night_the_sun_rises_in_the_middle_of_january() {
        let calendar = calendar(TROMSO);
        let after = "2024-12-01T00:00:00Z".parse().unwrap();
        let date = calendar.date_of(SunEvent::Sunrise.next(after, &calendar).unwrap());
        assert!(("2025-01-14".parse().unwrap()..="2025-01-16".parse().unwrap()).contains(&date), "{date}");
    }

    #[test]
    fn at_the_pole_the_sun_rises_once_a_year() {
        let calendar = calendar(("UTC", -90.0, 0.0));
        let rise = |after: &str| SunEvent::Sunrise.next(after.parse().unwrap(), &calendar).unwrap();
        // Two days before the equinox: it moves up by 0.39° a day.
        assert_eq!(calendar.date_of(rise("2024-01-01T00:00:00Z")), "2024-09-20".parse().unwrap());
        assert_eq!(calendar.date_of(rise("2024-10-01T00:00:00Z")), "2025-09-20".parse().unwrap());
    }

    #[test]
    fn an_event_belongs_to_the_local_day() {
        // In Reykjavik's summer the sun sets after midnight: on 21 June that of the 20th.
        let calendar = calendar(REYKJAVIK);
        let sunset = SunEvent::Sunset.on("2024-06-21".parse().unwrap(), &calendar).unwrap();
        assert_eq!(calendar.local(sunset).hour(), 0);
        assert_eq!(calendar.date_of(sunset), "2024-06-21".parse().unwrap());
    }

    #[test]
    fn the_sun_is_up_from_the_second_of_its_sunrise_to_that_of_its_sunset() {
        for place in [LONDON, QUITO, SYDNEY, REYKJAVIK] {
            let calendar = calendar(place);
            let mut now: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
            for _ in 0..700 {
                let change = SunDay::next_change(now, &calendar).unwrap();
                let before = change.checked_sub(SignedDuration::from_nanos(1)).unwrap();
                assert!(change > now);
                assert_ne!(SunDay::is_up(before, &calendar), SunDay::is_up(change, &calendar), "{place:?} {change}");
                now = change;
            }
        }
    }

    #[test]
    fn at_noon_the_sun_is_highest_and_at_midnight_lowest() {
        for place in [LONDON, NEW_YORK, QUITO, REYKJAVIK, SYDNEY, TROMSO] {
            let (calendar, date) = (calendar(place), "2024-10-20".parse().unwrap());
            let elevation = |event: SunEvent, minutes| {
                let instant = event.on(date, &calendar).unwrap() + SignedDuration::from_mins(minutes);
                SunPosition::at(instant, calendar.location.unwrap()).elevation
            };
            for minutes in [-20, 20] {
                assert!(elevation(SunEvent::Noon, 0) > elevation(SunEvent::Noon, minutes), "{place:?}");
                assert!(elevation(SunEvent::Midnight, 0) < elevation(SunEvent::Midnight, minutes), "{place:?}");
            }
        }
    }

    #[test]
    fn an_answer_is_remembered_for_its_own_place_and_zone_only() {
        let date: Date = "2024-06-21".parse().unwrap();
        let on = |place| SunEvent::Sunrise.on(date, &calendar(place)).unwrap();
        let (london, quito) = (on(LONDON), on(QUITO));
        assert_ne!(london, quito);
        assert_eq!((on(LONDON), on(QUITO)), (london, quito));
        // In New York's zone the day begins later: London's sun has risen then, and rises again the next day.
        let moved = on((NEW_YORK.0, LONDON.1, LONDON.2));
        assert_eq!(moved.duration_since(london).as_hours(), 24);
    }

    #[test]
    fn without_a_location_there_is_no_sun() {
        let (calendar, now) = (Calendar::default(), "2024-06-21T12:00:00Z".parse().unwrap());
        assert_eq!(SunEvent::Noon.on("2024-06-21".parse().unwrap(), &calendar), None);
        assert_eq!(SunEvent::Noon.next(now, &calendar), None);
        assert_eq!(SunDay::is_up(now, &calendar), None);
        assert_eq!(SunDay::of("2024-06-21".parse().unwrap(), &calendar), None);
    }

    #[test]
    fn no_place_and_no_year_panics() {
        for (latitude, longitude) in [(f64::NAN, 0.0), (91.0, 181.0), (-90.0, -180.0), (0.0, f64::INFINITY)] {
            let calendar = calendar(("UTC", latitude, longitude));
            for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                for (_, event) in SunEvent::ALL {
                    let _ = event.next(now, &calendar);
                    let _ = event.on(calendar.date_of(now), &calendar);
                }
                assert!(SunDay::is_up(now, &calendar).is_some());
            }
        }
    }
}
