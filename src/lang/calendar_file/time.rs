//! Dates and times of calendars: `20260105`, `20260105T180000`, `20260105T170000Z` (RFC 5545, 3.3.4 and 3.3.5).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A time as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WrittenTime {
    /// What the clock shows; of a date, midnight.
    pub(super) local: DateTime,
    /// Whether it is a date.
    pub(super) is_date: bool,
    /// The zone of the clock; `None`: wherever one is.
    pub(super) zone: Option<TimeZone>,
}

impl WrittenTime {
    /// Returns the time that `text` is, where `zone` is that of its line.
    pub(super) fn parse(text: &str, zone: Option<TimeZone>) -> Option<WrittenTime> {
        let text = text.trim();
        let (date, time) = match text.split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [year, month, day] = numbers(date, [4, 2, 2])?;
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        let Some(time) = time else {
            return Some(WrittenTime { local: date.to_datetime(Time::midnight()), is_date: true, zone: None });
        };
        let (time, zone) = match time.strip_suffix(['Z', 'z']) {
            Some(time) => (time, Some(TimeZone::UTC)),
            None => (time, zone),
        };
        let [hour, minute, second] = numbers(time, [2, 2, 2])?;
        let part = |number: i16| i8::try_from(number).ok();
        // A leap second is the one before.
        let time = Time::new(part(hour)?, part(minute)?, part(second.min(59))?, 0).ok()?;
        Some(WrittenTime { local: date.to_datetime(time), is_date: false, zone })
    }

    /// Returns what a clock of `zone` shows then. Times without a zone are those of any.
    pub(super) fn local_in(&self, zone: Option<&TimeZone>) -> DateTime {
        match (&self.zone, zone) {
            (Some(own), Some(zone)) if own != zone => {
                own.to_timestamp(self.local).map_or(self.local, |at| zone.to_datetime(at))
            }
            _ => self.local,
        }
    }
}

/// Returns the numbers of so many digits each that `text` consists of.
fn numbers(text: &str, digits: [usize; 3]) -> Option<[i16; 3]> {
    if text.len() != digits.iter().sum::<usize>() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut start = 0;
    let mut found = [0; 3];
    for (number, digits) in found.iter_mut().zip(digits) {
        *number = text.get(start..start + digits)?.parse().ok()?;
        start += digits;
    }
    Some(found)
}
