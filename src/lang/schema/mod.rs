//! JSON Schema (draft 2020-12) of the YAML files that people write, for their editors: what may stand where.
//!
//! A test holds it against the keys and words that the decoders ask for: what one of both knows, the other must.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

#[cfg(test)]
pub(super) use tests::asked;

/// The definitions, by the part of the language that they describe.
const DEFINITIONS: [&str; 5] = [
    include_str!("common.json"),
    include_str!("rule_file.json"),
    include_str!("test_file.json"),
    include_str!("settings.json"),
    include_str!("devices.json"),
];

/// A kind of file that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Rules: `rules/**/*.yaml`.
    Rules,
    /// Tests: `*.test.yaml`.
    Tests,
    /// `homerule.yaml`.
    Settings,
}

impl FileKind {
    /// All of them.
    pub const ALL: [FileKind; 3] = [FileKind::Rules, FileKind::Tests, FileKind::Settings];

    /// Returns the schema of such a file, complete in itself.
    #[must_use]
    pub fn schema(self) -> Value {
        document(json!({ "$ref": self.reference() }))
    }

    fn reference(self) -> &'static str {
        match self {
            FileKind::Rules => "#/$defs/rule-file",
            FileKind::Tests => "#/$defs/test-file",
            FileKind::Settings => "#/$defs/settings",
        }
    }
}

/// Returns the schema that any of these files fits: which one it is is known by its keys, so that an editor says what
/// is wrong with that, and not that it is none of three.
#[must_use]
pub fn schema_of_all() -> Value {
    let is = |kind: FileKind| json!({ "$ref": kind.reference() });
    document(json!({
        "if": { "type": "object", "required": ["tests"] },
        "then": is(FileKind::Tests),
        "else": {
            "if": { "type": "object", "anyOf": [
                { "required": ["rules"], "properties": { "rules": { "type": ["object", "null"] } } },
                { "required": ["let"] },
                { "required": ["scenes"] },
                { "required": ["inputs"] },
                { "required": ["invariants"] },
            ] },
            "then": is(FileKind::Rules),
            "else": is(FileKind::Settings),
        },
    }))
}

/// Returns a document that is as `root` says, with the definitions that it reaches.
fn document(root: Value) -> Value {
    let all = definitions();
    let mut reached = BTreeSet::new();
    let mut waiting = vec![&root];
    while let Some(schema) = waiting.pop() {
        for name in references(schema) {
            if let Some(definition) = all.get(name).filter(|_| reached.insert(name.to_owned())) {
                waiting.push(definition);
            }
        }
    }
    let used: Map<String, Value> =
        all.iter().filter(|(name, _)| reached.contains(*name)).map(|(name, it)| (name.clone(), it.clone())).collect();
    let mut document = Map::default();
    document.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    if let Value::Object(root) = root {
        document.extend(root);
    }
    document.insert("$defs".to_owned(), Value::Object(used));
    Value::Object(document)
}

fn definitions() -> Map<String, Value> {
    DEFINITIONS.iter().flat_map(|text| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default()).collect()
}

/// Returns the names of the definitions that a schema refers to.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == "$ref" => text.strip_prefix("#/$defs/").into_iter().collect(),
                other => references(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
