//! `--since`: what the recorder of a home's daemon has of the last time.

use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::settings_file::read_settings;
use crate::cli::Failure;
use crate::cli::home::zone::zone_of;
use crate::disk::recorded::{RecordedSince, folder};
use crate::model::{parse_duration, parse_spoken_time};

/// What the recorder of a home's daemon has since a time.
pub(in crate::cli) struct Since {
    /// Where it is recorded.
    pub(in crate::cli) name: String,
    pub(in crate::cli) recorded: RecordedSince,
}

impl Since {
    /// Opens what the daemon of the home in `home` recorded since `since`: so long ago (`24h`), or a time (`20:10`).
    ///
    /// # Errors
    /// When `since` is neither, or nothing was ever recorded.
    pub(in crate::cli) fn open(home: &Path, since: &str) -> Result<Since, Failure> {
        let settings = read_settings(home)?;
        let zone = zone_of(&settings)?;
        let since = begin(since, Timestamp::now(), &zone)?;
        let folder = folder(home, &settings);
        let name = folder.display().to_string();
        let recorded = RecordedSince::open(&folder, since)
            .map_err(|error| Failure::new(format!("`{name}` can't be read: {error}")))?;
        let Some(recorded) = recorded else {
            return Err(Failure::new(match settings.recorder {
                Some(_) => {
                    format!("nothing is recorded in `{name}` yet: the daemon records while it runs (`homerule run`)")
                }
                None => format!(
                    "nothing is recorded in `{name}`: `recorder` is off in homerule.yaml; take that out, and the daemon records"
                ),
            }));
        };
        Ok(Since { name, recorded })
    }
}

/// Returns the instant that `text` means: so long before `now`, or a time as a person says it.
fn begin(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let wrong = match parse_duration(text) {
        Ok(back) => {
            let back = SignedDuration::try_from(back).unwrap_or(SignedDuration::MAX);
            return Ok(now.checked_sub(back).unwrap_or(Timestamp::MIN));
        }
        Err(error) => error,
    };
    // What begins as a date or a time of day was meant as one.
    parse_spoken_time(text, now, zone).ok_or_else(|| {
        if text.contains([':', '-']) {
            return Failure::new(format!("`{text}` isn't a valid time; write `24h`, `20:10` or `2024-06-01T20:10`"));
        }
        Failure::new(wrong.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begin_is_a_duration_back_or_a_time() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2024-06-01T10:00:00Z".parse().unwrap();
        let begin = |text: &str| match begin(text, now, &zone) {
            Ok(at) => at.to_string(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(begin("1h30m"), "2024-06-01T08:30:00Z");
        assert_eq!(begin("2024-05-31T20:10:00Z"), "2024-05-31T20:10:00Z");
        assert_eq!(begin("2024-05-31T20:10"), "2024-05-31T18:10:00Z");
        assert_eq!(begin("2024-05-31"), "2024-05-30T22:00:00Z");
        assert_eq!(begin("11:30"), "2024-06-01T09:30:00Z");
        assert_eq!(begin("20:10"), "2024-05-31T18:10:00Z", "of yesterday: it isn't evening yet");
        assert_eq!(begin("25:00"), "`25:00` isn't a valid time; write `24h`, `20:10` or `2024-06-01T20:10`");
        assert_eq!(begin("30"), "a duration needs a unit: use e.g. `30s`, `30m` or `30h`");
    }
}
