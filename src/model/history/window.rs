//! Windows of the past: `5m`, `today`, `yesterday`, `week`, `month`, `since 09:00`.

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use thiserror::Error;

use crate::model::schedule::{Calendar, TimeOfDay};
use crate::model::{format_duration, nearest, parse_duration};

use super::{Span, instant, nanos};

/// A window of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last so long.
    Last(Duration),
    /// Since local midnight.
    Today,
    /// The local day before.
    Yesterday,
    /// Since Monday.
    Week,
    /// Since the first of the month.
    Month,
    /// Since it was last that time.
    Since(TimeOfDay),
}

/// Text isn't a window.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` isn't a valid window; {help}")]
pub struct WindowError {
    /// What was written.
    text: String,
    /// What to write.
    help: String,
}

/// The words for whole windows.
const WORDS: [(&str, Window); 4] =
    [("today", Window::Today), ("yesterday", Window::Yesterday), ("week", Window::Week), ("month", Window::Month)];

/// An hour more than a day has, for the days on which the clock goes back.
const LONG_DAY: u64 = 25;

impl Window {
    /// Returns the window that `text` names.
    ///
    /// # Errors
    /// When it names none, or one that never holds anything.
    pub fn parse(text: &str) -> Result<Window, WindowError> {
        let error = |help: String| WindowError { text: text.to_owned(), help };
        let text = text.trim();
        if let Some((_, window)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*window);
        }
        if let Some(time) = text.strip_prefix("since ") {
            return TimeOfDay::parse(time).map(Window::Since).map_err(|found| error(found.to_string()));
        }
        if TimeOfDay::parse(text).is_ok() {
            return Err(error(format!("write `since {text}`")));
        }
        match parse_duration(text) {
            Ok(duration) if duration.is_zero() => Err(error("it must be longer than zero".to_owned())),
            Ok(duration) => Ok(Window::Last(duration)),
            Err(found) => Err(error(match (found.suggestion(), nearest(text, WORDS.iter().map(|(word, _)| *word))) {
                (Some(suggestion), _) => format!("use e.g. `{suggestion}`"),
                (None, _) if text.starts_with(|first: char| first.is_ascii_digit()) => found.to_string(),
                (None, Some(near)) => format!("did you mean `{near}`?"),
                (None, None) => {
                    "use a duration (`5m`), `today`, `yesterday`, `week`, `month` or `since 09:00`".to_owned()
                }
            })),
        }
    }

    /// Returns the part of the past that it means at `now`.
    #[must_use]
    pub fn span(self, now: Timestamp, calendar: &Calendar) -> Span {
        let today = calendar.date_of(now);
        match self {
            Window::Last(length) => Span::sliding(before(now, length), now),
            Window::Yesterday => {
                let yesterday = today.yesterday().unwrap_or(today);
                Span::over(calendar.local_midnight(yesterday), calendar.local_midnight(today))
            }
            Window::Today | Window::Week | Window::Month | Window::Since(_) => {
                Span::since(self.start(today, now, calendar), now)
            }
        }
    }

    /// Returns how far back it may reach.
    #[must_use]
    pub fn reach(self) -> Duration {
        let days = |days: u64| Duration::from_secs((days - 1) * 86_400 + LONG_DAY * 3600);
        match self {
            Window::Last(length) => length,
            Window::Today | Window::Since(_) => days(1),
            Window::Yesterday => days(2),
            Window::Week => days(7),
            Window::Month => days(31),
        }
    }

    /// Returns when it begins anew; `None` where it begins later all the time.
    #[must_use]
    pub fn next_start(self, now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        let today = calendar.date_of(now);
        // A clock that goes back may show the day before once more.
        let midnight = |date: Date| {
            (0..3).find_map(|day| {
                let midnight = calendar.local_midnight(date.checked_add(day.days()).ok()?);
                (midnight > now).then_some(midnight)
            })
        };
        match self {
            Window::Last(_) => None,
            Window::Today | Window::Yesterday | Window::Week | Window::Month => midnight(today.tomorrow().ok()?),
            Window::Since(time) => {
                let on = |date: Date| Some(time.on(date, calendar)).filter(|at| *at > now);
                on(today).or_else(|| on(today.tomorrow().ok()?)).or_else(|| on(today.checked_add(2.days()).ok()?))
            }
        }
    }

    /// Returns when what was read of it at `now` is to be read again, since samples age: after a hundredth of it, at least a
    /// second and at most a minute.
    #[must_use]
    pub fn next_look(self, now: Timestamp, calendar: &Calendar) -> Timestamp {
        let hundredth = self.span(now, calendar).length() / 100;
        let step = hundredth.clamp(1_000_000_000, 60_000_000_000);
        let next = instant(nanos(now).saturating_add(step));
        self.next_start(now, calendar).map_or(next, |start| start.min(next))
    }

    fn start(self, today: Date, now: Timestamp, calendar: &Calendar) -> Timestamp {
        let date = match self {
            Window::Week => {
                let days = i64::from(today.weekday().to_monday_zero_offset());
                today.checked_sub(days.days()).unwrap_or(today)
            }
            Window::Month => today.first_of_month(),
            Window::Since(time) => {
                let yesterday = today.yesterday().unwrap_or(today);
                let last = [today, yesterday].into_iter().map(|date| time.on(date, calendar)).find(|at| *at <= now);
                return last.unwrap_or_else(|| calendar.local_midnight(yesterday));
            }
            Window::Last(_) | Window::Today | Window::Yesterday => today,
        };
        calendar.local_midnight(date)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Last(length) => f.write_str(&format_duration(*length)),
            Window::Since(time) => write!(f, "since {time}"),
            word => f.write_str(WORDS.iter().find(|(_, known)| known == word).map_or("", |(word, _)| word)),
        }
    }
}

/// Returns the instant so long before `now`.
fn before(now: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    now.checked_sub(length).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn span(window: &str, now: &str) -> (String, String) {
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        let now = calendar.first_instant(now.parse().unwrap());
        let span = Window::parse(window).unwrap().span(now, &calendar);
        let local = |at: i64| calendar.local(instant(at)).strftime("%m-%d %H:%M").to_string();
        (local(span.start), local(span.end))
    }

    #[test]
    fn a_window_begins_when_its_words_say() {
        for (window, now, start, end) in [
            ("5m", "2024-06-05T12:00", "06-05 11:55", "06-05 12:00"),
            ("today", "2024-06-05T12:00", "06-05 00:00", "06-05 12:00"),
            ("yesterday", "2024-06-05T12:00", "06-04 00:00", "06-05 00:00"),
            ("week", "2024-06-05T12:00", "06-03 00:00", "06-05 12:00"),
            ("week", "2024-06-03T00:00", "06-03 00:00", "06-03 00:00"),
            ("month", "2024-06-05T12:00", "06-01 00:00", "06-05 12:00"),
            ("since 09:00", "2024-06-05T12:00", "06-05 09:00", "06-05 12:00"),
            ("since 09:00", "2024-06-05T08:59", "06-04 09:00", "06-05 08:59"),
            ("since 02:30", "2024-03-31T12:00", "03-31 03:00", "03-31 12:00"),
        ] {
            assert_eq!(span(window, now), (start.to_owned(), end.to_owned()), "{window} at {now}");
        }
    }

    #[test]
    fn a_window_reaches_as_far_as_it_may_begin() {
        let calendar = Calendar { zone: TimeZone::get("Europe/Berlin").unwrap(), ..Calendar::default() };
        for window in ["1h", "today", "yesterday", "week", "month", "since 23:59"] {
            let window = Window::parse(window).unwrap();
            for hour in 0..24 * 400 {
                let now = "2023-12-30T23:58:59Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour);
                let back = nanos(now) - window.span(now, &calendar).start;
                assert!(i128::from(back) <= window.reach().as_nanos().try_into().unwrap(), "{window} at {now}");
                assert!(window.next_look(now, &calendar) > now);
            }
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_what_was_meant() {
        for (text, help) in [
            ("0s", "it must be longer than zero"),
            ("5", "use e.g. `5s`"),
            ("todya", "did you mean `today`?"),
            ("09:00", "write `since 09:00`"),
            ("since 9", "`9` isn't a valid time of day; use e.g. `07:30` or `07:30:15`"),
            ("ever", "use a duration (`5m`), `today`, `yesterday`, `week`, `month` or `since 09:00`"),
        ] {
            assert_eq!(Window::parse(text).unwrap_err().to_string(), format!("`{text}` isn't a valid window; {help}"));
        }
    }
}
