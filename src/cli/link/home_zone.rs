//! The home's time zone: the times of an answer are written in it, wherever they are read.

use jiff::{Timestamp, tz::TimeZone};

/// The home's time zone.
#[derive(Debug, Clone)]
pub(in crate::cli) struct HomeZone(TimeZone);

impl HomeZone {
    /// Returns the zone that the daemon names; where it names none, it is this machine's.
    pub(in crate::cli) fn new(name: Option<&str>) -> HomeZone {
        let named = name.and_then(|name| TimeZone::get(name).ok());
        HomeZone(named.or_else(|| TimeZone::try_system().ok()).unwrap_or(TimeZone::UTC))
    }

    /// Returns an instant, which an answer writes, as the home's local time.
    pub(in crate::cli) fn local(&self, instant: &str) -> String {
        let instant: Option<Timestamp> = instant.parse().ok();
        let local = instant.map(|instant| instant.to_zoned(self.0.clone()));
        local.map_or(String::new(), |local| local.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// Returns an instant as local time to the millisecond, without the day if that is the day of `start`.
    pub(in crate::cli) fn local_since(&self, instant: &str, start: &str) -> String {
        let local = |text: &str| Some(text.parse::<Timestamp>().ok()?.to_zoned(self.0.clone()));
        let Some((instant, start)) = local(instant).zip(local(start)) else { return String::new() };
        let format = if instant.date() == start.date() { "%H:%M:%S.%3f" } else { "%Y-%m-%d %H:%M:%S.%3f" };
        instant.strftime(format).to_string()
    }

    /// Returns what names the zone, below an answer.
    pub(in crate::cli) fn note(&self) -> String {
        format!("(times are those of {})", self.0.iana_name().unwrap_or("this machine"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_the_zone_that_the_daemon_names() {
        let zone = HomeZone::new(Some("Asia/Kolkata"));
        assert_eq!(zone.local("2024-06-01T20:00:00.5Z"), "2024-06-02 01:30:00");
        let since = |instant| zone.local_since(instant, "2024-06-01T20:00:00Z");
        assert_eq!(since("2024-06-01T20:00:00.5Z"), "01:30:00.500");
        assert_eq!(since("2024-06-02T20:00:00Z"), "2024-06-03 01:30:00.000");
        assert_eq!(zone.note(), "(times are those of Asia/Kolkata)");
        assert_eq!(HomeZone::new(Some("Nowhere/At_All")).local("no time"), "");
    }
}
