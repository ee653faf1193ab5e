//! What may be found: what no home should do.

use std::fmt;

use crate::engine::{Alert, AlertKind};
use crate::model::{RuleId, Topic};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// An invariant is broken.
    Broken {
        /// Which one.
        invariant: String,
        /// Why.
        why: String,
    },
    /// Rules set each other off without end.
    Loop(RuleId),
    /// A rule failed.
    Failed {
        /// Which one.
        rule: RuleId,
        /// Why.
        why: String,
    },
    /// A device is commanded again and again, without a word from outside.
    Commanded {
        /// The topic of its commands.
        topic: Topic,
        /// A rule that does so.
        rule: RuleId,
    },
    /// After a restart, rules do something else than without it.
    Differs {
        /// What they did without it, and what with it.
        how: String,
        /// Which entry of the journal the restart is.
        at: usize,
    },
    /// The program itself failed.
    Panic(String),
}

impl Finding {
    /// Returns what an alert tells of, if it's something that no home should do.
    pub(super) fn of(alert: &Alert) -> Option<Finding> {
        match alert.kind {
            AlertKind::LoopDetected => alert.rule.clone().map(Finding::Loop),
            AlertKind::RuleFailed => {
                let rule = alert.rule.clone()?;
                Some(Finding::Failed { rule, why: alert.message.clone() })
            }
            AlertKind::InvariantBroken => {
                let invariant = alert.invariant.as_ref()?.to_string();
                Some(Finding::Broken { invariant, why: alert.message.clone() })
            }
            _ => None,
        }
    }

    /// Returns whether both are the same mistake, perhaps found in different ways.
    #[must_use]
    pub fn is_like(&self, other: &Finding) -> bool {
        match (self, other) {
            (Finding::Failed { rule: one, .. }, Finding::Failed { rule: other, .. })
            | (Finding::Loop(one), Finding::Loop(other)) => one.maker() == other.maker(),
            (Finding::Broken { invariant: one, .. }, Finding::Broken { invariant: other, .. }) => one == other,
            (Finding::Commanded { topic: one, .. }, Finding::Commanded { topic: other, .. }) => one == other,
            (Finding::Differs { .. }, Finding::Differs { .. }) | (Finding::Panic(_), Finding::Panic(_)) => true,
            _ => false,
        }
    }

    /// Returns a short name for files: of letters, digits and `-`.
    #[must_use]
    pub fn slug(&self) -> String {
        let text = match self {
            Finding::Broken { invariant, .. } => format!("broken-{invariant}"),
            Finding::Loop(rule) => format!("loop-{rule}"),
            Finding::Failed { rule, .. } => format!("failed-{rule}"),
            Finding::Commanded { topic, .. } => format!("commanded-{topic}"),
            Finding::Differs { .. } => "restart".to_owned(),
            Finding::Panic(_) => "panic".to_owned(),
        };
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
        let text: String = text.chars().map(plain).collect();
        let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
        words.join("-").to_ascii_lowercase()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Broken { invariant, why } => write!(f, "the invariant `{invariant}` is broken: {why}"),
            Finding::Loop(rule) => write!(f, "the rule `{rule}` and what it sets off never end"),
            Finding::Failed { rule, why } => write!(f, "the rule `{rule}` fails: {why}"),
            Finding::Commanded { topic, rule } => {
                write!(f, "`{topic}` is commanded again and again, by `{rule}` too, though nothing comes from outside")
            }
            Finding::Differs { how, .. } => write!(f, "a restart makes a difference: {how}"),
            Finding::Panic(message) => write!(f, "homerule itself fails: {message}"),
        }
    }
}
