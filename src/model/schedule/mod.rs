//! When something is due: times of day, intervals, cron patterns and the sun, in the home's zone and place.

mod ahead;
mod boundary;
mod calendar;
mod cron;
mod sun;
mod time_of_day;
mod weekdays;
mod window;

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

pub use ahead::{Ahead, AheadError};
pub use boundary::{Boundary, BoundaryError};
pub use calendar::{Calendar, Location};
pub use cron::{Cron, CronError};
pub use sun::{SunDay, SunEvent, SunPosition};
pub use time_of_day::{TimeOfDay, TimeOfDayError};
pub use weekdays::{Weekdays, WeekdaysError};
pub use window::TimeWindow;

use super::agenda::{Edge, Matching, Occurrence};

/// A repeated due time.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// At local times of day. Two times that a clock change makes one instant are due once.
    At {
        /// The times, in any order.
        times: Vec<TimeOfDay>,
        /// The days on which they count.
        weekdays: Weekdays,
    },
    /// At each multiple of this of elapsed time since local midnight; starts anew at each midnight. A whole day
    /// is due at midnight only, though the day be of 25 hours.
    Every(Duration),
    /// On each of so many days from a date on, at a local time of day.
    EachDays {
        /// How many days; more than none.
        days: u32,
        /// The first of them.
        from: Date,
        /// When on that day.
        at: TimeOfDay,
    },
    /// By a cron pattern.
    Cron(Cron),
    /// At an event of the sun, moved by an offset. It belongs to the event's day.
    Sun {
        /// Which event.
        event: SunEvent,
        /// How much later; negative: earlier.
        offset: SignedDuration,
        /// The days on which it counts.
        weekdays: Weekdays,
    },
    /// At the beginnings or ends of a calendar's events, moved by an offset.
    Events {
        /// The calendar's name in the settings.
        calendar: Arc<str>,
        /// The beginnings or the ends.
        edge: Edge,
        /// How much later; negative: earlier.
        offset: SignedDuration,
        /// Of which events; `None`: of all.
        matching: Option<Matching>,
    },
}

impl Schedule {
    /// Returns the first due time strictly after `after`; `None` where there is none: no time or weekday is
    /// named, the home has no location, or the sun has no such event within four years.
    #[must_use]
    pub fn next(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        match self {
            Schedule::At { times, weekdays } => next_time(times, *weekdays, after, calendar),
            Schedule::Every(interval) => next_multiple(*interval, after, calendar),
            Schedule::EachDays { days, from, at } => next_day(*days, *from, *at, after, calendar),
            Schedule::Cron(cron) => cron.next(after, calendar),
            Schedule::Sun { event, offset, weekdays } => next_sun(*event, *offset, *weekdays, after, calendar),
            Schedule::Events { calendar: name, edge, offset, matching } => {
                let after = after.checked_sub(*offset).ok()?;
                let edge = calendar.agendas.get(name)?.next(*edge, matching.as_ref(), after, &calendar.zone)?;
                edge.checked_add(*offset).ok()
            }
        }
    }

    /// Returns the events whose beginnings or ends are due at `due`; none for what isn't about events.
    #[must_use]
    pub fn events(&self, due: Timestamp, calendar: &Calendar) -> Vec<Occurrence> {
        let Schedule::Events { calendar: name, edge, offset, matching } = self else { return Vec::new() };
        let (Some(agenda), Ok(at)) = (calendar.agendas.get(name), due.checked_sub(*offset)) else { return Vec::new() };
        agenda.at(*edge, matching.as_ref(), at, &calendar.zone)
    }

    /// Returns whether it is due at fixed times, which come once though a clock shows them twice (docs/language/time.md); what is no
    /// fixed time runs through each change of a clock.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        match self {
            Schedule::At { .. } | Schedule::EachDays { .. } | Schedule::Sun { .. } | Schedule::Events { .. } => true,
            Schedule::Every(_) => false,
            Schedule::Cron(cron) => cron.is_fixed(),
        }
    }

    /// Returns the last due time strictly after `since` and strictly before `now`. It looks back from `now` in
    /// growing steps, so that a pattern that is due each second costs no more after a month than after an hour.
    #[must_use]
    pub fn last(&self, since: Timestamp, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let mut step = SignedDuration::from_secs(1);
        loop {
            let start = now.checked_sub(step).unwrap_or(since).max(since);
            let next = |after| self.next(after, calendar).filter(|due| *due < now);
            if let Some(first) = next(start) {
                return std::iter::successors(Some(first), |due| next(*due)).last();
            }
            if start == since {
                return None;
            }
            step = step.saturating_mul(8);
        }
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// As many events of the sun as a year can have.
const YEAR: usize = 366;

fn next_time(times: &[TimeOfDay], weekdays: Weekdays, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    // Earlier dates have no time that is later: see the rule of the calendar.
    let dates = calendar.date_of(after).series(1.day()).take(weekdays.cycle());
    dates
        .filter(|date| weekdays.contains(*date))
        .find_map(|date| times.iter().map(|time| time.on(date, calendar)).filter(|due| *due > after).min())
}

fn next_day(days: u32, from: Date, at: TimeOfDay, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let step = i64::from(days.max(1));
    let passed = i64::from(calendar.date_of(after).since((Unit::Day, from)).ok()?.get_days());
    // The last one that may have been, and the ones after it.
    let first = passed.div_euclid(step).max(0) * step;
    (0..3).find_map(|more| {
        let date = from.checked_add((first + more * step).days()).ok()?;
        Some(at.on(date, calendar)).filter(|due| *due > after)
    })
}

fn next_multiple(interval: Duration, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let interval = SignedDuration::try_from(interval).ok().filter(SignedDuration::is_positive)?;
    let mut date = calendar.date_of(after);
    let mut midnight = calendar.local_midnight(date);
    let mut next_midnight = calendar.local_midnight(date.tomorrow().ok()?);
    // A day may be skipped, and the clock may show the day before once more.
    while next_midnight <= after {
        date = date.tomorrow().ok()?;
        midnight = next_midnight;
        next_midnight = calendar.local_midnight(date.tomorrow().ok()?);
    }
    if interval >= DAY {
        return Some(next_midnight);
    }
    let elapsed = after.duration_since(midnight).as_nanos();
    let next = (elapsed / interval.as_nanos() + 1).checked_mul(interval.as_nanos())?;
    let due = midnight.checked_add(SignedDuration::try_from_nanos_i128(next)?).ok();
    Some(due.map_or(next_midnight, |due| due.min(next_midnight)))
}

fn next_sun(
    event: SunEvent,
    offset: SignedDuration,
    weekdays: Weekdays,
    after: Timestamp,
    calendar: &Calendar,
) -> Option<Timestamp> {
    let mut from = after.checked_sub(offset).ok()?;
    // In a year's events each weekday comes, but at the poles, where a year has one.
    for _ in 0..YEAR {
        from = event.next(from, calendar)?;
        if weekdays.contains(calendar.date_of(from)) {
            return from.checked_add(offset).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn calendar(zone: &str) -> Calendar {
        Calendar {
            zone: TimeZone::get(zone).unwrap(),
            location: Some(Location { latitude: 52.52, longitude: 13.405 }),
            ..Calendar::default()
        }
    }

    fn at(times: &[&str], weekdays: &str) -> Schedule {
        Schedule::At {
            times: times.iter().map(|time| TimeOfDay::parse(time).unwrap()).collect(),
            weekdays: Weekdays::parse(weekdays).unwrap(),
        }
    }

    fn every(minutes: u64) -> Schedule {
        Schedule::Every(Duration::from_secs(60 * minutes))
    }

    /// Returns the first `count` due times after the local time `after`, as that zone's clock shows them.
    fn due(schedule: &Schedule, zone: &str, after: &str, count: usize) -> Vec<String> {
        let calendar = calendar(zone);
        let mut now = calendar.first_instant(after.parse().unwrap());
        std::iter::from_fn(|| {
            now = schedule.next(now, &calendar)?;
            Some(now.to_zoned(calendar.zone.clone()).strftime("%m-%d %H:%M%:::z").to_string())
        })
        .take(count)
        .collect()
    }

    #[test]
    fn half_past_two_comes_each_night_once() {
        for (zone, time, after, expected) in [
            ("Europe/Berlin", "02:30", "2024-03-30T12:00", ["03-31 03:00+02", "04-01 02:30+02"]),
            ("Europe/Berlin", "02:30", "2024-10-26T12:00", ["10-27 02:30+02", "10-28 02:30+01"]),
            ("America/New_York", "02:30", "2024-03-09T12:00", ["03-10 03:00-04", "03-11 02:30-04"]),
            ("America/New_York", "01:30", "2024-11-02T12:00", ["11-03 01:30-04", "11-04 01:30-05"]),
            ("Australia/Lord_Howe", "02:15", "2024-10-05T12:00", ["10-06 02:30+11", "10-07 02:15+11"]),
            ("Australia/Lord_Howe", "01:45", "2024-04-06T12:00", ["04-07 01:45+11", "04-08 01:45+10:30"]),
            ("Asia/Beirut", "00:00", "2022-03-26T12:00", ["03-27 01:00+03", "03-28 00:00+03"]),
            ("America/Sao_Paulo", "00:30", "2017-10-14T12:00", ["10-15 01:00-02", "10-16 00:30-02"]),
            ("America/St_Johns", "00:00", "2010-11-06T12:00", ["11-07 00:00-02:30", "11-08 00:00-03:30"]),
        ] {
            assert_eq!(due(&at(&[time], "mon-sun"), zone, after, 2), expected, "{zone} {time}");
        }
    }

    #[test]
    fn two_times_that_a_clock_change_makes_one_are_due_once() {
        assert_eq!(
            due(&at(&["03:00", "02:30", "02:15"], "mon-sun"), "Europe/Berlin", "2024-03-30T12:00", 3),
            ["03-31 03:00+02", "04-01 02:15+02", "04-01 02:30+02"]
        );
    }

    #[test]
    fn a_time_is_due_on_its_weekdays() {
        assert_eq!(
            due(&at(&["08:00", "07:00"], "sat"), "UTC", "2024-06-01T07:00", 3),
            ["06-01 08:00+00", "06-08 07:00+00", "06-08 08:00+00"]
        );
        assert_eq!(due(&at(&[], "sat"), "UTC", "2024-06-01T07:00", 1), [""; 0]);
    }

    #[test]
    fn an_interval_counts_elapsed_time_from_local_midnight() {
        assert_eq!(
            due(&every(7 * 60), "UTC", "2024-06-01T00:00", 5),
            ["06-01 07:00+00", "06-01 14:00+00", "06-01 21:00+00", "06-02 00:00+00", "06-02 07:00+00"]
        );
        assert_eq!(
            due(&every(120), "Europe/Berlin", "2024-03-31T00:00", 2),
            ["03-31 03:00+02", "03-31 05:00+02"],
            "two hours after midnight it is three"
        );
        assert_eq!(due(&every(120), "Europe/Berlin", "2024-10-27T00:00", 2), ["10-27 02:00+02", "10-27 03:00+01"]);
        assert_eq!(due(&every(90), "Asia/Beirut", "2022-03-26T23:00", 2), ["03-27 01:00+03", "03-27 02:30+03"]);
    }

    #[test]
    fn an_interval_starts_anew_where_the_clock_passes_midnight_twice() {
        // At 00:01 the clock of St John's went back to 23:01 of the day before.
        assert_eq!(
            due(&every(8 * 60), "America/St_Johns", "2010-11-06T16:00", 4),
            ["11-07 00:00-02:30", "11-07 07:00-03:30", "11-07 15:00-03:30", "11-07 23:00-03:30"]
        );
        assert_eq!(due(&every(60), "Pacific/Apia", "2011-12-29T23:00", 2), ["12-31 00:00+14", "12-31 01:00+14"]);
    }

    #[test]
    fn an_interval_of_a_day_is_midnight_and_one_of_nothing_never() {
        assert_eq!(due(&every(24 * 60), "Europe/Berlin", "2024-10-26T12:00", 2), ["10-27 00:00+02", "10-28 00:00+01"]);
        assert_eq!(Schedule::Every(Duration::ZERO).next(Timestamp::UNIX_EPOCH, &calendar("UTC")), None);
    }

    #[test]
    fn a_sun_event_with_its_offset_belongs_to_the_day_of_the_event() {
        let schedule = Schedule::Sun {
            event: SunEvent::Sunset,
            offset: SignedDuration::from_hours(4),
            weekdays: Weekdays::parse("fri").unwrap(),
        };
        // 21 June 2024 is a Friday; the sun sets in Berlin at 21:33.
        let due = due(&schedule, "Europe/Berlin", "2024-06-20T12:00", 1);
        assert_eq!(due, ["06-22 01:33+02"]);
    }

    #[test]
    fn a_sun_event_follows_the_sun_through_the_polar_night() {
        let calendar = Calendar {
            zone: TimeZone::get("Europe/Oslo").unwrap(),
            location: Some(Location { latitude: 69.649_2, longitude: 18.955_3 }),
            ..Calendar::default()
        };
        let schedule =
            Schedule::Sun { event: SunEvent::Sunrise, offset: SignedDuration::ZERO, weekdays: Weekdays::ALL };
        let next = schedule.next("2024-12-01T00:00:00Z".parse().unwrap(), &calendar).unwrap();
        assert_eq!(calendar.date_of(next).month(), 1);
    }

    #[test]
    fn solar_midnight_comes_each_night_though_some_days_have_two() {
        let schedule =
            Schedule::Sun { event: SunEvent::Midnight, offset: SignedDuration::ZERO, weekdays: Weekdays::ALL };
        let calendar = Calendar {
            zone: TimeZone::get("Europe/London").unwrap(),
            location: Some(Location { latitude: 51.5, longitude: -0.12 }),
            ..Calendar::default()
        };
        let mut now: Timestamp = "2024-01-01T12:00:00Z".parse().unwrap();
        for _ in 0..366 {
            let next = schedule.next(now, &calendar).unwrap();
            let hours = next.duration_since(now).as_secs_f64() / 3600.0;
            assert!(now == "2024-01-01T12:00:00Z".parse().unwrap() || (hours - 24.0).abs() < 0.02, "{next}: {hours}");
            now = next;
        }
    }

    #[test]
    fn a_due_time_is_strictly_later_and_the_first() {
        let schedules = [
            at(&["02:30", "00:00"], "mon-sun"),
            every(50),
            Schedule::Cron(Cron::parse("*/7 1-3 * * *").unwrap()),
            Schedule::Cron(Cron::parse("30 0,2,23 * * *").unwrap()),
            Schedule::Sun { event: SunEvent::Dusk, offset: SignedDuration::from_hours(-3), weekdays: Weekdays::ALL },
        ];
        for zone in ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo"] {
            let calendar = calendar(zone);
            for schedule in &schedules {
                // From the start, and from each hour: the same due times.
                let start: Timestamp = "2010-10-01T00:17:00Z".parse().unwrap();
                let mut next = schedule.next(start, &calendar).unwrap();
                for hour in 1..60 * 24 {
                    let now = start + SignedDuration::from_hours(hour);
                    while next <= now {
                        let later = schedule.next(next, &calendar).unwrap();
                        assert!(later > next, "{zone} {schedule:?} {next}");
                        next = later;
                    }
                    assert_eq!(schedule.next(now, &calendar), Some(next), "{zone} {schedule:?} {now}");
                }
            }
        }
    }

    #[test]
    fn the_last_due_time_is_found_however_long_ago_one_begins() {
        let calendar = calendar("Europe/Berlin");
        let now = "2024-10-27T01:30:00Z".parse().unwrap();
        for (schedule, expected) in [
            (Schedule::Cron(Cron::parse("* * * * * *").unwrap()), "2024-10-27T01:29:59Z"),
            (Schedule::Cron(Cron::parse("30 2 * * *").unwrap()), "2024-10-27T00:30:00Z"),
            (every(60), "2024-10-27T01:00:00Z"),
            (at(&["02:30"], "mon"), "2024-10-21T00:30:00Z"),
            (Schedule::Cron(Cron::parse("0 0 29 2 *").unwrap()), "2024-02-28T23:00:00Z"),
        ] {
            for since in ["1970-01-01T00:00:00Z", "2024-02-01T00:00:00Z"] {
                let last = schedule.last(since.parse().unwrap(), now, &calendar);
                assert_eq!(last, Some(expected.parse().unwrap()), "{schedule:?}");
            }
            assert_eq!(schedule.last(expected.parse().unwrap(), now, &calendar), None, "{schedule:?}");
            assert_eq!(schedule.last(now, now, &calendar), None);
        }
    }

    #[test]
    fn a_new_zone_moves_what_is_due() {
        let schedule = at(&["07:30"], "mon-sun");
        let now = "2024-06-01T04:00:00Z".parse().unwrap();
        assert_eq!(schedule.next(now, &calendar("Europe/Berlin")), Some("2024-06-01T05:30:00Z".parse().unwrap()));
        assert_eq!(schedule.next(now, &calendar("Europe/London")), Some("2024-06-01T06:30:00Z".parse().unwrap()));
    }
}
