//! The broker's core, with clients that speak in bytes.

mod bursts;
mod delivery;
mod greedy;
mod hostile;
pub(crate) mod house;
mod lifecycle;
mod limits;
mod protocol;
mod retained;
mod sessions;
mod wills;
pub(crate) mod wire;

use homerule::broker::packet::Version;

/// All versions.
const VERSIONS: [Version; 3] = [Version::V31, Version::V311, Version::V5];
