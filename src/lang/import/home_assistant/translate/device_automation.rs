//! Device triggers, conditions and actions, as the user interface of Home Assistant makes them.

use crate::lang::import::home_assistant::expression::{Fired, FiredKey, FiredKind, Marks};
use crate::lang::import::home_assistant::translate::condition::kinds::Condition;
use crate::lang::import::home_assistant::translate::trigger::kinds::{Started, Triggers};
use crate::lang::import::home_assistant::translate::trigger::state_trigger::entries;
use crate::lang::import::home_assistant::translate::work::{Answer, Work};
use crate::lang::import::home_assistant::words::slug;
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::{Entry, Kind, Node};

/// What a device trigger or condition asks.
enum Asked {
    /// The entity's state is this.
    State(&'static str),
    /// It's any other.
    Changed,
    /// A number is in a range; of an attribute.
    Number(Option<&'static str>),
}

fn asked(domain: &str, kind: &str) -> Option<Asked> {
    Some(match (domain, kind) {
        (
            "light" | "switch" | "fan" | "remote" | "humidifier" | "siren" | "media_player" | "update" | "climate"
            | "input_boolean",
            "turned_on" | "is_on",
        ) => Asked::State("on"),
        (
            "light" | "switch" | "fan" | "remote" | "humidifier" | "siren" | "media_player" | "update" | "climate"
            | "input_boolean",
            "turned_off" | "is_off",
        ) => Asked::State("off"),
        (_, "changed_states" | "current_option_changed" | "pressed") => Asked::Changed,
        ("cover" | "valve", "opened" | "is_open") => Asked::State("open"),
        ("cover" | "valve", "closed" | "is_closed") => Asked::State("closed"),
        ("cover" | "valve", "opening" | "is_opening") => Asked::State("opening"),
        ("cover" | "valve", "closing" | "is_closing") => Asked::State("closing"),
        ("cover", "position" | "is_position") => Asked::Number(Some("current_position")),
        ("cover", "tilt_position" | "is_tilt_position") => Asked::Number(Some("current_tilt_position")),
        ("lock", "locked" | "is_locked") => Asked::State("locked"),
        ("lock", "unlocked" | "is_unlocked") => Asked::State("unlocked"),
        ("lock", "jammed" | "is_jammed") => Asked::State("jammed"),
        ("vacuum", "cleaning" | "is_cleaning") => Asked::State("cleaning"),
        ("vacuum", "docked" | "is_docked") => Asked::State("docked"),
        ("device_tracker" | "person", "is_home") => Asked::State("home"),
        ("device_tracker" | "person", "is_not_home") => Asked::State("not_home"),
        ("alarm_control_panel", "triggered" | "is_triggered") => Asked::State("triggered"),
        ("alarm_control_panel", "disarmed" | "is_disarmed") => Asked::State("disarmed"),
        ("alarm_control_panel", "arming") => Asked::State("arming"),
        ("alarm_control_panel", "armed_home" | "is_armed_home") => Asked::State("armed_home"),
        ("alarm_control_panel", "armed_away" | "is_armed_away") => Asked::State("armed_away"),
        ("alarm_control_panel", "armed_night" | "is_armed_night") => Asked::State("armed_night"),
        ("alarm_control_panel", "armed_vacation" | "is_armed_vacation") => Asked::State("armed_vacation"),
        ("media_player", "playing" | "is_playing") => Asked::State("playing"),
        ("media_player", "paused" | "is_paused") => Asked::State("paused"),
        ("media_player", "idle" | "is_idle") => Asked::State("idle"),
        ("media_player", "buffering" | "is_buffering") => Asked::State("buffering"),
        ("climate", "current_temperature_changed") => Asked::Number(Some("current_temperature")),
        ("climate", "current_humidity_changed") => Asked::Number(Some("current_humidity")),
        ("sensor" | "number", _) => Asked::Number(None),
        ("binary_sensor", kind) => {
            let is_off = kind.starts_with("not_")
                || kind.starts_with("no_")
                || kind.starts_with("is_not_")
                || kind.starts_with("is_no_")
                || matches!(kind, "turned_off" | "is_off" | "closed");
            Asked::State(if is_off { "off" } else { "on" })
        }
        _ => return None,
    })
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::to_text).unwrap_or_default()
}

/// Returns a node with these keys, and those of `node` that `kept` names.
fn made(node: &Node, keys: Vec<(&str, Node)>, kept: &[&str]) -> Node {
    let mut copy = Node::map_at(&node.place, keys);
    if let Kind::Map(entries) = &mut copy.kind {
        for entry in node.as_map().unwrap_or_default() {
            if kept.contains(&entry.name()) {
                entries.push(Entry { key: entry.key.clone(), value: entry.value.clone() });
            }
        }
    }
    copy
}

impl Work<'_> {
    pub(in crate::lang::import::home_assistant::translate) fn device_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let (domain, kind) = (text(node, "domain"), text(node, "type"));
        if domain == "mqtt" {
            return self.mqtt_device_trigger(node, triggers);
        }
        if node.get("entity_id").is_none() {
            return self.refuse(
                node,
                format!(
                    "a device trigger of `{domain}` has no counterpart: the device's own topic, or its `action`, works"
                ),
            );
        }
        let word = |text: &str| Node::text_at(&node.place, text);
        match asked(&domain, &kind) {
            Some(Asked::State(state)) => {
                let node = made(node, vec![("trigger", word("state")), ("to", word(state))], &["entity_id", "for"]);
                self.state_trigger(&node, triggers)
            }
            Some(Asked::Changed) => {
                let node = made(node, vec![("trigger", word("state"))], &["entity_id", "for", "from", "to"]);
                self.state_trigger(&node, triggers)
            }
            Some(Asked::Number(attribute)) => {
                let mut keys = vec![("trigger", word("numeric_state"))];
                keys.extend(attribute.map(|attribute| ("attribute", word(attribute))));
                let node = made(node, keys, &["entity_id", "for", "above", "below"]);
                self.numeric_trigger(&node, triggers)
            }
            None => self.refuse(node, format!("a device trigger `{kind}` of `{domain}` has no counterpart here")),
        }
    }

    /// Translates a trigger of a device that speaks MQTT: a button of a remote.
    pub(in crate::lang::import::home_assistant::translate) fn mqtt_device_trigger(
        &mut self,
        node: &Node,
        triggers: &mut Triggers,
    ) -> Answer<()> {
        let id = text(node, "device_id");
        let home = self.scope.home;
        let Some(registered) = home.registries.device(&id) else {
            return self.refuse(
                node,
                format!(
                    "which device `{id}` is isn't known: copy `.storage/core.device_registry` beside the configuration"
                ),
            );
        };
        let Some(device) = home.known_device(registered) else {
            let name = registered.name.clone().unwrap_or(id);
            return self.refuse(
                node,
                format!("the device `{name}` isn't known here yet: run `homerule devices --save`, and import again"),
            );
        };
        let (kind, subtype) = (text(node, "type"), text(node, "subtype"));
        let property = device
            .properties
            .iter()
            .find(|property| property.name == "action")
            .or_else(|| device.properties.iter().find(|property| property.holds == "event"));
        let Some(property) = property else {
            let name = device.name.clone();
            return self.refuse(node, format!("the device `{name}` has no `action` here"));
        };
        // zigbee2mqtt's triggers are of the type `action`; other sources put both words into the event.
        let value = if kind == "action" || subtype.is_empty() {
            if subtype.is_empty() { kind } else { subtype }
        } else if kind == subtype {
            kind
        } else {
            format!("{kind}_{subtype}")
        };
        let value =
            if value.starts_with("button_short_press_") { value.replace("button_short_press_", "") } else { value };
        let doc = entries(vec![
            ("device", Doc::text(&device.name)),
            ("field", Doc::text(&property.name)),
            ("to", Doc::text(value)),
        ]);
        let fired = Fired {
            kind: FiredKind::Other,
            platform: "device".to_owned(),
            key: Some(FiredKey::Device(device.name.clone())),
            marks: Marks::default(),
        };
        triggers.push(Started { doc, fired, guard: None });
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn device_condition(
        &mut self,
        node: &Node,
    ) -> Answer<Condition> {
        let (domain, kind) = (text(node, "domain"), text(node, "type"));
        if node.get("entity_id").is_none() {
            return self.refuse(node, format!("a device condition of `{domain}` has no counterpart here"));
        }
        let word = |text: &str| Node::text_at(&node.place, text);
        let condition = match asked(&domain, &kind) {
            Some(Asked::State(state)) => {
                made(node, vec![("condition", word("state")), ("state", word(state))], &["entity_id", "for"])
            }
            Some(Asked::Number(attribute)) => {
                let mut keys = vec![("condition", word("numeric_state"))];
                keys.extend(attribute.map(|attribute| ("attribute", word(attribute))));
                made(node, keys, &["entity_id", "above", "below"])
            }
            Some(Asked::Changed) | None => {
                return match (domain.as_str(), kind.as_str(), node.get("option").or_else(|| node.get("hvac_mode"))) {
                    ("select" | "climate", _, Some(wanted)) => {
                        let wanted = Node::text_at(&wanted.place, &wanted.to_text().unwrap_or_default());
                        let condition =
                            made(node, vec![("condition", word("state")), ("state", wanted)], &["entity_id", "for"]);
                        match self.condition(&condition)? {
                            Some(condition) => Ok(condition),
                            None => self.refuse(node, "this condition is empty"),
                        }
                    }
                    _ => {
                        self.refuse(node, format!("a device condition `{kind}` of `{domain}` has no counterpart here"))
                    }
                };
            }
        };
        match self.condition(&condition)? {
            Some(condition) => Ok(condition),
            None => self.refuse(node, "this condition is empty"),
        }
    }

    /// Translates a notification to a device: that of its app.
    fn notify_device(&mut self, node: &Node) -> Answer<Vec<Doc>> {
        let id = text(node, "device_id");
        let name = self.scope.home.registries.device(&id).and_then(|device| device.name.clone());
        let name = name.map_or_else(|| slug(&id), |name| slug(&name));
        let data = made(node, Vec::new(), &["message", "title", "data"]);
        let word = Node::text_at(&node.place, &format!("notify.mobile_app_{name}"));
        self.call(&Node::map_at(&node.place, vec![("action", word), ("data", data)]))
    }

    #[expect(clippy::match_same_arms, reason = "a table: a line for each action")]
    pub(in crate::lang::import::home_assistant::translate) fn device_action(
        &mut self,
        node: &Node,
    ) -> Answer<Vec<Doc>> {
        let (domain, kind) = (text(node, "domain"), text(node, "type"));
        if (&*domain, &*kind) == ("mobile_app", "notify") {
            return self.notify_device(node);
        }
        let service = match (domain.as_str(), kind.as_str()) {
            ("light" | "switch" | "fan" | "humidifier" | "remote" | "siren", "turn_on" | "turn_off" | "toggle") => {
                kind.clone()
            }
            ("light", "brightness_increase" | "brightness_decrease" | "flash") => "turn_on".to_owned(),
            ("cover", "open" | "close" | "stop") => format!("{kind}_cover"),
            ("cover", "open_tilt" | "close_tilt") => kind.replace("_tilt", "_cover_tilt"),
            ("cover", "set_position") => "set_cover_position".to_owned(),
            ("cover", "set_tilt_position") => "set_cover_tilt_position".to_owned(),
            ("lock", "lock" | "unlock" | "open") => kind.clone(),
            ("climate", "set_hvac_mode" | "set_preset_mode") | ("humidifier", "set_humidity" | "set_mode") => {
                kind.clone()
            }
            ("button", "press") | ("number" | "text", "set_value") => kind.clone(),
            ("select", "select_option" | "select_first" | "select_last" | "select_next" | "select_previous") => {
                kind.clone()
            }
            ("vacuum", "clean") => "start".to_owned(),
            ("vacuum", "dock") => "return_to_base".to_owned(),
            ("alarm_control_panel", kind) => format!("alarm_{kind}"),
            _ => {
                return self.refuse(node, format!("a device action `{kind}` of `{domain}` has no counterpart here"));
            }
        };
        if node.get("entity_id").is_none() {
            return self.refuse(node, format!("a device action `{kind}` of `{domain}` has no counterpart here"));
        }
        let ids: Vec<Node> = node.get("entity_id").map(Node::items).unwrap_or_default().into_iter().cloned().collect();
        let mut data: Vec<(&str, Node)> = Vec::new();
        for entry in node.as_map().unwrap_or_default() {
            match entry.name() {
                "device_id" | "domain" | "type" | "entity_id" | "alias" | "enabled" | "metadata"
                | "continue_on_error" => {}
                name => data.push((name, entry.value.clone())),
            }
        }
        match kind.as_str() {
            "flash" if data.iter().all(|(name, _)| *name != "flash") => {
                data.push(("flash", Node::text_at(&node.place, "short")));
            }
            "brightness_increase" => data.push(("brightness_step_pct", Node::text_at(&node.place, "10"))),
            "brightness_decrease" => data.push(("brightness_step_pct", Node::text_at(&node.place, "-10"))),
            _ => {}
        }
        let mut keys = vec![
            ("action", Node::text_at(&node.place, &format!("{domain}.{service}"))),
            ("target", Node::map_at(&node.place, vec![("entity_id", Node::list_at(&node.place, ids))])),
        ];
        if !data.is_empty() {
            keys.push(("data", Node::map_at(&node.place, data)));
        }
        self.call(&Node::map_at(&node.place, keys))
    }
}
