//! Devices by name: what devices say of themselves, and how to speak to them (docs/devices.md).
//!
//! Messages come in, and what they say comes out as properties with one vocabulary's names, values and units; a command in
//! these words goes out as the messages that the device understands. Start with [`Registry`]; a source of devices is a
//! [driver](driver), in a file of its own.
//!
//! Pure: no clock, file, socket or hash order. Any payload is survived, and what can't be read is a diagnostic.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod announcement;
mod codec;
mod command;
mod device;
pub mod driver;
mod payload_limit;
mod registry;
mod settings;
mod template;
#[cfg(test)]
mod tests;

pub use announcement::{AnnouncedRule, Announcement, announced_on, object_of, taken_away};
pub use codec::Codec;
pub use codec::color::{Color, ColorForm};
pub use command::back::Since;
pub use command::encode::Publication;
pub use command::says::SayError;
pub use command::{Command, CommandError, CommandOptions};
pub use device::address::Address;
pub use device::kind::Kind;
pub use device::property::{Form, Holds, Property, Range, Read, Write};
pub use device::reader::{Extract, Reader};
pub use device::vocabulary::{Means, Word, word};
pub use device::{Availability, AvailabilityMode, Device, DeviceId, SaysAvailable, Source};
pub use payload_limit::PayloadLimit;
pub use registry::Registry;
pub use registry::change::{Change, Fault};
pub use registry::directory::Directory;
pub use registry::names::Found;
pub use registry::reading::{Reading, Readings};
pub use settings::{DeviceSettings, Discovery, Naming, OwnDevice, OwnProperty, OwnSet};
pub use template::{Template, TemplateError};
