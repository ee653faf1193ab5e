//! Devices by name: what messages say of them, what rules ask of them, and whether they do it (docs/devices.md).
//!
//! What a device last said of a property is the state of a topic of the engine's own (`$device/Hall lamp/on`): so triggers,
//! conditions and expressions follow it as they follow any topic.

pub(crate) mod confirm;
pub(crate) mod confirming;
pub(crate) mod devices;
pub(crate) mod follow;
pub(crate) mod hear;
pub(crate) mod known;
pub(crate) mod release;
pub(crate) mod set;
pub(crate) mod target;
