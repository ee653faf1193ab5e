//! The keys that Home Assistant's schema knows: what it refuses has no meaning that could be taken over.

use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::yaml::{Kind, Node, Place};

/// The keys of an automation.
const AUTOMATION: [&str; 18] = [
    "id",
    "alias",
    "description",
    "trace",
    "initial_state",
    "hide_entity",
    "trigger_variables",
    "variables",
    "trigger",
    "triggers",
    "condition",
    "conditions",
    "action",
    "actions",
    "use_blueprint",
    "mode",
    "max",
    "max_exceeded",
];

/// The keys of a script.
const SCRIPT: [&str; 11] = [
    "alias",
    "description",
    "icon",
    "fields",
    "variables",
    "sequence",
    "mode",
    "max",
    "max_exceeded",
    "trace",
    "use_blueprint",
];

/// The keys of each trigger, those that all have, and what a device's has aside.
fn of_trigger(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "state" => &["entity_id", "attribute", "from", "to", "not_from", "not_to", "for"],
        "numeric_state" => &["entity_id", "attribute", "above", "below", "value_template", "for"],
        "time" => &["at", "weekday"],
        "time_pattern" => &["hours", "minutes", "seconds"],
        "sun" => &["event", "offset"],
        "mqtt" => &["topic", "payload", "value_template", "encoding", "qos"],
        "homeassistant" => &["event"],
        "webhook" => &["webhook_id", "allowed_methods", "local_only"],
        "event" => &["event_type", "event_data", "context"],
        "template" => &["value_template", "for"],
        _ => return None,
    })
}

fn of_condition(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "state" => &["entity_id", "state", "for", "attribute", "match", "from"],
        "numeric_state" => &["entity_id", "attribute", "above", "below", "value_template"],
        "time" => &["after", "before", "weekday"],
        "sun" => &["after", "after_offset", "before", "before_offset"],
        "template" => &["value_template"],
        "trigger" => &["id"],
        "and" | "or" | "not" => &["conditions"],
        _ => return None,
    })
}

/// The keys of each action, by the one that says what it is.
const ACTIONS: [(&str, &[&str]); 15] = [
    ("action", &["target", "data", "response_variable", "metadata"]),
    ("delay", &[]),
    ("wait_template", &["timeout", "continue_on_timeout"]),
    ("wait_for_trigger", &["timeout", "continue_on_timeout"]),
    ("choose", &["default"]),
    ("if", &["then", "else"]),
    ("repeat", &[]),
    ("parallel", &[]),
    ("sequence", &["metadata"]),
    ("stop", &["error", "response_variable"]),
    ("variables", &[]),
    ("event", &["event_data", "event_data_template"]),
    ("set_conversation_response", &[]),
    ("timeout", &[]),
    ("conditions", &[]),
];

impl Work<'_> {
    /// Refuses the keys of a trigger that Home Assistant doesn't know.
    pub(in crate::lang::import::home_assistant::translate) fn known_trigger_keys(
        &mut self,
        node: &Node,
        kind: &str,
    ) -> Answer<()> {
        let Some(known) = of_trigger(kind) else { return Ok(()) };
        self.known_keys(node, &format!("a `{kind}` trigger"), |key| {
            matches!(key, "trigger" | "id" | "alias" | "enabled" | "variables") || known.contains(&key)
        })?;
        for (one, other) in [("to", "not_to"), ("from", "not_from")] {
            if node.get(one).is_some() && node.get(other).is_some() {
                let message = format!("`{one}` and `{other}` can't stand together; Home Assistant refuses that, too");
                return self.refuse_as_there(node, message);
            }
        }
        match node.get("id").filter(|id| !id.is_null()) {
            Some(id) if id.as_text().is_none() && id.as_number().is_none() => {
                self.refuse_as_there(id, "`id` needs one text; Home Assistant refuses this, too")
            }
            _ => Ok(()),
        }
    }

    /// Refuses the keys of a condition that Home Assistant doesn't know.
    pub(in crate::lang::import::home_assistant::translate) fn known_condition_keys(
        &mut self,
        node: &Node,
        kind: &str,
    ) -> Answer<()> {
        let Some(known) = of_condition(kind) else { return Ok(()) };
        self.known_keys(node, &format!("a `{kind}` condition"), |key| {
            matches!(key, "condition" | "alias" | "enabled") || known.contains(&key)
        })?;
        match node.get("match").and_then(Node::to_text).as_deref() {
            None | Some("all" | "any") => Ok(()),
            Some(other) => self.refuse_as_there(
                node,
                format!("`match: {other}` isn't `all` or `any`; Home Assistant refuses it, too"),
            ),
        }
    }

    /// Refuses the keys of an action that Home Assistant doesn't know.
    pub(in crate::lang::import::home_assistant::translate) fn known_action_keys(&mut self, node: &Node) -> Answer<()> {
        if node.get("action").is_none() && node.get("device_id").is_some() {
            return Ok(());
        }
        let Some((kind, known)) = ACTIONS.iter().find(|(kind, _)| node.get(kind).is_some()) else { return Ok(()) };
        self.known_keys(node, &format!("an action with `{kind}`"), |key| {
            matches!(key, "alias" | "enabled" | "continue_on_error") || key == *kind || known.contains(&key)
        })
    }

    /// Refuses the options of `choose` that lack something, and loops of two kinds.
    pub(in crate::lang::import::home_assistant::translate) fn complete_option(&mut self, option: &Node) -> Answer<()> {
        for key in ["conditions", "sequence"] {
            if option.get(key).is_none() {
                let message = format!("an option of `choose` needs `{key}`; Home Assistant refuses it, too");
                return self.refuse_as_there(option, message);
            }
        }
        Ok(())
    }

    /// Refuses a loop without a sequence, or of two kinds.
    pub(in crate::lang::import::home_assistant::translate) fn complete_loop(&mut self, node: &Node) -> Answer<()> {
        let kinds = ["count", "while", "until", "for_each"];
        let given: Vec<&str> = kinds.into_iter().filter(|kind| node.get(kind).is_some()).collect();
        if node.get("sequence").is_none() {
            return self.refuse_as_there(node, "`repeat` needs `sequence`; Home Assistant refuses it, too");
        }
        if let [one, other, ..] = given.as_slice() {
            let message = format!("`{one}` and `{other}` can't stand together; Home Assistant refuses that, too");
            return self.refuse_as_there(node, message);
        }
        self.known_keys(node, "`repeat`", |key| key == "sequence" || kinds.contains(&key))
    }

    fn known_keys(&mut self, node: &Node, what: &str, is_known: impl Fn(&str) -> bool) -> Answer<()> {
        for entry in node.as_map().unwrap_or_default() {
            if !is_known(entry.name()) {
                let message = format!("`{}` isn't a key of {what}; Home Assistant refuses it, too", entry.name());
                return self.refuse_as_there(&entry.key, message);
            }
        }
        Ok(())
    }
}

/// Returns what an automation or script has that Home Assistant refuses as a whole, with its place.
pub(in crate::lang::import::home_assistant::translate) fn impossible(
    node: &Node,
    is_script: bool,
) -> Option<(Place, String)> {
    let known: &[&str] = if is_script { &SCRIPT } else { &AUTOMATION };
    let what = if is_script { "a script" } else { "an automation" };
    for entry in node.as_map().unwrap_or_default() {
        if !known.contains(&entry.name()) {
            let message = format!("`{}` isn't a key of {what}; Home Assistant refuses it, too", entry.name());
            return Some((entry.key.place.clone(), message));
        }
    }
    for (old, new) in [("trigger", "triggers"), ("condition", "conditions"), ("action", "actions")] {
        if !is_script && node.get(old).is_some() && node.get(new).is_some() {
            let message = format!("`{old}` and `{new}` can't stand together: Home Assistant takes only `{new}`");
            return Some((node.place.clone(), message));
        }
    }
    if !is_script && node.as_map().is_some() && node.get("trigger").or_else(|| node.get("triggers")).is_none() {
        let message = "it has no triggers: Home Assistant needs at least `triggers: []`, too";
        return Some((node.place.clone(), message.to_owned()));
    }
    for key in ["id", "alias", "description"] {
        let Some(value) = node.get(key).filter(|value| !value.is_null()) else { continue };
        let is_text = match (key, value.as_scalar()) {
            ("id", Some(_)) => value.as_text().is_some(),
            (_, Some(_)) => true,
            (_, None) => false,
        };
        if !is_text {
            return Some((
                value.place.clone(),
                format!("`{key}` needs a text, in quotes; Home Assistant refuses this, too"),
            ));
        }
    }
    limits(node).or_else(|| double(node))
}

/// Returns what is wrong with the keys that say how often and whether it runs.
fn limits(node: &Node) -> Option<(Place, String)> {
    if let Some(max) = node.get("max")
        && max.as_number().or_else(|| max.to_text()?.trim().parse().ok()).is_some_and(|max| max < 2.0)
    {
        return Some((max.place.clone(), "`max` is at least 2; Home Assistant refuses this, too".to_owned()));
    }
    if let Some(exceeded) = node.get("max_exceeded") {
        let word = exceeded.to_text().unwrap_or_default().to_lowercase();
        let words = ["silent", "critical", "fatal", "error", "warn", "warning", "info", "debug", "notset"];
        if !words.contains(&word.as_str()) {
            let message = format!("`max_exceeded: {word}` isn't `silent` or a level of the log");
            return Some((exceeded.place.clone(), message));
        }
    }
    if let Some(state) = node.get("initial_state")
        && state.as_bool().is_none()
        && !matches!(
            &*state.to_text().unwrap_or_default().to_lowercase(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "enable" | "disable" | "1" | "0"
        )
    {
        return Some((
            state.place.clone(),
            "`initial_state` is `true` or `false`; Home Assistant refuses this, too".to_owned(),
        ));
    }
    None
}

/// Returns a map that says one thing in two spellings.
fn double(node: &Node) -> Option<(Place, String)> {
    const DATA: [&str; 6] = ["data", "data_template", "event_data", "event_data_template", "variables", "fields"];
    match &node.kind {
        Kind::List(items) => items.iter().find_map(double),
        Kind::Map(entries) => {
            for (old, new) in [("service", "action"), ("platform", "trigger")] {
                let is_word = |key: &str| node.get(key).is_some_and(|value| value.as_text().is_some());
                if is_word(old) && is_word(new) {
                    let message =
                        format!("`{old}` and `{new}` can't stand together: Home Assistant takes only `{new}`");
                    return Some((node.place.clone(), message));
                }
            }
            entries.iter().filter(|entry| !DATA.contains(&entry.name())).find_map(|entry| double(&entry.value))
        }
        Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => None,
    }
}

/// Returns whether a list of actions holds what Home Assistant doesn't take there, although its meaning is plain: lists, and
/// templates that stand for conditions.
pub(in crate::lang::import::home_assistant::translate) fn is_loose(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |part| {
        for key in ["action", "actions", "sequence", "then", "else", "default"] {
            let items = part.get(key).and_then(Node::as_list).unwrap_or_default();
            found |= items.iter().any(|item| item.as_list().is_some() || is_template(item));
        }
    });
    found
}
