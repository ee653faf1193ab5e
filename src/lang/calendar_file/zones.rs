//! The time zones of a calendar: by their names, or else as the file itself defines them (RFC 5545, 3.6.5).

use std::collections::BTreeMap;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::component::Component;
use super::line::Line;
use super::time::WrittenTime;

/// The time zones of a calendar.
#[derive(Debug)]
pub(super) struct Zones {
    defined: BTreeMap<String, Option<TimeZone>>,
    /// What times in UTC are meant for: calendars of which all times are in UTC say it so.
    of_utc: Option<TimeZone>,
}

/// A zone that nobody knows.
#[derive(Debug)]
pub(super) struct UnknownZone(pub(super) String);

impl Zones {
    /// Returns the zones that a calendar names.
    pub(super) fn of(calendar: &Component) -> Zones {
        let zones = calendar.inner.iter().filter(|component| component.name == "VTIMEZONE");
        let defined = zones.map(|zone| (zone.text("TZID").to_owned(), defined(zone))).collect();
        let of_utc = calendar.line("X-WR-TIMEZONE").and_then(|line| by_name(&line.text));
        Zones { defined, of_utc }
    }

    /// Returns the zone of a line's times; `Ok(None)` where it names none.
    pub(super) fn of_line(&self, line: &Line) -> Result<Option<TimeZone>, UnknownZone> {
        let Some(name) = line.parameter("TZID") else { return Ok(None) };
        let defined = || match self.defined.get(name) {
            Some(zone) => zone.clone(),
            // The only one that it defines can't be another one, however its name is spelled there.
            None if self.defined.len() == 1 => self.defined.values().next().cloned().flatten(),
            None => None,
        };
        let known = by_name(name).or_else(defined);
        known.map(Some).ok_or_else(|| UnknownZone(name.to_owned()))
    }

    /// Returns a time in UTC as one of the zone that it's meant for.
    pub(super) fn meant(&self, time: WrittenTime) -> WrittenTime {
        match (&time.zone, &self.of_utc) {
            (Some(zone), Some(meant)) if *zone == TimeZone::UTC => {
                WrittenTime { local: time.local_in(Some(meant)), zone: Some(meant.clone()), ..time }
            }
            _ => time,
        }
    }
}

/// Returns the zone of an IANA name, which programs write after a path of their own: `/mozilla.org/20050126_1/Europe/Berlin`.
fn by_name(name: &str) -> Option<TimeZone> {
    let zones = TimeZoneDatabase::bundled();
    let mut rest = name.trim();
    loop {
        if let Ok(zone) = zones.get(rest) {
            return Some(zone);
        }
        rest = rest.split_once('/')?.1;
    }
}

/// Returns the zone that a file defines itself.
fn defined(zone: &Component) -> Option<TimeZone> {
    if let Some(known) = zone.line("X-LIC-LOCATION").and_then(|line| by_name(&line.text)) {
        return Some(known);
    }
    let last = |name: &str| {
        let parts = zone.inner.iter().filter(|part| part.name == name);
        parts.max_by_key(|part| part.line("DTSTART").map(|line| line.raw.clone()).unwrap_or_default())
    };
    let standard = last("STANDARD").or_else(|| last("DAYLIGHT"))?;
    let offset = offset_of(standard)?;
    let summer = last("DAYLIGHT").and_then(|part| Some((offset_of(part)?, change_of(part)?)));
    let (Some((summer, to_summer)), Some(to_standard)) = (summer, change_of(standard)) else {
        return Some(TimeZone::fixed(Offset::from_seconds(offset).ok()?));
    };
    // In POSIX, what is east of Greenwich is negative.
    let shown = |seconds: i32| {
        let (sign, seconds) = if seconds > 0 { ("-", seconds) } else { ("", -seconds) };
        format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    TimeZone::posix(&format!("<STD>{}<SUM>{},{to_summer},{to_standard}", shown(offset), shown(summer))).ok()
}

/// Returns how far clocks are before Greenwich, in seconds.
fn offset_of(part: &Component) -> Option<i32> {
    let text = part.text("TZOFFSETTO").trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = |at: usize| digits.get(at..at + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    Some(sign * (number(0)? * 3600 + number(2)? * 60 + number(4)?))
}

/// Returns when clocks change, as POSIX writes it: `M3.5.0/2`.
fn change_of(part: &Component) -> Option<String> {
    let rule = &part.line("RRULE")?.raw;
    let of_rule = |key: &str| rule.split(';').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let day = of_rule("BYDAY")?;
    let (which, day) = day.split_at_checked(day.len().checked_sub(2)?)?;
    let weekday = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"].iter().position(|known| *known == day)?;
    let week = match which {
        "" => (of_rule("BYMONTHDAY")?.split(',').next()?.parse::<i32>().ok()? + 6) / 7,
        "-1" => 5,
        week => week.parse().ok().filter(|week| (1..=5).contains(week))?,
    };
    let start = WrittenTime::parse(&part.line("DTSTART")?.raw, None)?.local;
    let month: i8 = match of_rule("BYMONTH") {
        Some(month) => month.parse().ok()?,
        None => start.month(),
    };
    Some(format!("M{month}.{week}.{weekday}/{}:{:02}:{:02}", start.hour(), start.minute(), start.second()))
}

#[cfg(test)]
mod tests {
    use super::super::component_tree;
    use super::*;
    use crate::lang::diagnostic::findings::Findings;
    use crate::lang::text::FileText;

    fn zone_of(text: &str) -> Option<TimeZone> {
        let text = FileText::new("x.ics".into(), format!("BEGIN:VCALENDAR\n{text}END:VCALENDAR\n").into());
        let calendars = component_tree::read(&text, &mut Findings::new("x.ics".into()));
        defined(&calendars[0].inner[0])
    }

    #[test]
    fn a_zone_that_the_file_defines_changes_its_clock_as_it_says() {
        let zone = zone_of(
            "BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
             TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
             BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
             RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n",
        );
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for local in
            ["2024-01-01T12:00", "2024-07-01T12:00", "2024-10-27T01:30", "2031-03-30T01:59", "2031-03-30T03:00"]
        {
            let local = local.parse().unwrap();
            assert_eq!(zone.clone().unwrap().to_timestamp(local).ok(), berlin.to_timestamp(local).ok(), "{local}");
        }
    }

    #[test]
    fn a_zone_without_summer_time_has_one_offset() {
        let zone = zone_of(
            "BEGIN:VTIMEZONE\nTZID:India Standard Time\nBEGIN:STANDARD\nDTSTART:16010101T000000\n\
             TZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n",
        );
        assert_eq!(zone, Some(TimeZone::fixed(Offset::from_seconds(19_800).unwrap())));
    }

    #[test]
    fn a_name_may_stand_after_the_path_of_its_program() {
        let berlin = TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        assert_eq!(by_name("/freeassociation.sourceforge.net/Europe/Berlin"), Some(berlin));
        assert_eq!(by_name("Nowhere/Town"), None);
    }
}
