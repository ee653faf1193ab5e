//! The rules that a rule runs, switches or asks about: a test of it needs them too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::tree::plain;
use crate::lang::import::home_assistant::write::Doc;

/// The keys of actions that name a rule.
const NAMING: [&str; 7] = ["run", "enable", "disable", "cancel", "extend", "forget", "rule"];

/// All rules, with those that each of them names.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct NamedRules {
    /// The file of each rule, and the rules that it names.
    rules: BTreeMap<String, (String, BTreeSet<String>)>,
}

impl NamedRules {
    /// Returns the rules of the given ones: the key, the file and what is written.
    pub(in crate::lang::import::home_assistant) fn new<'d>(
        rules: impl Iterator<Item = (String, String, &'d Doc)>,
    ) -> NamedRules {
        let mut found = BTreeMap::new();
        for (key, file, doc) in rules {
            let mut named = BTreeSet::new();
            collect(&plain(doc), &mut named);
            found.entry(key).or_insert((file, named));
        }
        NamedRules { rules: found }
    }

    /// Returns a rule with all that it names, and that these name, as a test beside their files writes them.
    pub(in crate::lang::import::home_assistant) fn with_all_named(&self, key: &str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut listed = Vec::new();
        let mut left = vec![key.to_owned()];
        while let Some(key) = left.pop() {
            let Some((file, named)) = self.rules.get(&key) else { continue };
            if seen.insert(key.clone()) {
                listed.push(format!("{file}:{key}"));
                left.extend(named.iter().cloned());
            }
        }
        listed
    }
}

fn collect(value: &Json, named: &mut BTreeSet<String>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                if let Some(text) = value.as_str().filter(|_| NAMING.contains(&key.as_str())) {
                    named.insert(text.to_owned());
                }
                collect(value, named);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, named)),
        // In expressions: `running('wakeup')`, `holds('schedule_work')`.
        Json::String(text) => {
            let parts = text.split('\'').skip(1).step_by(2);
            named.extend(parts.filter(|part| !part.contains(['/', ' '])).map(ToOwned::to_owned));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
