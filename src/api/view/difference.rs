//! What two versions of the rules would have published, as programs read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::publication_line;
use crate::sim::{Divergence, Published};

/// What only one of two versions of the rules would have published.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "only_here": [{ "tst": "2024-06-01T18:09:00.000000Z", "topic": "home/hall/light/set", "qos": 1, "retain": 0, "payloadlen": 2, "payload": "ON", "rule": "hall:light" }],
    "only_there": [],
    "by_rule": { "hall:light": { "only_here": [{ "topic": "home/hall/light/set" }], "only_there": [] } },
    "messages": 1200, "left_out": 0, "failed": {}, "is_cut": false
}))]
pub struct Difference {
    /// What only the text that was sent would have published, as recording lines with `rule` and `cause`.
    pub only_here: Vec<Value>,
    /// What only the rules in force would have.
    pub only_there: Vec<Value>,
    /// The same by rule.
    pub by_rule: BTreeMap<String, RuleDifference>,
    /// How many messages were replayed.
    pub messages: u64,
    /// How much more differs than is told.
    pub left_out: usize,
    /// The rules whose runs failed only with the text that was sent, each with why.
    #[serde(default)]
    pub failed: BTreeMap<String, String>,
    /// Whether there was no time for all messages.
    #[serde(default)]
    pub is_cut: bool,
}

/// What differs in one rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleDifference {
    /// What only the text that was sent would have published.
    pub only_here: Vec<Value>,
    /// What only the rules in force would have.
    pub only_there: Vec<Value>,
}

impl Difference {
    /// Returns `divergence` as programs read it, at most `most` publications of each side.
    #[must_use]
    pub fn new(divergence: &Divergence, most: usize) -> Difference {
        let line = |published: &Published| {
            serde_json::to_value(publication_line(published.at, &published.publication)).unwrap_or_default()
        };
        let mut difference = Difference::default();
        for (published, is_here) in divergence
            .only_here
            .iter()
            .take(most)
            .map(|published| (published, true))
            .chain(divergence.only_there.iter().take(most).map(|published| (published, false)))
        {
            let line = line(published);
            let of_rule = difference.by_rule.entry(published.publication.rule.to_string()).or_default();
            let (all, of_rule) = if is_here {
                (&mut difference.only_here, &mut of_rule.only_here)
            } else {
                (&mut difference.only_there, &mut of_rule.only_there)
            };
            of_rule.push(line.clone());
            all.push(line);
        }
        difference.left_out =
            divergence.only_here.len().saturating_sub(most) + divergence.only_there.len().saturating_sub(most);
        difference
    }
}
