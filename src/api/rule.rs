//! A rule as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::Doing;
use crate::rules::{Mode, Rule, RuleEntry};

/// A rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Rule)]
pub struct RuleAnswer {
    /// Its full id.
    #[schema(example = "living/tv:dim-lights")]
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Its mode.
    pub mode: String,
    /// Whether it only traces what it would do.
    pub dry_run: bool,
    /// Where it stands: `rules/tv.yaml:3:5`.
    pub place: String,
    /// Whether its file on the disk isn't in force, so that this is the rule of the last good version.
    #[serde(default)]
    pub stale: bool,
    /// What it is doing now.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({ "running_since": "2024-06-01T18:00:00Z", "waits_until": null, "holds_since": null, "lingers_until": null, "next_at": null }))]
    pub doing: Doing,
    /// Its last run that ended; `None`: none did.
    pub last_run: Option<LastRun>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastRun {
    /// When it began.
    pub at: Timestamp,
    /// `finished`, `stopped`, `cancelled` or `failed`.
    pub outcome: String,
    /// Why it failed; `None`: it didn't, or before the daemon's start.
    pub reason: Option<String>,
}

impl RuleAnswer {
    /// Returns the rule of `entry`, or what makes rules.
    #[must_use]
    pub fn new(entry: &RuleEntry, enabled: bool) -> RuleAnswer {
        match entry {
            RuleEntry::Rule(rule) => RuleAnswer::of(rule, enabled),
            RuleEntry::EachTopic(each) => RuleAnswer {
                id: each.id.to_string(),
                name: None,
                description: Some(format!("one rule for each topic of {}", each.filter)),
                tags: Vec::new(),
                enabled,
                mode: word(Mode::default()).to_owned(),
                dry_run: false,
                place: each.place.to_string(),
                stale: false,
                doing: Doing::default(),
                last_run: None,
            },
        }
    }

    /// Returns it with how its last run ended.
    #[must_use]
    pub fn with_last_run(self, last_run: Option<LastRun>) -> RuleAnswer {
        RuleAnswer { last_run, ..self }
    }

    /// Returns the answer of one rule.
    #[must_use]
    pub fn of(rule: &Rule, enabled: bool) -> RuleAnswer {
        RuleAnswer {
            id: rule.id.to_string(),
            name: rule.name.as_deref().map(ToOwned::to_owned),
            description: rule.description.as_deref().map(ToOwned::to_owned),
            tags: rule.tags.iter().map(ToString::to_string).collect(),
            enabled,
            mode: word(rule.mode).to_owned(),
            dry_run: rule.dry_run,
            place: rule.place.to_string(),
            stale: false,
            doing: Doing::default(),
            last_run: None,
        }
    }
}

fn word(mode: Mode) -> &'static str {
    Mode::ALL.iter().find(|(_, other)| *other == mode).map_or("restart", |(word, _)| word)
}
