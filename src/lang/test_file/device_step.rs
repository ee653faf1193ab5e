//! Steps and expectations of tests that name devices and inputs.

use std::sync::Arc;

use crate::model::{Map, Name, Value};

/// A device speaks, in its own encoding and on its own topics.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceSays {
    /// Its name.
    pub device: Arc<str>,
    /// What it says of its properties.
    pub says: Map,
    /// Whether it can be reached, where that is said.
    pub available: Option<bool>,
}

/// Somebody sets inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct InputStep(pub Vec<(Name, Value)>);

/// What a device must have been told.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedSet {
    /// Its name.
    pub device: Arc<str>,
    /// The properties and what they must be.
    pub values: Map,
}

/// Which devices do what they are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Obeying {
    /// None: they say what steps say.
    #[default]
    None,
    /// All.
    All,
    /// These.
    Some(Vec<Arc<str>>),
}
