//! What a command to devices came to.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::Value;

/// What a command to devices came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStep {
    /// A device was commanded; the messages follow.
    Commanded {
        /// The device.
        device: Arc<str>,
        /// The properties and what they are to be: a map.
        values: Value,
    },
    /// `if_changed` left it out: the device says so already.
    Unchanged {
        /// The device.
        device: Arc<str>,
        /// The properties and what they are: a map.
        values: Value,
    },
    /// No device fits.
    Nobody,
    /// All has been said that was wanted.
    Confirmed {
        /// How often it was asked.
        asked: u32,
    },
    /// What is missing was sent again.
    Again {
        /// What is missing.
        missing: Vec<Missing>,
        /// How often it may be sent again.
        left: u32,
    },
    /// A newer command has taken its place.
    Superseded {
        /// Of what.
        of: Arc<str>,
    },
}

/// Something that was wanted and hasn't been said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// Of what: a property of a device, or a topic.
    pub of: Arc<str>,
    /// What was wanted: one of these.
    pub wanted: Vec<Value>,
    /// What was said instead; `None`: nothing.
    pub said: Option<Value>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted: Vec<String> = self.wanted.iter().map(ToString::to_string).collect();
        write!(f, "`{}` should be {}, and ", self.of, wanted.join(" or "))?;
        match &self.said {
            Some(said) => write!(f, "says {said}"),
            None => f.write_str("says nothing"),
        }
    }
}
