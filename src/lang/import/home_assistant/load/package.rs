//! Packages and labelled blocks: all blocks of a configuration, whichever file they are in.

use crate::lang::import::home_assistant::yaml::{Entry, Kind, Node};

/// A block of the configuration: `automation:`, `automation kitchen:` or the same in a package.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The domain: `automation`.
    pub(super) domain: String,
    pub(super) node: Node,
}

/// Returns the blocks of `root`, those of its packages behind its own.
pub(super) fn blocks(root: &Node) -> Vec<Block> {
    let mut found = Vec::new();
    let mut packages = Vec::new();
    for entry in root.as_map().unwrap_or_default() {
        let domain = entry.name().split_whitespace().next().unwrap_or_default().to_owned();
        if domain == "homeassistant"
            && let Some(node) = entry.value.get("packages")
        {
            packages.extend(packages_of(node));
        }
        found.push(Block { domain, node: entry.value.clone() });
    }
    for package in packages {
        found.extend(blocks(&package));
    }
    found
}

/// Returns the packages: a map of them, or (as Home Assistant also takes) a list of maps.
fn packages_of(node: &Node) -> Vec<Node> {
    let of_map = |entries: &[Entry]| entries.iter().map(|entry| entry.value.clone()).collect::<Vec<_>>();
    match &node.kind {
        Kind::Map(entries) => of_map(entries),
        Kind::List(items) => items.iter().filter_map(Node::as_map).flat_map(of_map).collect(),
        Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => Vec::new(),
    }
}
