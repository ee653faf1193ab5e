//! What `device("Hall lamp")` gives: a device, of which properties are read when they are asked for.

use std::sync::Arc;

use rhai::ImmutableString;

use super::known::KnownDevice;

/// A device that an expression asked for.
#[derive(Debug, Clone)]
pub(in crate::script) struct DeviceHandle {
    /// What it was asked for as.
    pub(in crate::script) asked: ImmutableString,
    /// The device; `None`: none is called so.
    pub(in crate::script) device: Option<Arc<KnownDevice>>,
}

impl DeviceHandle {
    /// Returns what means it.
    pub(in crate::script) fn label(&self) -> ImmutableString {
        match &self.device {
            Some(device) => ImmutableString::from(&*device.label),
            None => self.asked.clone(),
        }
    }
}
