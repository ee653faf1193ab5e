//! Which devices are meant: by area, kind, or what they have.

use std::sync::Arc;

use crate::devices::device::Device;
use crate::devices::device::kind::Kind;

/// Which devices are meant; all that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// The area that they are in.
    pub area: Option<Arc<str>>,
    /// What sort of thing they are.
    pub kind: Option<Kind>,
    /// The properties that they have.
    pub has: Vec<Arc<str>>,
}

impl Selector {
    /// Returns whether the device is meant.
    #[must_use]
    pub fn matches(&self, device: &Device) -> bool {
        self.area.as_deref().is_none_or(|area| device.area.as_deref() == Some(area))
            && self.kind.is_none_or(|kind| kind == device.kind)
            && self.has.iter().all(|name| device.has(name))
    }
}
