//! The home's time zone and place on earth: what local times and the sun depend on.

use jiff::tz::TimeZone;

/// A place on earth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Location {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

/// The home's time zone and place on earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The zone of local times.
    pub zone: TimeZone,
    /// Where the sun is seen from; `None` where the settings don't say.
    pub location: Option<Location>,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { zone: TimeZone::UTC, location: None }
    }
}
