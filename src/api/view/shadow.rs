//! What rules in the shadow decided otherwise, as programs read it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::Finding;
use crate::lang::Compare;
use crate::model::format_duration;
use crate::sim::{By, Said, Shadow, ShadowDifference, Tally};

/// What rules in the shadow decided, beside those in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Shadow, example = json!({
    "since": "2024-06-01T18:00:00Z", "decided": 120, "agreed": 119,
    "differences": [{
        "at": "2024-06-01T18:10:00Z", "rule": "hall:light", "topic": "home/hall/light/set", "here": "ON", "there": null,
        "here_by": "rule hall:light", "there_by": null, "here_retain": false, "there_retain": null,
        "why": { "here": ["20:10:00 hall:light, by `home/hall/motion`: finished"], "there": ["20:10:00 hall:light, by `home/hall/motion`: did not run: its condition is false"] }
    }],
    "by_rule": [{ "rule": "hall:light", "since": "2024-06-01T18:00:00Z", "decided": 120, "agreed": 119, "failed": 0, "failure": null }],
    "rules": "../new-rules", "compare": "own", "window": "1s", "undecided": 0, "missed": 0, "stopped": null, "diagnostics": [], "stale": []
}))]
pub struct ShadowAnswer {
    /// Since when it is counted.
    pub since: Timestamp,
    /// How often something was decided, by either side.
    pub decided: u64,
    /// How often both decided the same.
    pub agreed: u64,
    /// What differed, the newest first. Of many, the last ones.
    pub differences: Vec<ShadowDifferenceAnswer>,
    /// The score of each rule.
    pub by_rule: Vec<ShadowRule>,
    /// The folder of the rules in the shadow, relative to the home.
    pub rules: String,
    /// `own` or `live`.
    pub compare: String,
    /// How far apart two decisions may be that are the same.
    pub window: String,
    /// How many decisions of the last moments may still find their like.
    pub undecided: usize,
    /// How much the rules in the shadow weren't told, since they didn't keep up.
    pub missed: u64,
    /// Why they don't run any more; `null`: they do.
    pub stopped: Option<String>,
    /// What is wrong with their files.
    #[schema(value_type = Vec<Finding>)]
    pub diagnostics: Vec<Finding>,
    /// The files that aren't in the shadow as they are on the disk.
    pub stale: Vec<String>,
}

/// Something that differed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ShadowDifference)]
pub struct ShadowDifferenceAnswer {
    /// When.
    pub at: Timestamp,
    /// The rule: that in the shadow, where one decided something there.
    #[schema(example = "hall:light")]
    pub rule: String,
    /// The topic; of a request its method and URL, of a program `exec` and its name.
    #[schema(example = "home/hall/light/set")]
    pub topic: String,
    /// What was published here, as a value; `null`: nothing.
    pub here: Value,
    /// What would have been there.
    pub there: Value,
    /// Who published it here: `rule ID`, `client ID` or `somebody`; `null`: nobody.
    pub here_by: Option<String>,
    /// And there.
    pub there_by: Option<String>,
    /// Whether it was retained here; `null`: nothing was published.
    pub here_retain: Option<bool>,
    /// And there.
    pub there_retain: Option<bool>,
    /// Why.
    pub why: ShadowWhy,
}

/// Why each side did what it did, or didn't: in lines for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowWhy {
    /// Here.
    pub here: Vec<String>,
    /// There.
    pub there: Vec<String>,
}

/// The score of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowRule {
    /// The rule.
    #[schema(example = "hall:light")]
    pub rule: String,
    /// Since when it is counted: since then it's as it is, on both sides.
    pub since: Timestamp,
    /// How often something was decided, by either side.
    pub decided: u64,
    /// How often both decided the same.
    pub agreed: u64,
    /// How often it failed in the shadow.
    pub failed: u64,
    /// Why it last did.
    pub failure: Option<String>,
}

impl ShadowAnswer {
    /// Returns what `shadow` found. `rules`, `compare` and `window` say which rules those are, and how they are compared.
    #[must_use]
    pub fn new(rules: &str, compare: Compare, window: Duration, shadow: &Shadow) -> ShadowAnswer {
        let score = shadow.score();
        let (decided, agreed) = score.totals();
        ShadowAnswer {
            since: score.since,
            decided,
            agreed,
            differences: score.differences.iter().rev().map(ShadowDifferenceAnswer::new).collect(),
            by_rule: score.rules.iter().map(|(rule, tally)| ShadowRule::new(rule.as_str(), tally)).collect(),
            rules: rules.to_owned(),
            compare: compare.word().to_owned(),
            window: format_duration(window),
            undecided: shadow.undecided(),
            missed: 0,
            stopped: None,
            diagnostics: Vec::new(),
            stale: Vec::new(),
        }
    }
}

impl ShadowDifferenceAnswer {
    fn new(difference: &ShadowDifference) -> ShadowDifferenceAnswer {
        let value = |said: &Option<Said>| said.as_ref().map_or(Value::Null, value_of);
        let by = |said: &Option<Said>| {
            Some(match &said.as_ref()?.by {
                By::Rule(rule, _) => format!("rule {rule}"),
                By::Client(client) => format!("client {client}"),
                By::Somebody => "somebody".to_owned(),
            })
        };
        let retain = |said: &Option<Said>| said.as_ref().map(|said| said.retain);
        ShadowDifferenceAnswer {
            at: difference.at,
            rule: difference.rule.to_string(),
            topic: difference.topic.to_string(),
            here: value(&difference.here),
            there: value(&difference.there),
            here_by: by(&difference.here),
            there_by: by(&difference.there),
            here_retain: retain(&difference.here),
            there_retain: retain(&difference.there),
            why: ShadowWhy { here: difference.why_here.clone(), there: difference.why_there.clone() },
        }
    }
}

/// Returns a payload as a value: an empty one, which clears, as an empty text.
fn value_of(said: &Said) -> Value {
    match &said.payload {
        None => Value::from("(too long to be kept)"),
        Some(payload) if payload.is_empty() => Value::from(""),
        Some(payload) => payload.value().to_json(),
    }
}

impl ShadowRule {
    fn new(rule: &str, tally: &Tally) -> ShadowRule {
        ShadowRule {
            rule: rule.to_owned(),
            since: tally.since,
            decided: tally.decided,
            agreed: tally.agreed,
            failed: tally.failed,
            failure: tally.failure.clone(),
        }
    }
}
