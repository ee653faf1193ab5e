//! How times are written on a page: in the home's zone, as short as one understands them, with how long ago that is.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

/// When a page is made, and where.
#[derive(Debug, Clone)]
pub struct Look {
    /// Now.
    pub now: Timestamp,
    /// The home's zone.
    pub zone: TimeZone,
    /// Whether rules run in the shadow of those in force.
    pub has_shadow: bool,
}

impl Look {
    /// Returns a time: `20:10:00` today, `30 Nov 20:10` on another day; all of it where the pointer rests.
    pub(super) fn time(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at.to_string()) title=(self.full(at)) { (self.short(at)) } }
    }

    /// Returns how long ago a time is; the page counts on.
    pub(super) fn age(&self, at: Timestamp) -> Markup {
        html! { span.age data-age=(at.to_string()) title=(self.full(at)) { (age_text(self.now.duration_since(at))) } }
    }

    /// Returns a time with how long ago it is.
    pub(super) fn when(&self, at: Timestamp) -> Markup {
        html! { (self.time(at)) ", " (self.age(at)) }
    }

    /// Returns the time of day, to the second.
    pub(super) fn clock(&self) -> String {
        self.now.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Returns how long it is until a time; the page counts down.
    pub(super) fn countdown(&self, until: Timestamp) -> Markup {
        let left = until.duration_since(self.now);
        html! { span.age data-until=(until.to_string()) title=(self.full(until)) { (left_text(left)) } }
    }

    /// Returns a time as text, as short as one understands it.
    pub(super) fn short(&self, at: Timestamp) -> String {
        let (local, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let format = if local.date() == now.date() {
            "%H:%M:%S"
        } else if local.year() == now.year() {
            "%-d %b %H:%M"
        } else {
            "%-d %b %Y %H:%M"
        };
        local.strftime(format).to_string()
    }

    /// Returns all of a time as text.
    pub(super) fn full(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%A, %-d %B %Y, %H:%M:%S %Z").to_string()
    }

    /// Returns a time as a field of a form takes it.
    pub(super) fn for_field(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

/// Returns how long ago something is: `just now`, `42 s ago`, `3 h ago`. `time.js` counts on in the same words.
pub(super) fn age_text(age: SignedDuration) -> String {
    match age.as_secs() {
        ..2 => "just now".to_owned(),
        _ => format!("{} ago", rough(age)),
    }
}

/// Returns how long something lasts still: `in 42 s`, `due`.
pub(super) fn left_text(left: SignedDuration) -> String {
    if left.as_secs() < 1 { "due".to_owned() } else { format!("in {}", exact(left)) }
}

/// Returns a length in its largest unit.
pub(super) fn rough(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Returns a length in its two largest units.
pub(super) fn exact(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let two = |large: i64, unit: &str, small: i64, of: &str| {
        if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {of}") }
    };
    match seconds {
        0 => format!("{} ms", length.as_millis().max(0)),
        1..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        let now = "2024-06-01T18:10:00Z".parse().unwrap();
        Look { now, zone: TimeZone::get("Europe/Berlin").unwrap(), has_shadow: false }
    }

    #[test]
    fn a_time_is_written_in_the_zone_of_the_home() {
        let look = look();
        let short = |at: &str| look.short(at.parse().unwrap());
        assert_eq!(short("2024-06-01T18:09:30Z"), "20:09:30");
        assert_eq!(short("2024-05-31T21:59:59Z"), "31 May 23:59");
        assert_eq!(short("2023-12-31T23:30:00Z"), "1 Jan 00:30");
        assert_eq!(short("2023-12-31T22:30:00Z"), "31 Dec 2023 23:30");
        let markup = look.when("2024-06-01T18:05:00Z".parse().unwrap()).into_string();
        assert!(markup.contains("title=\"Saturday, 1 June 2024, 20:05:00 CEST\""), "{markup}");
        assert!(markup.contains(">5 min ago<"), "{markup}");
    }

    #[test]
    fn lengths_are_told_in_units_that_one_reads() {
        let told = |seconds: i64| exact(SignedDuration::from_secs(seconds));
        let texts: Vec<String> = [1, 60, 61, 3600, 3660, 90_000, 86_400].into_iter().map(told).collect();
        assert_eq!(texts, ["1 s", "1 min", "1 min 1 s", "1 h", "1 h 1 min", "1 d 1 h", "1 d"]);
        assert_eq!(left_text(SignedDuration::from_millis(300)), "due");
        assert_eq!(age_text(SignedDuration::from_hours(30)), "30 h ago");
    }
}
