//! The names that an expression may read beside functions.

use std::collections::BTreeSet;

use crate::model::Name;

/// The variables that each expression may read (docs/language/expressions.md). They can't be names of wildcards or variables.
pub const BUILT_IN_VARIABLES: [&str; 18] = [
    "topic", "payload", "msg", "qos", "retained", "origin", "captures", "old", "value", "trigger", "memory", "now",
    "sun", "wait", "repeat", "http", "inputs", "event",
];

/// The built-in variables that only some actions and triggers set, with the words of these.
pub const SET_BY_WORDS: [(&str, &[&str]); 4] =
    [("wait", &["wait"]), ("repeat", &["repeat"]), ("http", &["http", "exec"]), (EVENT, &["calendar"])];

/// The one of them that a rule's own variable or wildcard may hide.
pub const EVENT: &str = "event";

/// The properties of built-in variables that always have the same ones (docs/language/expressions.md).
pub(in crate::script) const PROPERTIES: [(&str, &[&str]); 5] = [
    (
        "now",
        &[
            "hour", "minute", "second", "day", "month", "year", "unix", "week", "yearday", "days", "weekday", "date",
            "time",
        ],
    ),
    ("sun", &["up", "elevation", "azimuth", "sunrise", "sunset"]),
    ("trigger", &["id", "client", "rule", "invariant", "captures", "parts"]),
    ("repeat", &["index", "item"]),
    (EVENT, &["summary", "start", "end", "location", "description", "all_day"]),
];

/// The variables that an expression may read: the built-in ones and those of its rule.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Names of wildcards, `let`, `each` and `with`.
    pub variables: BTreeSet<Name>,
    /// Those among them that hold texts whatever happens: names of wildcards that nothing else sets.
    pub texts: BTreeSet<Name>,
    /// Those of [`SET_BY_WORDS`] that nothing in the rule sets.
    pub unset: BTreeSet<&'static str>,
    /// Whether no message starts the rule, so that those of [`SET_BY_A_MESSAGE`] have no value.
    pub no_message: bool,
}

/// The built-in variables that the message has which starts a rule.
pub(in crate::script) const SET_BY_A_MESSAGE: [&str; 8] =
    ["topic", "payload", "msg", "qos", "retained", "captures", "old", "value"];

impl Names {
    /// Returns whether an expression may read the variable `name`.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let is_unset = self.unset.contains(name) || self.no_message && SET_BY_A_MESSAGE.contains(&name);
        BUILT_IN_VARIABLES.contains(&name) && !is_unset || self.variables.contains(name)
    }
}
