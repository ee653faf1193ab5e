//! Scenes, and the rules of groups and template sensors.

use serde_json::json;

use crate::lang::Code;
use crate::lang::import::home_assistant::entities::Source as EntitySource;
use crate::lang::import::home_assistant::expression::{escape, quoted};
use crate::lang::import::home_assistant::translate::action::helper_call::ScenePart;
use crate::lang::import::home_assistant::translate::rule::{Made, Source};
use crate::lang::import::home_assistant::translate::trigger::state_trigger;
use crate::lang::import::home_assistant::translate::work::Work;
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
        if let Some(auto_off) = node.get("auto_off").filter(|value| !value.is_null()) {
            let _ = work.refuse::<()>(auto_off, "`auto_off` of a template sensor has no counterpart here");
        }
        if id.starts_with("binary_sensor.") && delayed(node, "delay_on").or(delayed(node, "delay_off")).is_some() {
            return delayed_sensor(&mut work, node, (id, key, topic), above);
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

/// Returns how long a template sensor waits before it changes.
fn delayed<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|value| !value.is_null())
}

/// Translates a template binary sensor that waits before it changes: a `while` that holds for a time, and lingers.
fn delayed_sensor(work: &mut Work<'_>, node: &Node, (id, key, topic): (&str, &str, &str), above: Vec<String>) -> Made {
    let mut keys = Vec::new();
    let entity = work.scope.home.entity(id);
    keys.extend(entity.name.map(|name| ("name".to_owned(), Doc::text(escape(&name)))));
    let state = node.get("state").map(|state| work.template(state));
    let Some(Ok(rendered)) = state else {
        if state.is_none() {
            let _ = work.refuse::<()>(node, "`state` is missing");
        }
        return work.made(Vec::new(), key);
    };
    let asked = rendered.trigger();
    keys.push(("while".to_owned(), Doc::text(&asked.text)));
    for (own, ours) in [("delay_on", "for"), ("delay_off", "linger")] {
        let Some(delay) = delayed(node, own) else { continue };
        match work.duration(delay) {
            Ok(text) if text.contains("${") => {
                let _ = work.refuse::<()>(delay, format!("`{own}` that is computed has no counterpart here"));
            }
            Ok(text) if text != "0s" => keys.push((ours.to_owned(), Doc::text(text))),
            Ok(_) | Err(_) => {}
        }
    }
    let publish = |state: &str| {
        state_trigger::entries(vec![
            ("publish", Doc::text(topic)),
            ("payload", Doc::text(state)),
            ("retain", Doc::Value(true.into())),
            ("if_changed", Doc::Value(true.into())),
        ])
    };
    keys.push(("then".to_owned(), publish("on")));
    keys.push(("else".to_owned(), publish("off")));
    work.differ("before it's true for the first time, it's `off` at once, without `delay_off`");
    let before = vec![
        ("when".to_owned(), Doc::inline([("event", Doc::text("started"))])),
        ("if".to_owned(), Doc::text(format!("not holds({})", quoted(key)))),
        ("then".to_owned(), publish("off")),
    ];
    let note = vec![format!("What `{key}` is before it's true.")];
    let rules =
        vec![(key.to_owned(), Doc::Map(keys).noted(above)), (format!("{key}-before"), Doc::Map(before).noted(note))];
    work.made(rules, key)
}

/// What a scene is here.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct MadeScene {
    /// What stands in `scenes:`, if it sets devices or topics.
    pub(in crate::lang::import::home_assistant) doc: Option<Doc>,
    /// What goes through Home Assistant.
    pub(in crate::lang::import::home_assistant) bridged: Vec<(String, serde_json::Value)>,
    /// What else is done where it's set.
    pub(in crate::lang::import::home_assistant) beside: Vec<Doc>,
}

/// Translates a scene: what it sets here, and what goes through Home Assistant.
pub(in crate::lang::import::home_assistant) fn scene(
    source: Source<'_>,
    node: &Node,
    comments: Vec<Comment>,
) -> (Made, MadeScene) {
    let mut work = source.work(node, "", comments);
    work.part = Code::HELPER_NOT_TAKEN;
    let above = work.take_comments(&node.place, true);
    let Some(wanted) = node.get("entities") else {
        let _ = work.refuse::<()>(node, "`entities` is missing");
        return (work.made(Vec::new(), ""), MadeScene::default());
    };
    let Ok((ours, bridged)) = work.scene_parts(wanted) else {
        return (work.made(Vec::new(), ""), MadeScene::default());
    };
    let mut keys: Vec<(String, Doc)> = Vec::new();
    let mut beside = Vec::new();
    for part in ours {
        match part {
            ScenePart::Device(name, told) => {
                let doc = Doc::Inline(told);
                if name.contains('/') {
                    keys.push((name.clone(), Doc::inline([("device", doc)])));
                } else {
                    keys.push((name, doc));
                }
            }
            ScenePart::Other(Doc::Inline(topics)) => keys.extend(topics),
            ScenePart::Other(doc) | ScenePart::Beside(doc) => beside.push(doc),
        }
    }
    let doc = (!keys.is_empty()).then(|| Doc::Map(keys).noted(above));
    (work.made(Vec::new(), ""), MadeScene { doc, bridged, beside })
}
