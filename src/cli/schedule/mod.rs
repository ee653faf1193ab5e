//! `homerule schedule`: what will be due by time alone.

mod days;
mod ical;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::home::home_folder::meant;
use super::{Exit, Failure, print};
use crate::disk::home_files::read_home;
use crate::engine::Options;
use crate::lang::{Diagnostic, Home, Severity, nearest};
use crate::model::schedule::Location;
use crate::model::{RuleId, parse_duration, parse_spoken_time};
use crate::rules::{RuleEntry, Ruleset};
use crate::sim::{Due, Schedule as Coming, TestHome};

/// Shows what is due by time alone: `at`, `every`, `cron`, `sun`, and each `while` that a time or the sun begins or ends.
#[derive(Debug, Args)]
pub(super) struct Schedule {
    /// Only this rule: its id, or its key.
    rule: Option<String>,
    /// How far to look.
    #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = parse_duration)]
    span: Duration,
    /// Where to begin: `2026-03-28`, `2026-03-28T12:00`; without it, now.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Another place on earth than the home's, in degrees north and east: `69.65,18.96`.
    #[arg(long, value_name = "LAT,LON", value_parser = place, allow_hyphen_values = true)]
    place: Option<Location>,
    /// The home.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Write one JSON document.
    #[arg(long, conflicts_with = "ical")]
    json: bool,
    /// Write a calendar (iCalendar, RFC 5545), for programs that show one.
    #[arg(long)]
    ical: bool,
}

impl Schedule {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let Some((rules, options)) = load(&self.home, self.place)? else { return Ok(Exit::No) };
        let only = self.rule.as_deref().map(|name| named(name, &rules)).transpose()?;
        let now = Timestamp::now();
        let from = match &self.from {
            None => now,
            Some(text) => parse_spoken_time(text, now, &options.calendar.zone).ok_or_else(|| {
                Failure::new(format!("`{text}` isn't a date: write `2026-03-28` or `2026-03-28T12:00`"))
            })?,
        };
        let until = after(from, self.span, &options.calendar.zone);
        let coming = Coming::new(&rules, &options, (from, until), only.as_ref());
        if self.json {
            print::json(&coming.entries.iter().map(answer).collect::<Vec<_>>())?;
        } else if self.ical {
            print::bytes(ical::calendar(&coming.entries, now).as_bytes());
        } else {
            days::show(&coming, &options.calendar.zone, (from, until));
        }
        if coming.is_cut && (self.json || self.ical) {
            print::warning("more is due than is listed: ask for a shorter time with `--for`, or for one rule");
        }
        Ok(Exit::Well)
    }
}

fn answer(due: &Due) -> serde_json::Value {
    json!({ "at": due.at, "rule": due.rule.as_str(), "trigger": &*due.trigger, "note": due.full_note() })
}

/// Loads the home in `folder`, as if it were at `place`; `None` where it doesn't load, which is told.
fn load(folder: &Path, place: Option<Location>) -> Result<Option<(Ruleset, Options)>, Failure> {
    let sources = read_home(folder).map_err(|error| Failure::new(error.to_string()))?;
    let home = Home::load_at(&sources, place);
    let errors: Vec<Diagnostic> =
        home.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
    if !errors.is_empty() {
        print::diagnostics(&errors, &sources, "");
        return Ok(None);
    }
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let options = TestHome::new(&home.settings, zone, Ruleset::default()).options().clone();
    Ok(Some((home.ruleset, options)))
}

/// Returns the rules that `name` means: one by its id, or all with this key.
fn named(name: &str, rules: &Ruleset) -> Result<BTreeSet<RuleId>, Failure> {
    let ids = || rules.entries.iter().map(RuleEntry::id);
    let is_meant = |id: &&RuleId| {
        let maker = id.maker();
        [id.as_str(), id.key(), maker.as_str(), maker.key()].contains(&name)
    };
    let meant: BTreeSet<RuleId> = ids().filter(is_meant).cloned().collect();
    if meant.is_empty() {
        let known = ids().flat_map(|id| [id.as_str(), id.key()]);
        let hint = nearest(name, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(Failure::new(format!("there is no rule `{name}`{hint}")));
    }
    Ok(meant)
}

/// Returns the instant `span` after `from`. Whole days are days of the calendar, of 23 or 25 hours too.
fn after(from: Timestamp, span: Duration, zone: &TimeZone) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let days = span.as_hours() / 24;
    let is_whole = SignedDuration::from_hours(days.saturating_mul(24)) == span;
    let by_calendar = || from.to_zoned(zone.clone()).checked_add(jiff::Span::new().try_days(days).ok()?).ok();
    let until = if is_whole { by_calendar().map(|zoned| zoned.timestamp()) } else { from.checked_add(span).ok() };
    until.unwrap_or(Timestamp::MAX)
}

/// Reads a place: degrees north and east.
fn place(text: &str) -> Result<Location, String> {
    let wrong =
        || format!("`{text}` isn't a place: write degrees north and east, as in `52.52,13.41` or `-33.87,151.21`");
    let (latitude, longitude) = text.split_once(',').ok_or_else(wrong)?;
    let degrees = |text: &str, most: f64| {
        let degrees: f64 = text.trim().parse().map_err(|_| wrong())?;
        if degrees.abs() <= most { Ok(degrees) } else { Err(wrong()) }
    };
    Ok(Location { latitude: degrees(latitude, 90.0)?, longitude: degrees(longitude, 180.0)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_degrees_north_and_east() {
        assert_eq!(place("69.65, -18.96"), Ok(Location { latitude: 69.65, longitude: -18.96 }));
        for wrong in ["", "52", "91,0", "0,181", "north,east", "NaN,0"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
