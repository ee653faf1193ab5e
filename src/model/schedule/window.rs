//! A part of the day, as a condition asks for it: from one time or sun event to another, on some weekdays.
//!
//! - A window begins with `after` and ends before `before`. An end left out is midnight.
//! - Of two times of day, it passes midnight where `before` is not later than `after`: from a time to the same time,
//!   it lasts a day. Its weekday is that of the day on which it began.
//! - Where the sun gives an end, what both mean over the year decides whether it passes midnight, not the day: from
//!   sunset to 21:30 is an evening, and empty on days on which the sun sets later. It passes midnight where that way is at
//!   most 20 hours at the equinox, in the middle of the sun's year.
//! - On a day without the sun's event, the sun is on one side of it all day. Where it has passed it (after
//!   sunset in the polar night), the event counts as at the day's beginning, otherwise as at its end: so from
//!   sunset to sunrise is all of a dark day and nothing of a bright one.

use std::fmt;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::{Boundary, Calendar, SunEvent, Weekdays};

/// A part of the day (docs/language/conditions.md): begins with `after` and ends before `before`; may pass midnight, and
/// then its weekday is that of the day on which it began. An end left out is midnight.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimeWindow {
    /// When it begins.
    pub after: Option<Boundary>,
    /// When it ends.
    pub before: Option<Boundary>,
    /// The days on which it begins.
    pub weekdays: Weekdays,
}

impl fmt::Display for TimeWindow {
    /// Writes it in words: `after 20:00, before sunrise, on mon, tue`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after.map(|after| format!("after {after}"));
        let before = self.before.map(|before| format!("before {before}"));
        let weekdays = (self.weekdays != Weekdays::default()).then(|| format!("on {}", self.weekdays));
        f.write_str(&after.into_iter().chain(before).chain(weekdays).collect::<Vec<_>>().join(", "))
    }
}

impl TimeWindow {
    /// Returns whether `now` lies within.
    #[must_use]
    pub fn contains(&self, now: Timestamp, calendar: &Calendar) -> bool {
        let today = calendar.date_of(now);
        // Today's is asked first, since most often it decides.
        let days: &[i32] = if self.has_offset() { &[0, -1, 1, -2] } else { &[0, -1] };
        let usual = self.usual(calendar);
        days.iter().filter_map(|day| today.checked_add(day.days()).ok()).any(|date| {
            self.start(date, calendar).is_some_and(|start| {
                start <= now && self.end(date, start, usual, calendar).is_some_and(|end| now < end)
            })
        })
    }

    /// Returns when the answer next changes, strictly after `after`; `None` where it never does.
    #[must_use]
    pub fn next_change(&self, after: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let first = calendar.date_of(after).checked_sub(2.days()).ok()?;
        let days = if self.needs_location() { YEAR } else { self.weekdays.cycle() + TOUCHING };
        let usual = self.usual(calendar);
        let windows = first.series(1.day()).take(days).filter_map(|date| {
            let start = self.start(date, calendar)?;
            Some((start, self.end(date, start, usual, calendar)?))
        });
        // On the first day of a polar night a window may begin before that of the day before: one is looked ahead.
        if !self.contains(after, calendar) {
            return windows.map(|(start, _)| start).filter(|start| *start > after).take(2).min();
        }
        // One window may begin where the other ends.
        let mut end = after;
        let mut later: Option<(Timestamp, Timestamp)> = None;
        for window in windows {
            if window.0 > end {
                if later.is_some() {
                    return Some(end);
                }
                later = Some(window);
                continue;
            }
            end = end.max(window.1);
            if let Some((_, its_end)) = later.take_if(|(start, _)| *start <= end) {
                end = end.max(its_end);
            }
        }
        // Where windows touched all the way, they always will.
        let horizon = first.checked_add(i64::try_from(days).ok()?.days()).ok()?;
        (calendar.date_of(end) < horizon).then_some(end)
    }

    /// Returns the first days of a year on which the window, its weekdays aside, has no time, where the sun gives an end of
    /// it: from the first to the last; `None` where it has time on each.
    #[must_use]
    pub fn empty_days(&self, year: i16, calendar: &Calendar) -> Option<(Date, Date)> {
        calendar.location.filter(|_| self.needs_location())?;
        let window = TimeWindow { weekdays: Weekdays::ALL, ..self.clone() };
        let usual = window.usual(calendar);
        let is_empty = |date: &Date| {
            let start = window.start(*date, calendar);
            start.and_then(|start| window.end(*date, start, usual, calendar)).is_none()
        };
        let days = |from: Date| from.series(1.day()).take_while(move |date| date.year() == year);
        let first = Date::new(year, 1, 1).ok()?;
        // It is empty in the time round a solstice, if ever.
        let is_solstice = |date: &Date| matches!((date.month(), date.day()), (12 | 1 | 6, _) | (7, ..=15));
        days(first).filter(is_solstice).find(is_empty)?;
        let is_cut = is_empty(&first);
        let begin = days(first).skip_while(|date| is_cut && is_empty(date)).find(is_empty).unwrap_or(first);
        let rest = begin.series(1.day()).take(YEAR);
        Some((begin, rest.take_while(is_empty).last().unwrap_or(begin)))
    }

    /// Returns whether the answer depends on the home's location.
    #[must_use]
    pub fn needs_location(&self) -> bool {
        [self.after, self.before].into_iter().flatten().any(Boundary::needs_location)
    }

    fn has_offset(&self) -> bool {
        let mut ends = [self.after, self.before].into_iter().flatten();
        ends.any(|end| matches!(end, Boundary::Sun(_, offset) if !offset.is_zero()))
    }

    /// Returns when the window of the day `date` begins; `None` where that day has none.
    fn start(&self, date: Date, calendar: &Calendar) -> Option<Timestamp> {
        if !self.weekdays.contains(date) {
            return None;
        }
        match self.after {
            None => Some(calendar.local_midnight(date)),
            Some(Boundary::Time(time)) => Some(time.on(date, calendar)),
            Some(Boundary::Sun(event, offset)) => match SunTime::of(event, offset, date, calendar)? {
                SunTime::At(start) => Some(start),
                SunTime::Passed => Some(calendar.local_midnight(date)),
                SunTime::NotToday => None,
            },
        }
    }

    /// Returns what the window is in the middle of the sun's year, where the sun gives an end of it; `None` where it doesn't,
    /// or never rises and sets.
    fn usual(&self, calendar: &Calendar) -> Option<Usual> {
        if self.after == self.before || !self.needs_location() {
            return None;
        }
        let (year, month, day) = EQUINOX;
        let date = Date::new(year, month, day).ok()?;
        let at = |end: Option<Boundary>| match end {
            None => Some(calendar.local_midnight(date)),
            Some(Boundary::Time(time)) => Some(time.on(date, calendar)),
            Some(Boundary::Sun(event, offset)) => match SunTime::of(event, offset, date, calendar)? {
                SunTime::At(at) => Some(at),
                SunTime::Passed | SunTime::NotToday => None,
            },
        };
        let start = at(self.after)?;
        let length = at(self.before)?.duration_since(start).as_secs().rem_euclid(DAY);
        let length = SignedDuration::from_secs(if length > LONGEST_NIGHT { length - DAY } else { length });
        Some(Usual { length, passes_midnight: calendar.date_of(start.checked_add(length).ok()?) > date })
    }

    /// Returns whether the sun's event that begins the window doesn't come on the day `date`, and has passed.
    fn is_after_all_day(&self, date: Date, calendar: &Calendar) -> bool {
        match self.after {
            Some(Boundary::Sun(event, offset)) => {
                matches!(SunTime::of(event, offset, date, calendar), Some(SunTime::Passed))
            }
            Some(Boundary::Time(_)) | None => false,
        }
    }

    /// Returns when the window of the day `date` ends, which begins at `start`; `None` where it has no time that day.
    fn end(&self, date: Date, start: Timestamp, usual: Option<Usual>, calendar: &Calendar) -> Option<Timestamp> {
        let tomorrow = date.tomorrow().ok()?;
        let end = match self.before {
            None => {
                let midnight = calendar.local_midnight(tomorrow);
                if midnight > start { midnight } else { calendar.local_midnight(tomorrow.tomorrow().ok()?) }
            }
            Some(Boundary::Time(time)) => match usual {
                Some(usual) if self.is_after_all_day(date, calendar) => {
                    time.on(if usual.passes_midnight { tomorrow } else { date }, calendar)
                }
                Some(usual) => usual.end(start, date, |date| Some(time.on(date, calendar)))?,
                None => {
                    let passes_midnight = match self.after {
                        None => time.0 == Time::midnight(),
                        Some(Boundary::Time(after)) => time <= after,
                        Some(Boundary::Sun(..)) => time.on(date, calendar) <= start,
                    };
                    time.on(if passes_midnight { tomorrow } else { date }, calendar)
                }
            },
            Some(Boundary::Sun(event, offset)) => {
                let on = |date| SunTime::of(event, offset, date, calendar);
                let on_day = |date| match on(date)? {
                    SunTime::At(end) => Some(end),
                    SunTime::Passed | SunTime::NotToday => None,
                };
                match on(date)? {
                    SunTime::Passed => return None,
                    SunTime::NotToday => calendar.local_midnight(tomorrow),
                    SunTime::At(end) => match usual.and_then(|usual| usual.end(start, date, on_day)) {
                        Some(end) => end,
                        None if end > start => end,
                        None => match on(tomorrow)? {
                            SunTime::At(end) => end,
                            SunTime::Passed => calendar.local_midnight(tomorrow),
                            SunTime::NotToday => calendar.local_midnight(tomorrow.tomorrow().ok()?),
                        },
                    },
                }
            }
        };
        (end > start).then_some(end)
    }
}

/// What a window is in the middle of the sun's year.
#[derive(Debug, Clone, Copy)]
struct Usual {
    /// How long it lasts; below zero where its ends cross.
    length: SignedDuration,
    /// Whether it ends on a later day than its own.
    passes_midnight: bool,
}

impl Usual {
    /// Returns the end, among those of the days around `date`, with which a window from `start` is nearly as long as usual;
    /// `None` where each is half a day off, since one day has none.
    fn end(self, start: Timestamp, date: Date, on: impl Fn(Date) -> Option<Timestamp>) -> Option<Timestamp> {
        let days = (-1..=2).filter_map(|day: i32| date.checked_add(day.days()).ok());
        let off = |end: &Timestamp| (end.duration_since(start) - self.length).abs();
        days.filter_map(on).min_by_key(off).filter(|end| off(end) <= SignedDuration::from_hours(12))
    }
}

/// A day in the middle of the sun's year, everywhere: it rises and sets.
const EQUINOX: (i16, i8, i8) = (2025, 3, 20);

/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// The most seconds from a window's beginning through midnight to its end.
const LONGEST_NIGHT: i64 = 20 * 3600;

/// Some days more than those after which each weekday has come, for windows that touch.
const TOUCHING: usize = 3;

/// A year of days, after which a polar night has come and gone.
const YEAR: usize = 370;

/// When an event of the sun is on one day.
enum SunTime {
    /// At this instant, its offset included.
    At(Timestamp),
    /// Not on that day, at whose beginning the sun has passed it.
    Passed,
    /// Not on that day, at whose beginning it is still to come.
    NotToday,
}

impl SunTime {
    /// Returns `None` without a location.
    fn of(event: SunEvent, offset: SignedDuration, date: Date, calendar: &Calendar) -> Option<SunTime> {
        calendar.location?;
        Some(match event.on(date, calendar) {
            Some(instant) => SunTime::At(instant.checked_add(offset).ok()?),
            None if event.has_passed(calendar.local_midnight(date), calendar) == Some(true) => SunTime::Passed,
            None => SunTime::NotToday,
        })
    }
}

#[cfg(test)]
mod tests;
