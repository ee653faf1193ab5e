//! The file of a rule, as programs read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Place;
use crate::rules::{Condition, ConditionKind, Rule, Start};

/// The file that a rule is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Source, example = json!({
    "file": "rules/hall.yaml", "line": 2, "text": "rules:\n  light:\n    when: home/hall/motion\n", "stale": false,
    "parts": [{ "path": "when", "line": 3, "column": 11 }], "end": null
}))]
pub struct SourceAnswer {
    /// Its path, relative to the home.
    #[schema(example = "rules/living/tv.yaml")]
    pub file: String,
    /// The line of the rule's key, from 1.
    pub line: u32,
    /// The file's text as it's in force.
    pub text: String,
    /// Whether the file says otherwise on the disk.
    #[serde(default)]
    pub stale: bool,
    /// Where the rule's parts are, by the paths that traces name.
    #[serde(default)]
    pub parts: Vec<SourcePart>,
    /// The line before which the rule ends; `null`: the end of the file.
    #[serde(default)]
    pub end: Option<u32>,
}

/// Where a part of a rule is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourcePart {
    /// Its path.
    #[schema(example = "then[0]")]
    pub path: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
}

impl SourceAnswer {
    /// Returns the text of a rule's file. The rule ends before the first of `others`, the places of rules, after it.
    #[must_use]
    pub fn new(rule: &Rule, text: String, others: impl Iterator<Item = Place>) -> SourceAnswer {
        let place = &rule.place;
        let later = others.filter(|other| other.file == place.file && other.line > place.line);
        SourceAnswer {
            file: place.file.to_string(),
            line: place.line,
            text,
            stale: false,
            parts: parts(rule),
            end: later.map(|other| other.line).min(),
        }
    }

    /// Returns the first and the last line of the rule.
    #[must_use]
    pub fn stretch(&self) -> (usize, usize) {
        let number = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
        let first = number(self.line);
        let end = self.end.map_or(usize::MAX, |end| number(end).saturating_sub(1));
        (first, end.max(first))
    }
}

fn parts(rule: &Rule) -> Vec<SourcePart> {
    let mut parts = Vec::new();
    let mut add = |path: &str, place: &Place| {
        if place.file == rule.place.file {
            parts.push(SourcePart { path: path.to_owned(), line: place.line, column: place.column });
        }
    };
    let mut conditions: Vec<&Condition> = rule.condition.iter().collect();
    if let Start::While(start) = &rule.start {
        conditions.push(&start.condition);
    }
    for trigger in rule.triggers() {
        add(&trigger.path, &trigger.place);
    }
    for action in rule.blocks.iter().flat_map(|block| &block.actions) {
        add(&action.path, &action.place);
        conditions.extend(action.kind.conditions());
        for trigger in action.kind.triggers() {
            add(&trigger.path, &trigger.place);
        }
    }
    while let Some(condition) = conditions.pop() {
        add(&condition.path, &condition.place);
        match &condition.kind {
            ConditionKind::All(inner) | ConditionKind::Any(inner) => conditions.extend(inner),
            ConditionKind::Not(inner) => conditions.push(inner),
            ConditionKind::Expression(_)
            | ConditionKind::State(_)
            | ConditionKind::Device(_)
            | ConditionKind::Time(_)
            | ConditionKind::Sun { .. } => {}
        }
    }
    parts
}
