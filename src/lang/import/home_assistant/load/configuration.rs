//! A configuration: its automations, scripts, scenes and helpers, from YAML and from `.storage`.

use std::sync::Arc;

use super::include::Loader;
use super::package::{Block, blocks};
use crate::lang::Code;
use crate::lang::import::home_assistant::report::{Finding, Reason};
use crate::lang::import::home_assistant::yaml::{Entry, Kind, Node, Place};

/// What a configuration contains, in the order of its files.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Configuration {
    pub(in crate::lang::import::home_assistant) automations: Vec<Node>,
    /// Under their object ids.
    pub(in crate::lang::import::home_assistant) scripts: Vec<(String, Node)>,
    pub(in crate::lang::import::home_assistant) scenes: Vec<Node>,
    pub(in crate::lang::import::home_assistant) helpers: Vec<Helper>,
    pub(in crate::lang::import::home_assistant) rest_commands: Vec<(String, Node)>,
    pub(in crate::lang::import::home_assistant) shell_commands: Vec<(String, Node)>,
    /// `homeassistant:`.
    pub(in crate::lang::import::home_assistant) core: Option<Node>,
    /// What the user interface keeps of the home's place: `latitude`, `longitude` and `time_zone`.
    pub(in crate::lang::import::home_assistant) stored_core: Option<Node>,
    /// `mqtt_statestream:`.
    pub(in crate::lang::import::home_assistant) statestream: Option<Node>,
    /// What isn't taken over as a whole.
    pub(in crate::lang::import::home_assistant) refused: Vec<Finding>,
}

/// A helper: `input_boolean.vacation`.
#[derive(Debug, Clone)]
pub(in crate::lang::import::home_assistant) struct Helper {
    pub(in crate::lang::import::home_assistant) domain: String,
    pub(in crate::lang::import::home_assistant) object: String,
    pub(in crate::lang::import::home_assistant) node: Node,
}

/// The domains of helpers that are maps of object ids.
const HELPERS: [&str; 10] = [
    "input_boolean",
    "input_number",
    "input_text",
    "input_select",
    "input_datetime",
    "input_button",
    "timer",
    "counter",
    "schedule",
    "group",
];

/// Sensors that compute something from others.
const COMPUTED: [&str; 10] = [
    "history_stats",
    "statistics",
    "trend",
    "threshold",
    "derivative",
    "integration",
    "utility_meter",
    "min_max",
    "bayesian",
    "filter",
];

/// Reads a configuration: `single` names one file of it, else it is a whole folder.
///
/// # Errors
/// When there is nothing to read.
pub(in crate::lang::import::home_assistant) fn load(
    loader: &mut Loader<'_>,
    single: Option<&str>,
) -> Result<Configuration, String> {
    let mut found = Configuration::default();
    if let Some(path) = single {
        let node = loader.file(path);
        if let Some(node) = node {
            found.take_single(&node, path);
        } else if loader.findings.is_empty() && !loader.files.contains_key(path) {
            return Err(format!("there is no `{path}`"));
        }
    } else if let Some(root) = loader.file("configuration.yaml") {
        if root.as_map().is_none() && !root.is_null() {
            let reason = "configuration.yaml isn't a map of blocks (`automation:`, `script:`, …), so Home Assistant doesn't read it either";
            loader.refuse("configuration.yaml", root.place.line, reason.to_owned());
        }
        for block in blocks(&root) {
            found.take(block);
        }
    } else if !loader.files.contains_key("configuration.yaml") && !loader.findings.is_empty() {
        return Ok(found);
    } else {
        let mut any = loader.files.contains_key("configuration.yaml");
        for (path, domain) in [
            ("automations.yaml", "automation"),
            ("scripts.yaml", "script"),
            ("scenes.yaml", "scene"),
            ("groups.yaml", "group"),
        ] {
            if let Some(node) = loader.file(path) {
                any = true;
                found.take(Block { domain: domain.to_owned(), node });
            } else {
                any |= loader.files.contains_key(path);
            }
        }
        if !any {
            return Err("there is no configuration.yaml, and no automations.yaml".to_owned());
        }
    }
    if single.is_none() {
        for domain in HELPERS {
            stored(loader, domain, &mut found);
        }
        entries_of_helpers(loader, &mut found);
        found.stored_core = stored_core(loader);
    }
    Ok(found)
}

impl Configuration {
    /// Takes one file, which may be any part of a configuration.
    fn take_single(&mut self, node: &Node, path: &str) {
        let is_automation =
            |node: &Node| ["trigger", "triggers", "use_blueprint"].iter().any(|key| node.get(key).is_some());
        let name = path.rsplit('/').next().unwrap_or(path);
        let domain = match &node.kind {
            Kind::List(items) if items.iter().any(|item| item.get("entities").is_some()) => "scene",
            Kind::List(_) => "automation",
            Kind::Map(_) if is_automation(node) => "automation",
            Kind::Map(entries) if entries.iter().any(|entry| entry.value.get("sequence").is_some()) => "script",
            _ if name.starts_with("scripts") => "script",
            _ if name.starts_with("groups") => "group",
            _ => {
                for block in blocks(node) {
                    self.take(block);
                }
                return;
            }
        };
        self.take(Block { domain: domain.to_owned(), node: node.clone() });
    }

    fn take(&mut self, block: Block) {
        let Block { domain, node } = block;
        match &*domain {
            "automation" => self.automations.extend(flat(&node)),
            "scene" => self.scenes.extend(flat(&node)),
            "script" => self.scripts.extend(named(&node)),
            "rest_command" => self.rest_commands.extend(named(&node)),
            "shell_command" => self.shell_commands.extend(named(&node)),
            "homeassistant" => self.core = self.core.take().or(Some(node.clone())),
            "mqtt_statestream" => self.statestream = Some(node.clone()),
            "template" => {
                for item in node.items() {
                    self.template(item);
                }
            }
            "sensor" | "binary_sensor" => {
                for item in node.items() {
                    self.platform(&domain, item);
                }
            }
            "utility_meter" => self.refuse(
                &node,
                "utility_meter",
                "it computes from history: Home Assistant can go on computing it, or write it with `change`",
            ),
            _ if HELPERS.contains(&&*domain) => {
                self.helpers.extend(named(&node).into_iter().map(|(object, node)| Helper {
                    domain: domain.clone(),
                    object,
                    node,
                }));
            }
            _ => {}
        }
        // A file that can't be read is told by the loader; a tag that can't be, here.
        if let Kind::Broken(reason) = &node.kind
            && ["automation", "script", "scene", "template"].contains(&&*domain)
        {
            let (file, line) = (Arc::clone(&node.place.file), node.place.line);
            self.refused.push(Finding { file, line, name: domain, reason: Reason::clone(reason) });
        }
    }

    fn template(&mut self, node: &Node) {
        let is_triggered = ["trigger", "triggers"].iter().any(|key| node.get(key).is_some());
        for entry in node.as_map().unwrap_or_default() {
            let kind = entry.name();
            if !matches!(kind, "sensor" | "binary_sensor") {
                if matches!(
                    kind,
                    "switch"
                        | "light"
                        | "cover"
                        | "fan"
                        | "lock"
                        | "select"
                        | "number"
                        | "button"
                        | "vacuum"
                        | "weather"
                        | "image"
                ) {
                    self.refuse(&entry.value, &format!("template {kind}"), "only template sensors are taken over");
                }
                continue;
            }
            for item in entry.value.items() {
                if is_triggered {
                    let name = item.get("name").and_then(Node::to_text).unwrap_or_else(|| kind.to_owned());
                    let reason =
                        "a template sensor with triggers isn't taken over: Home Assistant can go on computing it";
                    self.refuse(item, &name, reason);
                    continue;
                }
                let name = item.get("default_entity_id").and_then(Node::to_text);
                let name = name.map(|id| id.rsplit('.').next().unwrap_or(&id).to_owned());
                let name = name.or_else(|| item.get("name").and_then(Node::to_text));
                let name = name.or_else(|| item.get("unique_id").and_then(Node::to_text));
                let object = crate::lang::import::home_assistant::words::slug(&name.unwrap_or_default());
                self.helpers.push(Helper { domain: format!("template_{kind}"), object, node: item.clone() });
            }
        }
    }

    /// Takes an item of `sensor:` or `binary_sensor:`: the old form of template sensors, and what computes.
    fn platform(&mut self, domain: &str, node: &Node) {
        let platform = node.get("platform").and_then(Node::to_text).unwrap_or_default();
        if platform == "template" {
            let sensors = node.get("sensors").cloned().unwrap_or_else(|| Node::list_at(&node.place, Vec::new()));
            for (object, mut node) in named(&sensors) {
                if let Kind::Map(entries) = &mut node.kind {
                    for entry in entries {
                        if entry.name() == "value_template" {
                            entry.key = Node::text_at(&entry.key.place, "state");
                        }
                    }
                }
                self.helpers.push(Helper { domain: format!("template_{domain}"), object, node });
            }
        } else if COMPUTED.contains(&&*platform) {
            let name = node.get("name").and_then(Node::to_text).unwrap_or_else(|| platform.clone());
            let reason = format!(
                "`{platform}` isn't taken over: Home Assistant can go on computing it, or write it with `average`, `duration` and the like"
            );
            self.refuse(node, &name, &reason);
        }
    }

    fn refuse(&mut self, node: &Node, name: &str, reason: &str) {
        let (file, line) = (Arc::clone(&node.place.file), node.place.line);
        self.refused.push(Finding {
            file,
            line,
            name: name.to_owned(),
            reason: Reason::new(Code::HELPER_NOT_TAKEN, reason),
        });
    }
}

/// Returns the items of a list, lists within it written out; a map alone is one item.
fn flat(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::List(items) => items.iter().flat_map(flat).collect(),
        Kind::Broken(_) => Vec::new(),
        _ if node.is_null() => Vec::new(),
        _ => vec![node.clone()],
    }
}

/// Returns the entries of a map; of a list of maps too.
fn named(node: &Node) -> Vec<(String, Node)> {
    let of = |entries: &[Entry]| {
        entries.iter().map(|entry| (entry.name().to_owned(), entry.value.clone())).collect::<Vec<_>>()
    };
    match &node.kind {
        Kind::Map(entries) => of(entries),
        Kind::List(items) => items.iter().flat_map(named).collect(),
        Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => Vec::new(),
    }
}

/// Returns what the user interface keeps of the home's place.
fn stored_core(loader: &mut Loader<'_>) -> Option<Node> {
    let path = ".storage/core.config";
    let text = loader.text(path)?;
    let json = serde_json::from_str::<serde_json::Value>(&text);
    let Ok(data) = json.as_ref().map(|json| json.get("data").cloned().unwrap_or_default()) else {
        loader.refuse(path, 1, format!("`{path}` isn't JSON"));
        return None;
    };
    Some(of_json(&Place { file: path.into(), line: 1, end: 1 }, &data))
}

/// Takes the helpers of a domain that were made in the user interface.
fn stored(loader: &mut Loader<'_>, domain: &str, found: &mut Configuration) {
    let path = format!(".storage/{domain}");
    for item in storage_items(loader, &path, "items") {
        let Some(object) = item.get("id").and_then(Node::to_text) else { continue };
        found.helpers.push(Helper { domain: domain.to_owned(), object, node: item });
    }
}

/// Returns the items of a file of `.storage`: JSON, which YAML is too.
pub(in crate::lang::import::home_assistant) fn storage_items(
    loader: &mut Loader<'_>,
    path: &str,
    key: &str,
) -> Vec<Node> {
    let Some(text) = loader.text(path) else { return Vec::new() };
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(json) => {
            let place = Place { file: path.into(), line: 1, end: 1 };
            let items = json.get("data").and_then(|data| data.get(key)).and_then(serde_json::Value::as_array);
            if items.is_none() {
                loader.refuse(path, 1, format!("`{path}` isn't as Home Assistant writes it: `data.{key}` is missing"));
            }
            items.map(|items| items.iter().map(|item| of_json(&place, item)).collect()).unwrap_or_default()
        }
        Err(error) => {
            loader.refuse(path, error.line(), format!("`{path}` isn't JSON: {error}"));
            Vec::new()
        }
    }
}

fn of_json(place: &Place, json: &serde_json::Value) -> Node {
    use crate::lang::import::home_assistant::yaml::{Scalar, Value};
    let scalar = |text: String, value| Kind::Scalar(Scalar { text: text.into(), value, secret: None });
    let kind = match json {
        serde_json::Value::Null => scalar(String::new(), Value::Null),
        serde_json::Value::Bool(value) => scalar(value.to_string(), Value::Bool(*value)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => scalar(number.to_string(), Value::Int(whole)),
            None => scalar(number.to_string(), Value::Float(number.as_f64().unwrap_or_default())),
        },
        serde_json::Value::String(text) => scalar(text.clone(), Value::Text),
        serde_json::Value::Array(items) => Kind::List(items.iter().map(|item| of_json(place, item)).collect()),
        serde_json::Value::Object(map) => Kind::Map(
            map.iter()
                .map(|(key, value)| Entry { key: Node::text_at(place, key), value: of_json(place, value) })
                .collect(),
        ),
    };
    Node { place: place.clone(), kind }
}

/// Takes template and group helpers that are config entries, and refuses the others by name.
fn entries_of_helpers(loader: &mut Loader<'_>, found: &mut Configuration) {
    for entry in storage_items(loader, ".storage/core.config_entries", "entries") {
        let domain = entry.get("domain").and_then(Node::to_text).unwrap_or_default();
        let title = entry.get("title").and_then(Node::to_text).unwrap_or_default();
        let Some(options) = entry.get("options") else { continue };
        let object = crate::lang::import::home_assistant::words::slug(&title);
        match &*domain {
            "template" => {
                let kind = options.get("template_type").and_then(Node::to_text).unwrap_or_default();
                if matches!(&*kind, "sensor" | "binary_sensor") {
                    found.helpers.push(Helper { domain: format!("template_{kind}"), object, node: options.clone() });
                } else {
                    found.refuse(&entry, &title, &format!("a template {kind} isn't taken over"));
                }
            }
            "group" => found.helpers.push(Helper { domain: "group".to_owned(), object, node: options.clone() }),
            "history_stats" | "statistics" | "trend" | "threshold" | "derivative" | "integration" | "utility_meter"
            | "min_max" | "generic_thermostat" | "generic_hygrostat" | "switch_as_x" | "tod" | "mold_indicator"
            | "filter" | "random" => {
                found.refuse(
                    &entry,
                    &title,
                    &format!(
                        "the helper `{title}` (`{domain}`) isn't taken over: Home Assistant can go on computing it"
                    ),
                );
            }
            _ => {}
        }
    }
}
