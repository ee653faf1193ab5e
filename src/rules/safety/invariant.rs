//! Invariants: what must never happen in a home, whatever its rules do (docs/safety.md).

use std::time::Duration;

use crate::model::RuleId;

use crate::rules::Condition;

/// What a home must keep to. It stands in a [`crate::rules::Rule`] without actions, whose triggers, variables and constants are its
/// own: so all that rules may wait for, it may.
#[derive(Debug, Clone)]
pub struct Invariant {
    /// Its full id, as people write it: `heating:off-with-open-window`.
    pub id: RuleId,
    /// What it demands.
    pub form: InvariantForm,
}

/// What the id of the rule has that carries an invariant, before its key: no rule has such a key.
const PREFIX: &str = "invariants/";

impl Invariant {
    /// Returns the id of the rule that carries the invariant `key` of the file `file`.
    #[must_use]
    pub fn carrier(file: &str, key: &str) -> RuleId {
        RuleId::new(file, &format!("{PREFIX}{key}"))
    }

    /// Returns the id of the invariant that the rule `carrier` carries.
    #[must_use]
    pub fn id_of(carrier: &RuleId) -> RuleId {
        let key = carrier.key();
        RuleId::new(carrier.file(), key.strip_prefix(PREFIX).unwrap_or(key))
    }
}

/// What an invariant demands.
#[derive(Debug, Clone)]
pub enum InvariantForm {
    /// That this is never true, or not for longer than `hold`.
    Never {
        /// What must not be true.
        condition: Condition,
        /// How long it may be.
        hold: Duration,
    },
    /// That something follows each firing of the rule's triggers.
    After {
        /// What must follow.
        expect: Expect,
        /// Within what time, its end included.
        within: Duration,
        /// How long it must hold from when it first does.
        throughout: Option<Duration>,
    },
    /// That this is true whenever something is published that the rule's triggers wait for.
    OnlyIf(Condition),
    /// That the rule's triggers don't fire too often, for each of their captures.
    AtMost {
        /// How often.
        most: usize,
        /// In what time, its end included.
        within: Duration,
    },
}

/// What must follow.
#[derive(Debug, Clone)]
pub enum Expect {
    /// That this becomes true, or is already.
    Condition(Condition),
    /// That one of the rule's triggers fires whose path begins with [`EXPECT`].
    Trigger,
}

/// How the paths of triggers begin that an invariant expects.
pub const EXPECT: &str = "expect";

impl InvariantForm {
    /// Returns the condition that it asks.
    #[must_use]
    pub fn condition(&self) -> Option<&Condition> {
        match self {
            InvariantForm::Never { condition, .. }
            | InvariantForm::After { expect: Expect::Condition(condition), .. }
            | InvariantForm::OnlyIf(condition) => Some(condition),
            InvariantForm::After { expect: Expect::Trigger, .. } | InvariantForm::AtMost { .. } => None,
        }
    }
}
