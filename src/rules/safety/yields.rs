//! `yields`: a rule steps back when a person, or anything but rules, decides otherwise (docs/safety.md).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{TopicFilter, ValuePath};

use crate::rules::Condition;

/// When a rule steps back, and for how long.
#[derive(Debug, Clone)]
pub struct Yields {
    /// How long; `None`: as long as `until` doesn't hold.
    pub hold: Option<Duration>,
    /// What ends it.
    pub until: Option<Condition>,
    /// The state topics that are watched, beside the properties of devices that the rule's `set` commands.
    pub to: Vec<Watched>,
    /// How long after a command a report may differ from it.
    pub grace: Duration,
    /// Whether the `else` of a `while` that became false meanwhile is left out.
    pub skips_else: bool,
    /// The keys of the payloads that the rule publishes, as far as they are written out: these are watched before anything was
    /// commanded.
    pub keys: BTreeSet<Arc<str>>,
}

/// A state topic that is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Which one.
    pub filter: TopicFilter,
    /// The values of its payload that matter; none: those that are commanded.
    pub fields: Vec<ValuePath>,
}
