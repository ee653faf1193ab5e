//! Automations and scripts from blueprints: the blueprint's text with the inputs of the one who uses it.

use std::collections::BTreeMap;

use super::include::{Loader, within};
use crate::lang::import::home_assistant::yaml::{Entry, Kind, Node};

/// Returns an automation or script in full: as it is, or made from its blueprint.
///
/// # Errors
/// When the blueprint can't be read, or lacks an input.
pub(in crate::lang::import::home_assistant) fn expand(
    loader: &mut Loader<'_>,
    kind: &str,
    node: &Node,
) -> Result<Node, String> {
    let Some(used) = node.get("use_blueprint") else { return Ok(node.clone()) };
    let path = used.get("path").and_then(Node::to_text).ok_or("`use_blueprint` needs `path`")?;
    let file = within(&format!("blueprints/{kind}"), &path)
        .filter(|file| file.starts_with("blueprints/"))
        .ok_or_else(|| format!("the blueprint `{path}` is outside of the configuration"))?;
    let blueprint =
        loader.file(&file).ok_or_else(|| format!("the blueprint `{file}` isn't there, or can't be read"))?;
    let mut inputs = BTreeMap::new();
    if let Some(declared) = blueprint.get("blueprint").and_then(|head| head.get("input")) {
        declare(declared, &mut inputs);
    }
    for entry in used.get("input").and_then(Node::as_map).unwrap_or_default() {
        inputs.insert(entry.name().to_owned(), Some(entry.value.clone()));
    }
    let mut made: Vec<Entry> = Vec::new();
    for entry in blueprint.as_map().unwrap_or_default() {
        if entry.name() != "blueprint" {
            let mut entry = entry.clone();
            fill(&mut entry.value, &inputs)?;
            made.push(entry);
        }
    }
    for entry in node.as_map().unwrap_or_default().iter().filter(|entry| entry.name() != "use_blueprint") {
        match made.iter_mut().find(|known| known.name() == entry.name()) {
            Some(known) => known.value = entry.value.clone(),
            None => made.push(entry.clone()),
        }
    }
    Ok(Node { place: node.place.clone(), kind: Kind::Map(made) })
}

/// Notes the inputs that a blueprint declares, with their defaults; a section has more of them.
fn declare(declared: &Node, inputs: &mut BTreeMap<String, Option<Node>>) {
    for entry in declared.as_map().unwrap_or_default() {
        match entry.value.get("input").filter(|inner| inner.as_map().is_some()) {
            Some(section) => declare(section, inputs),
            None => {
                inputs.insert(entry.name().to_owned(), entry.value.get("default").cloned());
            }
        }
    }
}

/// Puts the inputs where `!input NAME` stands.
fn fill(node: &mut Node, inputs: &BTreeMap<String, Option<Node>>) -> Result<(), String> {
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().try_for_each(|item| fill(item, inputs)),
        Kind::Map(entries) => entries.iter_mut().try_for_each(|entry| fill(&mut entry.value, inputs)),
        Kind::Tagged(tag, inner) if &**tag == "!input" => {
            let name = inner.as_scalar().map(|scalar| scalar.text.to_string()).unwrap_or_default();
            let value = match inputs.get(&name) {
                Some(Some(value)) => value.clone(),
                Some(None) => return Err(format!("the blueprint's input `{name}` has no value")),
                None => return Err(format!("the blueprint reads `!input {name}`, which it doesn't declare")),
            };
            *node = value;
            Ok(())
        }
        Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => Ok(()),
    }
}
