//! How times are written: in the home's zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// How times are written.
#[derive(Debug, Clone)]
pub struct LocalTime {
    zone: TimeZone,
    /// The day whose times are written without it, and to the millisecond; `None`: there is none.
    day: Option<Date>,
}

impl LocalTime {
    /// Writes the day and the time to the second: `2024-06-01 20:10:00`.
    #[must_use]
    pub fn new(zone: TimeZone) -> LocalTime {
        LocalTime { zone, day: None }
    }

    /// Writes times of the day of `start` without it, and parts of a second where there are some: `20:10:00`,
    /// `20:10:00.250`, `2024-06-02 07:00:00`.
    #[must_use]
    pub fn since(zone: TimeZone, start: Timestamp) -> LocalTime {
        let day = Some(start.to_zoned(zone.clone()).date());
        LocalTime { zone, day }
    }

    /// Returns `at` as it's written.
    #[must_use]
    pub fn text(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.zone.clone());
        let format = match self.day {
            None => "%Y-%m-%d %H:%M:%S",
            Some(day) => match (local.date() == day, local.millisecond() == 0) {
                (true, true) => "%H:%M:%S",
                (true, false) => "%H:%M:%S%.3f",
                (false, true) => "%Y-%m-%d %H:%M:%S",
                (false, false) => "%Y-%m-%d %H:%M:%S%.3f",
            },
        };
        local.strftime(format).to_string()
    }

    /// Returns `at` as a day of the week and a time of day: `Sat 20:10:00`.
    #[must_use]
    pub fn weekday(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%a %H:%M:%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_short_as_its_reader_understands_it() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at: Timestamp = "2024-06-01T18:10:00.250Z".parse().unwrap();
        let next_day: Timestamp = "2024-06-01T22:10:00Z".parse().unwrap();
        let dated = LocalTime::new(zone.clone());
        assert_eq!(dated.text(at), "2024-06-01 20:10:00");
        assert_eq!(dated.weekday(at), "Sat 20:10:00");
        let of_test = LocalTime::since(zone, at);
        assert_eq!(of_test.text(at), "20:10:00.250");
        assert_eq!(of_test.text(next_day), "2024-06-02 00:10:00");
    }
}
