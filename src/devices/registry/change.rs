//! What became of the devices when a message told of them.

use std::sync::Arc;

use crate::devices::device::DeviceId;

/// What became of the devices.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A device is known now.
    Added(DeviceId),
    /// A device is told of in another way: its name, area, properties or topics.
    Changed {
        /// The device.
        id: DeviceId,
        /// What it was called before, where it was called otherwise.
        old_name: Option<Arc<str>>,
        /// The properties that it no longer has.
        lost: Vec<Arc<str>>,
    },
    /// A device is no longer told of.
    Removed {
        /// The device.
        id: DeviceId,
        /// What it was called.
        name: Arc<str>,
    },
    /// Something can't be read; told once, until it changes.
    Faulty(Fault),
}

/// Something that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The device's id; where no device is known, the topic.
    pub about: Arc<str>,
    /// What is wrong.
    pub text: Arc<str>,
}
