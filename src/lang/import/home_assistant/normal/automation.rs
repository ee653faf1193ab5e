//! Automations and scripts: `triggers`, `conditions`, `actions`, each a list.

use super::action::actions;
use super::condition::conditions;
use super::entry::{put, rename, take};
use super::trigger::triggers;
use crate::lang::import::home_assistant::yaml::{Kind, Node};

/// Returns an automation in its normal form.
pub(in crate::lang::import::home_assistant) fn automation(node: &Node) -> Node {
    let mut node = node.clone();
    rename(&mut node, &["trigger"], "triggers");
    rename(&mut node, &["condition"], "conditions");
    rename(&mut node, &["action"], "actions");
    let listed = take(&mut node, &["triggers"]);
    let place = node.place.clone();
    let listed = listed.map_or_else(|| Node::list_at(&place, Vec::new()), |listed| triggers(&listed));
    put(&mut node, "triggers", listed);
    if let Some(listed) = take(&mut node, &["conditions"]) {
        put(&mut node, "conditions", conditions(&listed));
    }
    if let Some(listed) = take(&mut node, &["actions"]) {
        put(&mut node, "actions", actions(&listed));
    }
    node
}

/// Returns the actions of a script in their normal form.
pub(in crate::lang::import::home_assistant) fn sequence_of(node: &Node) -> Node {
    match &node.kind {
        // The old form: the script is the list itself.
        Kind::List(_) => actions(node),
        _ => node.get("sequence").map_or_else(|| Node::list_at(&node.place, Vec::new()), actions),
    }
}
