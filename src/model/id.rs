//! Names of rules and of variables.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A variable's name.
pub type Name = Arc<str>;

/// A rule's full id: its file's path under `rules/` without the ending, its key, and, for an instance
/// made by `each`, the instance's values: `living/tv:dim-lights`, `motion:light[hall]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// Returns the id of the rule `key` in the file `file` (a path under `rules/`, without its ending).
    #[must_use]
    pub fn new(file: &str, key: &str) -> RuleId {
        RuleId(format!("{file}:{key}").into())
    }

    /// Returns the id of this rule's instance `instance`: `light` and `hall` give `light[hall]`.
    #[must_use]
    pub fn instance(&self, instance: &str) -> RuleId {
        RuleId(format!("{}[{instance}]", self.0).into())
    }

    /// Returns the id whose text is `text`, as it was written by [`RuleId`]'s `Display`.
    #[must_use]
    pub fn from_text(text: &str) -> RuleId {
        RuleId(text.into())
    }

    /// Returns the id without the instance: what made this rule, or itself.
    #[must_use]
    pub fn maker(&self) -> RuleId {
        self.0.split_once('[').map_or_else(|| self.clone(), |(maker, _)| RuleId(maker.into()))
    }

    /// Returns whether this is the rule whose id is `rule`, or an instance of it.
    #[must_use]
    pub fn belongs_to(&self, rule: &str) -> bool {
        self.0.strip_prefix(rule).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
    }

    /// Returns the whole id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of the rule's file under `rules/`, without its ending.
    #[must_use]
    pub fn file(&self) -> &str {
        self.0.split_once(':').map_or("", |(file, _)| file)
    }

    /// Returns the key with the instance, where there is one: all that follows the file.
    #[must_use]
    pub fn key(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, key)| key)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_belongs_to_its_rule_and_not_to_one_with_a_shorter_name() {
        let light = RuleId::new("hall", "light");
        assert!(light.belongs_to("hall:light"));
        assert!(light.instance("attic").belongs_to("hall:light"));
        assert!(!RuleId::new("hall", "lights").belongs_to("hall:light"));
        assert!(!light.belongs_to("hall:light[attic]"));
    }
}
