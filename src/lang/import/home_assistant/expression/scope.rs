//! What a template can read: the home, the variables, and what triggered.

use std::collections::BTreeMap;

use super::written::Written;
use crate::lang::import::home_assistant::entities::{Codec, Home};
use crate::lang::import::home_assistant::jinja::{Expression, Part};
use crate::lang::import::home_assistant::yaml::Node;

/// What the templates of an automation or script can read.
#[derive(Clone)]
pub(in crate::lang::import::home_assistant) struct Scope<'a> {
    pub(in crate::lang::import::home_assistant) home: &'a Home,
    /// What may have triggered.
    pub(in crate::lang::import::home_assistant) fired: Vec<Fired>,
    /// The states that may trigger, if these are all known.
    pub(in crate::lang::import::home_assistant) words: Vec<String>,
    /// What the last `wait_for_trigger` waited for.
    pub(in crate::lang::import::home_assistant) awaited: Vec<Fired>,
    /// Variables by name; those that are only known at run time stand for themselves.
    pub(in crate::lang::import::home_assistant) variables: BTreeMap<String, Written>,
    /// Variables that are always the same, as they're written.
    pub(in crate::lang::import::home_assistant) constants: BTreeMap<String, Node>,
    /// The expression of the id of the trigger.
    pub(in crate::lang::import::home_assistant) trigger_id: String,
    /// The key of the rule.
    pub(in crate::lang::import::home_assistant) rule: String,
    /// Whether it's a script, whose unknown names are fields that the caller gives.
    pub(in crate::lang::import::home_assistant) is_script: bool,
    /// The names that callers give to the script.
    pub(in crate::lang::import::home_assistant) given: std::collections::BTreeSet<String>,
    /// What the innermost `repeat` goes through, if that is known.
    pub(in crate::lang::import::home_assistant) items: Vec<Node>,
    /// How many turns it makes, if that is known.
    pub(in crate::lang::import::home_assistant) turns: Option<usize>,
    /// Whether there is a `repeat` around it, and a `wait` before it.
    pub(in crate::lang::import::home_assistant) repeats: bool,
    pub(in crate::lang::import::home_assistant) waits: bool,
}

/// What stands for a text that isn't one of those that are known: nothing is called so.
pub(in crate::lang::import::home_assistant) const NOTHING: &str = "\u{fffe}";

/// A macro: its parameters with their defaults, and its body.
#[derive(Debug, Clone)]
pub(in crate::lang::import::home_assistant) struct Macro {
    pub(super) parameters: Vec<(String, Option<Expression>)>,
    pub(super) parts: Vec<Part>,
}

/// A trigger, as templates see it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Fired {
    pub(in crate::lang::import::home_assistant) kind: FiredKind,
    /// `state`, `mqtt`, …
    pub(in crate::lang::import::home_assistant) platform: String,
    /// The key by which it is told apart: a topic or a device's name.
    pub(in crate::lang::import::home_assistant) key: Option<FiredKey>,
    /// What is written of it.
    pub(in crate::lang::import::home_assistant) marks: Marks,
}

/// What is written of a trigger, so that it's known where it fired.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Marks {
    /// Its id here.
    pub(in crate::lang::import::home_assistant) id: Option<String>,
    /// Which of the triggers it is.
    pub(in crate::lang::import::home_assistant) index: usize,
    /// The values of `event`, `above`, `below` and `offset`, where these are fixed.
    pub(in crate::lang::import::home_assistant) values: BTreeMap<String, serde_json::Value>,
}

/// What tells which entity triggered.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum FiredKey {
    Topic(String),
    Device(String),
}

/// What kind of trigger it is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum FiredKind {
    /// The state of an entity, or an attribute of it.
    Entity {
        id: String,
        attribute: Option<String>,
        codec: Codec,
        is_bridged: bool,
        is_read_live: bool,
    },
    Mqtt,
    Event,
    Webhook,
    Other,
}

impl Scope<'_> {
    /// Returns the triggers that `root` (`trigger` or `wait.trigger`) may be.
    pub(super) fn triggers(&self, is_wait: bool) -> &[Fired] {
        if is_wait { &self.awaited } else { &self.fired }
    }
}
