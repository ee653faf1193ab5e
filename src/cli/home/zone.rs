//! The zone in which a home's times of day are read.

use jiff::tz::TimeZone;

use crate::cli::Failure;
use crate::daemon::system_zone;
use crate::lang::Settings;

/// Returns the zone of a home: that of its settings, or else the system's.
///
/// # Errors
/// When the settings name none, and `TZ` one that nobody knows.
pub(in crate::cli) fn zone_of(settings: &Settings) -> Result<TimeZone, Failure> {
    let named = settings.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
    named.map_or_else(|| system_zone().map_err(Failure::new), Ok)
}
