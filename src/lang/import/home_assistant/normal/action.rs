//! Actions: `action: DOMAIN.NAME` with `target` and `data`; the old keys, shorthand and nested lists written out.

use super::condition::{condition, conditions};
use super::entry::{is_template, list_of_ids, put, rename, take};
use super::trigger::triggers;
use crate::lang::import::home_assistant::yaml::{Kind, Node};

/// Returns a list of actions, each in its normal form.
pub(super) fn actions(node: &Node) -> Node {
    let mut listed = Vec::new();
    for item in node.items() {
        match &item.kind {
            Kind::List(_) => listed.extend(actions(item).items().into_iter().cloned()),
            _ => listed.push(action(item)),
        }
    }
    Node::list_at(&node.place, listed)
}

fn action(node: &Node) -> Node {
    if is_template(node) {
        return condition(node);
    }
    let mut node = node.clone();
    if node.as_map().is_none() {
        return node;
    }
    if node.get("condition").is_some() || ["and", "or", "not"].iter().any(|key| node.get(key).is_some()) {
        return condition(&node);
    }
    if ["action", "service", "service_template"].iter().any(|key| node.get(key).is_some()) {
        call(&mut node);
    } else if let Some(scene) = take(&mut node, &["scene"]) {
        let word = Node::text_at(&scene.place, "scene.turn_on");
        put(&mut node, "action", word);
        let target = Node::map_at(&scene.place.clone(), vec![("entity_id", scene)]);
        put(&mut node, "target", target);
        call(&mut node);
    }
    for key in ["sequence", "then", "else", "default"] {
        if let Some(inner) = node.get(key).cloned() {
            put(&mut node, key, actions(&inner));
        }
    }
    for key in ["if", "while", "until"] {
        if let Some(inner) = node.get(key).cloned() {
            put(&mut node, key, conditions(&inner));
        }
    }
    if let Some(mut inner) = node.get("repeat").cloned() {
        for key in ["while", "until"] {
            if let Some(asked) = inner.get(key).cloned() {
                put(&mut inner, key, conditions(&asked));
            }
        }
        if let Some(done) = inner.get("sequence").cloned() {
            put(&mut inner, "sequence", actions(&done));
        }
        put(&mut node, "repeat", inner);
    }
    if let Some(waited) = node.get("wait_for_trigger").cloned() {
        put(&mut node, "wait_for_trigger", triggers(&waited));
    }
    if let Some(options) = node.get("choose").cloned() {
        let options = Node::list_at(&options.place, options.items().into_iter().map(option).collect());
        put(&mut node, "choose", options);
    }
    if let Some(branches) = node.get("parallel").cloned() {
        let branches = branches.items().into_iter().map(|branch| match branch.get("sequence") {
            Some(inner) if branch.as_map().is_some_and(|entries| entries.len() <= 2) => actions(inner),
            _ => actions(branch),
        });
        let branches = Node::list_at(&node.place, branches.collect());
        put(&mut node, "parallel", branches);
    }
    node
}

fn option(node: &Node) -> Node {
    let mut node = node.clone();
    rename(&mut node, &["condition"], "conditions");
    if let Some(inner) = node.get("conditions").cloned() {
        // `condition: state` with its keys beside it stands for itself.
        let alone = inner.as_text().as_ref().is_some_and(|_| !is_template(&inner));
        put(&mut node, "conditions", if alone { inner } else { conditions(&inner) });
    }
    if let Some(inner) = node.get("sequence").cloned() {
        put(&mut node, "sequence", actions(&inner));
    }
    node
}

/// Puts a call into its normal form: `action`, `target`, `data`.
fn call(node: &mut Node) {
    rename(node, &["service", "service_template"], "action");
    let templates = take(node, &["data_template"]);
    let mut data = take(node, &["data"]).filter(|data| !data.is_null());
    if let Some(templates) = templates {
        match &mut data {
            Some(data) => {
                for entry in templates.as_map().unwrap_or_default() {
                    put(data, entry.name(), entry.value.clone());
                }
            }
            None => data = Some(templates),
        }
    }
    let mut target = take(node, &["target"]).filter(|target| !target.is_null());
    // Entity ids beside `action` and within `data` are the target too.
    let beside = take(node, &["entity_id"]);
    let within = data.as_mut().filter(|data| data.as_map().is_some());
    let within = within
        .map(|data| ["entity_id", "area_id", "device_id", "label_id", "floor_id"].map(|key| (key, take(data, &[key]))));
    let mut found: Vec<(&str, Node)> = beside.map(|ids| ("entity_id", ids)).into_iter().collect();
    found.extend(within.into_iter().flatten().filter_map(|(key, value)| value.map(|value| (key, value))));
    for (key, value) in found {
        let target = target.get_or_insert_with(|| Node::map_at(&value.place, Vec::new()));
        if target.get(key).is_none() {
            put(target, key, value);
        }
    }
    if let Some(target) = &mut target {
        for key in ["entity_id", "area_id", "device_id", "label_id", "floor_id"] {
            list_of_ids(target, key);
        }
    }
    if let Some(target) = target {
        put(node, "target", target);
    }
    if let Some(data) = data {
        put(node, "data", data);
    }
}
