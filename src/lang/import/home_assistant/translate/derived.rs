//! Scenes, and the rules of groups and template sensors.

use serde_json::json;

use crate::lang::Code;
use crate::lang::import::home_assistant::entities::Source as EntitySource;
use crate::lang::import::home_assistant::translate::rule::{Made, Source};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Comment, Node};

/// Translates a group or a template sensor that something reads: a rule that publishes its state.
pub(in crate::lang::import::home_assistant) fn derived(
    source: Source<'_>,
    node: &Node,
    id: &str,
    key: &str,
    comments: Vec<Comment>,
) -> Made {
    let mut work = source.work(node, key, comments);
    work.part = Code::HELPER_NOT_TAKEN;
    let above = work.take_comments(&node.place, true);
    let entity = source.home.entity(id);
    let EntitySource::Derived { topic, members } = &entity.source else {
        return work.made(Vec::new(), key);
    };
    source.home.start_reading();
    let payload = if id.starts_with("group.") {
        let mut texts = Vec::new();
        for member in members {
            let member = source.home.entity(member);
            match source.home.field(&member, None) {
                Ok(field) => texts.push(field.text),
                Err(reason) => {
                    let _ = work.refuse::<()>(node, reason);
                }
            }
        }
        let all = node.get("all").and_then(Node::as_bool) == Some(true);
        format!("${{ha::group([{}], {all})}}", texts.join(", "))
    } else {
        for key in ["delay_on", "delay_off", "auto_off"] {
            if node.get(key).is_some_and(|value| !value.is_null()) {
                let _ = work.refuse::<()>(
                    node,
                    format!("`{key}` of a template sensor has no counterpart: use `for` where it is read"),
                );
            }
        }
        if node.get("attributes").or_else(|| node.get("attribute_templates")).is_some() {
            work.differ("the attributes of this template sensor aren't taken over");
        }
        match node.get("state") {
            Some(state) => match work.template(state) {
                Ok(rendered) if id.starts_with("binary_sensor.") => {
                    format!("${{if {} {{ 'on' }} else {{ 'off' }}}}", rendered.trigger().text)
                }
                Ok(rendered) => rendered.text(),
                Err(_) => String::new(),
            },
            None => {
                let _ = work.refuse::<()>(node, "`state` is missing");
                String::new()
            }
        }
    };
    let mut heard = vec![Doc::inline([("event", Doc::text("started"))])];
    for (word, name, field) in source.home.was_read() {
        let mut keys = vec![(word, Doc::text(name))];
        keys.extend(field.map(|field| ("field", Doc::text(field))));
        heard.push(crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(keys));
    }
    if payload.contains("now.")
        || payload.contains("sun.")
        || payload.contains("holds(")
        || payload.contains("enabled(")
    {
        heard.push(Doc::inline([("every", Doc::text("1m"))]));
    }
    let publish = crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(vec![
        ("publish", Doc::text(topic)),
        ("payload", Doc::text(payload)),
        ("retain", Doc::Value(true.into())),
        ("if_changed", Doc::Value(true.into())),
    ]);
    let mut keys = Vec::new();
    keys.extend(
        entity
            .name
            .map(|name| ("name".to_owned(), Doc::text(crate::lang::import::home_assistant::expression::escape(&name)))),
    );
    keys.push(("when".to_owned(), Doc::List(heard)));
    keys.push(("then".to_owned(), publish));
    keys.push(("mode".to_owned(), Doc::text("queued")));
    keys.push(("per".to_owned(), Doc::Value(json!([]))));
    let rules = vec![(key.to_owned(), Doc::Map(keys).noted(above))];
    work.made(rules, key)
}

/// Translates a scene: what it sets here, and what goes through Home Assistant.
pub(in crate::lang::import::home_assistant) fn scene(
    source: Source<'_>,
    node: &Node,
    comments: Vec<Comment>,
) -> (Made, Option<Doc>, Vec<(String, serde_json::Value)>) {
    let mut work = source.work(node, "", comments);
    work.part = Code::HELPER_NOT_TAKEN;
    let above = work.take_comments(&node.place, true);
    let Some(wanted) = node.get("entities") else {
        let _ = work.refuse::<()>(node, "`entities` is missing");
        return (work.made(Vec::new(), ""), None, Vec::new());
    };
    let Ok((ours, bridged)) = work.scene_parts(wanted) else {
        return (work.made(Vec::new(), ""), None, Vec::new());
    };
    let mut keys: Vec<(String, Doc)> = Vec::new();
    for part in ours {
        match part {
            crate::lang::import::home_assistant::translate::action::helper_call::ScenePart::Device(name, told) => {
                let doc = Doc::Inline(told);
                if name.contains('/') {
                    keys.push((name.clone(), Doc::inline([("device", doc)])));
                } else {
                    keys.push((name, doc));
                }
            }
            crate::lang::import::home_assistant::translate::action::helper_call::ScenePart::Other(Doc::Inline(
                topics,
            )) => keys.extend(topics),
            crate::lang::import::home_assistant::translate::action::helper_call::ScenePart::Other(_) => {}
        }
    }
    let doc = (!keys.is_empty()).then(|| Doc::Map(keys).noted(above));
    (work.made(Vec::new(), ""), doc, bridged)
}
