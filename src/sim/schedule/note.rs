//! What is special about a time: a clock change, days without an event of the sun.

use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::schedule::{Calendar, Cron, Schedule, SunEvent, Weekdays};
use crate::rules::{Rule, TriggerKind};

/// The most days that are looked at.
const MOST_DAYS: usize = 3660;

/// Days on which a trigger's event of the sun doesn't come.
pub(super) struct Sunless {
    /// The trigger's place in its rule.
    pub(super) trigger: Arc<str>,
    pub(super) event: SunEvent,
    pub(super) first: Date,
    pub(super) last: Date,
    /// When the last day is over.
    pub(super) ends_at: Timestamp,
}

impl fmt::Display for Sunless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} {}", self.event, days(self.first, self.last))
    }
}

/// Returns days in words: `on 2026-06-01`, `from 2026-06-01 to 2026-06-20`.
pub(super) fn days(first: Date, last: Date) -> String {
    if first == last { format!("on {first}") } else { format!("from {first} to {last}") }
}

/// Returns the days from `from` until before `until` on which an event doesn't come that a trigger of `rule` is for.
pub(super) fn sunless(rule: &Rule, calendar: &Calendar, (from, until): (Timestamp, Timestamp)) -> Vec<Sunless> {
    let mut found: Vec<Sunless> = Vec::new();
    for trigger in rule.triggers().iter().filter(|trigger| trigger.enabled && rule.enabled) {
        let TriggerKind::Schedule { schedule: Schedule::Sun { event, weekdays, .. }, .. } = &trigger.kind else {
            continue;
        };
        let mut is_in_row = false;
        for date in dates(calendar, from, until, *weekdays) {
            if event.on(date, calendar).is_some() || calendar.location.is_none() {
                is_in_row = false;
                continue;
            }
            let ends_at = date.tomorrow().map_or(Timestamp::MAX, |next| calendar.local_midnight(next));
            match found.last_mut().filter(|_| is_in_row) {
                Some(row) => (row.last, row.ends_at) = (date, ends_at),
                None => {
                    let (trigger, event) = (Arc::clone(&trigger.path), *event);
                    found.push(Sunless { trigger, event, first: date, last: date, ends_at });
                }
            }
            is_in_row = true;
        }
    }
    found
}

fn dates(calendar: &Calendar, from: Timestamp, until: Timestamp, on: Weekdays) -> impl Iterator<Item = Date> {
    let last = calendar.date_of(until.checked_sub(1.nanosecond()).unwrap_or(until));
    let dates = calendar.date_of(from).series(1.day()).take(MOST_DAYS);
    dates.take_while(move |date| *date <= last).filter(move |date| on.contains(*date))
}

/// What a change of the clock on the day of a due time means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClockNote {
    /// For this very time.
    pub(super) of_time: Option<String>,
    /// For the day, where it doesn't touch this time.
    pub(super) of_day: Option<String>,
}

impl ClockNote {
    /// Returns what a change of the clock on the local day of `at` means for what is due then; with `schedule`, for one of
    /// its times.
    pub(super) fn new(schedule: Option<&Schedule>, at: Timestamp, calendar: &Calendar) -> ClockNote {
        let Some(change) = Change::on_day_of(at, calendar) else { return ClockNote::default() };
        let (before, after) = (change.before, change.after);
        let local = calendar.local(at);
        let of_time = |text: String| ClockNote { of_time: Some(text), of_day: None };
        if after > before {
            let skipped = match schedule {
                Some(Schedule::At { times, .. }) if at == change.at => {
                    let mut times = times.iter().map(|time| before.date().to_datetime(time.0));
                    times.find(|time| (before..after).contains(time))
                }
                Some(Schedule::Cron(cron)) if at == change.at && cron.is_fixed() => {
                    fixed_from(cron, before).filter(|time| (before..after).contains(time))
                }
                _ => None,
            };
            if let Some(time) = skipped {
                return of_time(format!("the clock skips {}", clock(time)));
            }
        } else if (after..before).contains(&local) {
            let which = if at < change.at { "first" } else { "second" };
            return of_time(format!("the clock shows {} twice, and this is the {which} time", clock(local)));
        }
        let direction = if after > before { "forward" } else { "back" };
        let text = format!("the clock goes {direction} from {} to {}", clock(before), clock(after));
        ClockNote { of_time: None, of_day: Some(text) }
    }
}

/// Returns the first time of a fixed pattern from `local` on, were there no change of the clock.
fn fixed_from(cron: &Cron, local: DateTime) -> Option<DateTime> {
    let plain = Calendar { zone: TimeZone::UTC, ..Calendar::default() };
    let from = local.to_zoned(TimeZone::UTC).ok()?.timestamp().checked_sub(1.nanosecond()).ok()?;
    Some(plain.local(cron.next(from, &plain)?))
}

fn clock(local: DateTime) -> String {
    let format = if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    local.strftime(format).to_string()
}

/// A change of the clock.
struct Change {
    at: Timestamp,
    /// What the clock would have shown.
    before: DateTime,
    /// What it shows.
    after: DateTime,
}

impl Change {
    /// Returns the change on the local day of `at`.
    fn on_day_of(at: Timestamp, calendar: &Calendar) -> Option<Change> {
        let date = calendar.date_of(at);
        let start = calendar.local_midnight(date).checked_sub(1.second()).ok()?;
        let end = calendar.local_midnight(date.tomorrow().ok()?);
        let changes = calendar.zone.following(start).take_while(|change| change.timestamp() < end);
        let changes = changes.filter_map(|change| {
            let at = change.timestamp();
            let old = calendar.zone.to_offset(at.checked_sub(1.nanosecond()).ok()?);
            (old != change.offset()).then(|| Change {
                at,
                before: old.to_datetime(at),
                after: change.offset().to_datetime(at),
            })
        });
        changes.last()
    }
}
