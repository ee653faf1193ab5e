//! `each`: one rule for each combination of values, each record, or each matching topic (docs/language/reuse.md).

use std::collections::BTreeSet;

use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::{Name, TopicFilter, Value};

/// How many instances one rule may have.
const MOST_INSTANCES: usize = 10_000;

/// Which instances a rule has.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) enum Instances {
    /// Once.
    One,
    /// For each of these.
    Fixed(Vec<Instance>),
    /// For each topic that matches.
    Topics(TopicFilter),
}

impl Instances {
    /// Returns whether they aren't known at load.
    pub(super) fn are_unknown(&self) -> bool {
        match self {
            Instances::One => false,
            Instances::Fixed(instances) => instances.is_empty(),
            Instances::Topics(_) => true,
        }
    }
}

/// An instance of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) struct Instance {
    /// The text in the brackets of its id: `hall`, `hall,left`.
    pub(in crate::lang) name: String,
    /// Its variables.
    pub(in crate::lang) variables: Vec<(Name, Value)>,
}

/// Reads the `each` of a rule. One with a mistake has no instances.
pub(super) fn read(node: Option<&Node>, reader: &mut Reader<'_>) -> Instances {
    let Some(node) = node else { return Instances::One };
    let instances = match &node.kind {
        NodeKind::Map(entries) => match entries.as_slice() {
            [entry] if entry.key.as_str() == "topic" && entry.value.as_scalar().is_some() => {
                return read_topics(&entry.value, reader);
            }
            entries => combinations(entries, node, reader),
        },
        NodeKind::List(items) => records(items, reader),
        NodeKind::Scalar(_) | NodeKind::Closure(_) => {
            reader.wrong_type(
                node,
                "a map of lists (`{ room: [hall, kitchen] }`), a list of records or `{ topic: FILTER }`",
            );
            None
        }
    };
    let Some(instances) = instances else { return Instances::Fixed(Vec::new()) };
    if instances.is_empty() {
        let found =
            reader.findings.error(Code::BAD_EACH, reader.text.first_line(&node.span), "this `each` has no instances");
        found.help("give it at least one value");
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = instances.iter().find(|instance| !names.insert(instance.name.as_str())) {
        let message = format!("this `each` has two instances named `[{}]`", twice.name);
        let found = reader.findings.error(Code::BAD_EACH, reader.text.first_line(&node.span), message);
        found.help("instances are named after their values, so at least one value must differ");
    }
    Instances::Fixed(instances)
}

fn read_topics(node: &Node, reader: &mut Reader<'_>) -> Instances {
    let Some(filter) = reader.filter(node) else { return Instances::Fixed(Vec::new()) };
    for name in filter.names() {
        reader.refuse_reserved(name, node.span.clone(), "wildcard");
    }
    Instances::Topics(filter)
}

/// One instance for each combination of the values of `entries`.
fn combinations(entries: &[Entry], node: &Node, reader: &mut Reader<'_>) -> Option<Vec<Instance>> {
    let mut instances = vec![Instance { name: String::new(), variables: Vec::new() }];
    let mut is_broken = entries.is_empty();
    for entry in entries {
        let name = reader.variable_name(&entry.key, &entry.key_span);
        let NodeKind::List(items) = &entry.value.kind else {
            reader.wrong_type(&entry.value, "a list of values");
            is_broken = true;
            continue;
        };
        let values: Vec<Value> = items.iter().filter_map(|item| reader.value(item)).collect();
        is_broken |= values.len() < items.len();
        let Some(name) = name else {
            is_broken = true;
            continue;
        };
        if instances.len().saturating_mul(values.len()) > MOST_INSTANCES {
            let message = format!("this `each` has more than {MOST_INSTANCES} instances");
            reader.findings.error(Code::BAD_EACH, reader.text.first_line(&node.span), message);
            return None;
        }
        instances = instances
            .iter()
            .flat_map(|instance| values.iter().map(|value| instance.with(&name, value)).collect::<Vec<_>>())
            .collect();
    }
    if entries.is_empty() {
        reader.wrong_type(node, "a map with at least one list");
    }
    (!is_broken).then_some(instances)
}

/// One instance for each record.
fn records(items: &[Node], reader: &mut Reader<'_>) -> Option<Vec<Instance>> {
    let mut instances = Vec::new();
    let mut is_broken = false;
    for item in items {
        let Some(entries) = item.as_map() else {
            reader.wrong_type(item, "a record (`{ name: east, left: 50 }`)");
            is_broken = true;
            continue;
        };
        let mut instance = Instance { name: String::new(), variables: Vec::new() };
        for entry in entries {
            let name = reader.variable_name(&entry.key, &entry.key_span);
            let value = reader.value(&entry.value);
            match (name, value) {
                (Some(name), Some(value)) => instance = instance.with(&name, &value),
                _ => is_broken = true,
            }
        }
        instances.push(instance);
    }
    (!is_broken).then_some(instances)
}

impl Instance {
    fn with(&self, name: &Name, value: &Value) -> Instance {
        let mut longer = self.clone();
        if !longer.name.is_empty() {
            longer.name.push(',');
        }
        longer.name.push_str(&value.to_string());
        longer.variables.push((name.clone(), value.clone()));
        longer
    }
}
