//! The system's time zone.

use jiff::tz::TimeZone;
use tracing::warn;

/// Returns the system's zone; UTC where it isn't known.
///
/// # Errors
/// When `TZ` names one that nobody knows, in words: that one isn't taken for UTC.
pub(crate) fn system_zone() -> Result<TimeZone, String> {
    let Err(error) = TimeZone::try_system() else { return Ok(TimeZone::system()) };
    match std::env::var("TZ").ok().filter(|name| !name.is_empty()) {
        Some(name) => Err(format!(
            "`TZ={name}` isn't a known time zone; write e.g. `TZ=Europe/Berlin`, or `location: {{ timezone: Europe/Berlin }}` in \
             homerule.yaml"
        )),
        None => {
            warn!("The system's time zone isn't known ({error}); times of day are UTC. `location.timezone` sets one.");
            Ok(TimeZone::UTC)
        }
    }
}
