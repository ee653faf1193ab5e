//! Commands of devices: what an action of Home Assistant sets, in our words.

use serde_json::{Value as Json, json};

use crate::lang::import::home_assistant::expression::escape;
use crate::lang::import::home_assistant::translate::work::{Answer, Work, is_template};
use crate::lang::import::home_assistant::write::Doc;
use crate::lang::import::home_assistant::yaml::Node;

pub(in crate::lang::import::home_assistant::translate) const TOGGLE: &str =
    "`toggle` of a device whose state isn't known turns it on there, and fails here";

/// What a device is told.
pub(in crate::lang::import::home_assistant::translate) type Told = Vec<(String, Doc)>;

impl Work<'_> {
    /// Returns what a device's entity is told by an action. `property` is the entity's main one.
    #[expect(clippy::match_same_arms, reason = "a table: a line for each action")]
    pub(in crate::lang::import::home_assistant::translate) fn told(
        &mut self,
        node: &Node,
        domain: &str,
        service: &str,
        property: &str,
    ) -> Answer<Told> {
        let data = node.get("data").cloned().unwrap_or_else(|| Node::map_at(&node.place, Vec::new()));
        let on = |value: Json| vec![(property.to_owned(), Doc::Value(value))];
        let sibling = |word: &str| match property.split_once('_') {
            Some(("on", ending)) => format!("{word}_{ending}"),
            _ => word.to_owned(),
        };
        let told = match (domain, service) {
            ("light", "turn_on" | "toggle") => {
                let mut told = if service == "toggle" {
                    self.differ(TOGGLE);
                    on(json!("toggle"))
                } else {
                    on(json!(true))
                };
                self.light(&data, &mut told, &sibling)?;
                return Ok(told);
            }
            ("light", "turn_off") => {
                let mut told = on(json!(false));
                self.light(&data, &mut told, &sibling)?;
                return Ok(told);
            }
            ("switch" | "fan" | "siren" | "humidifier" | "input_boolean" | "remote" | "automation", "turn_on")
                if property != "sound" =>
            {
                let mut told = on(json!(true));
                if domain == "fan" {
                    for (key, word) in [("percentage", "fan"), ("preset_mode", "preset")] {
                        if let Some(value) = data.get(key) {
                            told.push((word.to_owned(), Doc::Value(self.data(value)?)));
                        }
                    }
                }
                told
            }
            ("switch" | "fan" | "siren" | "humidifier" | "remote", "turn_off") => on(json!(false)),
            ("switch" | "fan" | "siren" | "humidifier" | "remote", "toggle") => {
                self.differ(TOGGLE);
                on(json!("toggle"))
            }
            ("siren", "turn_on") => return self.siren(&data, property),
            ("fan", "set_percentage") => self.one(node, &data, "percentage", "fan")?,
            ("fan" | "climate", "set_preset_mode") => self.one(node, &data, "preset_mode", "preset")?,
            ("fan", "oscillate") => self.one(node, &data, "oscillating", "oscillating")?,
            ("fan", "set_direction") => self.one(node, &data, "direction", "direction")?,
            ("cover", "open_cover") => word("move", "open"),
            ("cover", "close_cover") => word("move", "close"),
            ("cover", "stop_cover") => word("move", "stop"),
            ("cover", "set_cover_position") => self.one(node, &data, "position", "position")?,
            ("cover", "open_cover_tilt") => word("tilt", "open"),
            ("cover", "close_cover_tilt") => word("tilt", "closed"),
            ("cover", "set_cover_tilt_position") => self.one(node, &data, "tilt_position", "tilt")?,
            ("valve", "open_valve") => word("position", "open"),
            ("valve", "close_valve") => word("position", "closed"),
            ("valve", "set_valve_position") => self.one(node, &data, "position", "position")?,
            ("lock", "lock" | "unlock") => {
                if data.get("code").is_some() {
                    return self.refuse(&data, "a lock's `code` has no counterpart here");
                }
                on(json!(service == "lock"))
            }
            ("climate" | "water_heater", "set_temperature") => self.several(
                node,
                &data,
                &[
                    ("hvac_mode", "mode"),
                    ("temperature", "setpoint"),
                    ("target_temp_low", "setpoint_low"),
                    ("target_temp_high", "setpoint_high"),
                ],
            )?,
            ("climate", "set_hvac_mode") => self.one(node, &data, "hvac_mode", "mode")?,
            ("water_heater", "set_operation_mode") => self.one(node, &data, "operation_mode", "mode")?,
            ("climate", "set_fan_mode") => self.one(node, &data, "fan_mode", "fan_mode")?,
            ("climate", "set_swing_mode") => self.one(node, &data, "swing_mode", "swing_mode")?,
            ("climate" | "humidifier", "set_humidity") => self.one(node, &data, "humidity", "humidity_target")?,
            ("humidifier", "set_mode") => self.one(node, &data, "mode", "mode")?,
            ("climate" | "water_heater", "turn_off") => word("mode", "off"),
            ("select", "select_option") => self.one(node, &data, "option", property)?,
            ("number", "set_value") => self.one(node, &data, "value", property)?,
            ("text", "set_value") => self.one(node, &data, "value", property)?,
            ("button", "press") => on(json!(true)),
            ("vacuum", "start" | "pause" | "stop" | "locate") => word("vacuum", service),
            ("vacuum", "return_to_base") => word("vacuum", "dock"),
            ("vacuum", "clean_spot") => word("vacuum", "spot"),
            ("alarm_control_panel", service) if service.starts_with("alarm_arm_") || service == "alarm_disarm" => {
                let mut told = word("alarm", service.trim_start_matches("alarm_"));
                if let Some(code) = data.get("code") {
                    let code = self.secret_or_text(code)?;
                    told.push(("code".to_owned(), code));
                }
                told
            }
            _ => {
                return self.refuse(node, format!("`{domain}.{service}` has no counterpart for a device: set its properties, or leave the entity to Home Assistant"));
            }
        };
        self.refuse_other_keys(&data, &told_keys(domain, service))?;
        Ok(told)
    }

    pub(in crate::lang::import::home_assistant::translate) fn refuse_other_keys(
        &mut self,
        data: &Node,
        known: &[&str],
    ) -> Answer<()> {
        for entry in data.as_map().unwrap_or_default() {
            if !known.contains(&entry.name()) {
                let message = format!("`{}` has no counterpart for a device here", entry.name());
                return self.refuse(&entry.value, message);
            }
        }
        Ok(())
    }

    /// Returns one property of the data, which must be there.
    pub(in crate::lang::import::home_assistant::translate) fn one(
        &mut self,
        node: &Node,
        data: &Node,
        key: &str,
        property: &str,
    ) -> Answer<Told> {
        let Some(value) = data.get(key) else { return self.refuse(node, format!("`{key}` is missing")) };
        let value = self.bare(value)?;
        Ok(vec![(property.to_owned(), value)])
    }

    /// Returns a value whose unquoted `off` is the word.
    pub(in crate::lang::import::home_assistant::translate) fn bare(&mut self, node: &Node) -> Answer<Doc> {
        match (node.as_bool(), node.as_scalar()) {
            (Some(_), Some(scalar)) if matches!(&*scalar.text, "on" | "off" | "On" | "Off") => {
                Ok(Doc::text(scalar.text.to_lowercase()))
            }
            _ => Ok(Doc::Value(self.data(node)?)),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn several(
        &mut self,
        node: &Node,
        data: &Node,
        keys: &[(&str, &str)],
    ) -> Answer<Told> {
        let mut told = Vec::new();
        for (key, property) in keys {
            if let Some(value) = data.get(key) {
                told.push(((*property).to_owned(), self.bare(value)?));
            }
        }
        if told.is_empty() {
            self.refuse(
                node,
                format!("`{}` is missing", keys.iter().map(|(key, _)| *key).collect::<Vec<_>>().join("` or `")),
            )
        } else {
            Ok(told)
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn siren(
        &mut self,
        data: &Node,
        property: &str,
    ) -> Answer<Told> {
        let mut keys = Vec::new();
        for entry in data.as_map().unwrap_or_default() {
            let value = self.data(&entry.value)?;
            match entry.name() {
                "tone" => keys.push(("tone", Doc::Value(value))),
                "volume_level" => keys.push(("volume", Doc::Value(value))),
                "duration" => keys.push(("duration", Doc::text(self.duration(&entry.value)?))),
                other => {
                    let message = format!("`{other}` of a siren has no counterpart here");
                    return self.refuse(&entry.value, message);
                }
            }
        }
        let value = if keys.is_empty() {
            Doc::Value(json!(true))
        } else {
            crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(keys)
        };
        Ok(vec![(property.to_owned(), value)])
    }

    /// Adds what a light is told besides on and off.
    pub(in crate::lang::import::home_assistant::translate) fn light(
        &mut self,
        data: &Node,
        told: &mut Told,
        sibling: &dyn Fn(&str) -> String,
    ) -> Answer<()> {
        let mut turns_off = false;
        for entry in data.as_map().unwrap_or_default() {
            let value = &entry.value;
            let (word, doc) = match entry.name() {
                "brightness" => {
                    let doc = self.scaled_number(value, "ha::percent", |number| {
                        if number <= 0.0 { 0.0 } else { (number * 100.0 / 255.0).round().max(1.0) }
                    })?;
                    turns_off |= doc == Doc::Value(json!(0));
                    ("brightness", doc)
                }
                "brightness_pct" => {
                    let doc = self.scaled_number(value, "ha::round", f64::round)?;
                    turns_off |= doc == Doc::Value(json!(0));
                    ("brightness", doc)
                }
                "brightness_step" => ("brightness", self.step(value, 100.0 / 255.0)?),
                "brightness_step_pct" => ("brightness", self.step(value, 1.0)?),
                "transition" => ("transition", Doc::text(self.duration(value)?)),
                "color_temp_kelvin" | "kelvin" => ("color_temp", Doc::Value(self.data(value)?)),
                "color_temp" => {
                    ("color_temp", self.scaled_number(value, "ha::kelvin", |number| (1_000_000.0 / number).round())?)
                }
                "rgb_color" => ("color", self.rgb(value)?),
                "hs_color" => ("color", self.pair(value, ["hue", "saturation"])?),
                "xy_color" => ("color", self.pair(value, ["x", "y"])?),
                "color_name" => {
                    let name = value.to_text().unwrap_or_default().to_lowercase().replace(' ', "");
                    match crate::lang::import::home_assistant::colors::hex(&name) {
                        Some(hex) => ("color", Doc::text(hex)),
                        None => {
                            return self.refuse(
                                value,
                                format!("`{name}` isn't a colour that is known here: write `rgb_color`"),
                            );
                        }
                    }
                }
                "effect" => ("effect", Doc::Value(self.data(value)?)),
                other => {
                    let message = format!("`{other}` of a light has no counterpart here");
                    return self.refuse(value, message);
                }
            };
            told.push((if word == "transition" { word.to_owned() } else { sibling(word) }, doc));
        }
        if turns_off {
            // A brightness of 0 turns off there.
            told.retain(|(word, _)| !word.starts_with("brightness"));
            if let Some((_, on)) = told.first_mut() {
                *on = Doc::Value(json!(false));
            }
        }
        Ok(())
    }

    pub(in crate::lang::import::home_assistant::translate) fn scaled_number(
        &mut self,
        node: &Node,
        function: &str,
        scale: fn(f64) -> f64,
    ) -> Answer<Doc> {
        if is_template(node) {
            let rendered = self.template(node)?;
            if let Some(number) = rendered.constant().and_then(|text| text.parse::<f64>().ok()) {
                return Ok(Doc::Value(whole(scale(number))));
            }
            let written = rendered.expression().as_number(None);
            return Ok(Doc::text(format!("${{{function}({})}}", written.text)));
        }
        match node.as_number().or_else(|| node.to_text()?.trim().parse().ok()) {
            Some(number) => Ok(Doc::Value(whole(scale(number)))),
            None => self.refuse(node, "a number is needed here"),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn step(&mut self, node: &Node, scale: f64) -> Answer<Doc> {
        match node.as_number().or_else(|| node.to_text()?.trim().parse().ok()) {
            Some(number) => {
                let percent = (number * scale).round();
                Ok(Doc::text(format!("{percent:+}%")))
            }
            None => self.refuse(node, "a step that is computed has no counterpart here"),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn rgb(&mut self, node: &Node) -> Answer<Doc> {
        if is_template(node) {
            let written = self.template(node)?.expression();
            return Ok(Doc::text(format!("${{ha::hex({})}}", written.text)));
        }
        let parts: Vec<Json> = node.items().into_iter().map(|part| self.data(part)).collect::<Answer<_>>()?;
        let numbers: Option<Vec<u8>> =
            parts.iter().map(|part| part.as_u64().and_then(|part| u8::try_from(part).ok())).collect();
        match numbers.as_deref() {
            Some([red, green, blue]) => Ok(Doc::text(format!("#{red:02x}{green:02x}{blue:02x}"))),
            _ => self.refuse(node, "`rgb_color` needs three numbers from 0 to 255"),
        }
    }

    pub(in crate::lang::import::home_assistant::translate) fn pair(
        &mut self,
        node: &Node,
        names: [&str; 2],
    ) -> Answer<Doc> {
        let parts: Vec<Json> = node.items().into_iter().map(|part| self.data(part)).collect::<Answer<_>>()?;
        let [first, second] = names;
        match parts.as_slice() {
            [one, two] => Ok(crate::lang::import::home_assistant::translate::trigger::state_trigger::entries(vec![
                (first, Doc::Value(one.clone())),
                (second, Doc::Value(two.clone())),
            ])),
            _ => self.refuse(node, "two numbers are needed here"),
        }
    }

    /// Returns a text, or where a secret is kept.
    pub(in crate::lang::import::home_assistant::translate) fn secret_or_text(&mut self, node: &Node) -> Answer<Doc> {
        use crate::lang::import::home_assistant::yaml::Secret;
        let Some(scalar) = node.as_scalar() else { return self.refuse(node, "a text is needed here") };
        match &scalar.secret {
            Some(Secret::Named(name)) => {
                let file = self.secret_file(name, &scalar.text);
                Ok(Doc::inline([("file", Doc::text(file))]))
            }
            Some(Secret::Environment(name)) => Ok(Doc::inline([("env", Doc::text(&**name))])),
            None if is_template(node) => Ok(Doc::Value(self.data(node)?)),
            None => Ok(Doc::text(escape(&node.to_text().unwrap_or_default()))),
        }
    }

    /// Notes a secret's file.
    pub(in crate::lang::import::home_assistant::translate) fn secret_file(
        &mut self,
        name: &str,
        value: &str,
    ) -> String {
        let file = format!("secrets/{}.txt", crate::lang::import::home_assistant::words::slug(name));
        self.shared.secrets.borrow_mut().insert(file.clone(), value.to_owned());
        file
    }
}

fn word(property: &str, value: &str) -> Told {
    vec![(property.to_owned(), Doc::text(value))]
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage or a colour temperature")]
fn whole(number: f64) -> Json {
    json!(number as i64)
}

/// Returns the keys of `data` that an action has.
fn told_keys(domain: &str, service: &str) -> Vec<&'static str> {
    match (domain, service) {
        ("fan", "turn_on") => vec!["percentage", "preset_mode"],
        ("fan", "set_percentage") => vec!["percentage"],
        (_, "set_preset_mode") => vec!["preset_mode"],
        ("fan", "oscillate") => vec!["oscillating"],
        ("fan", "set_direction") => vec!["direction"],
        ("cover", "set_cover_position") | ("valve", "set_valve_position") => vec!["position"],
        ("cover", "set_cover_tilt_position") => vec!["tilt_position"],
        (_, "set_temperature") => vec!["hvac_mode", "temperature", "target_temp_low", "target_temp_high"],
        (_, "set_hvac_mode") => vec!["hvac_mode"],
        (_, "set_operation_mode") => vec!["operation_mode"],
        (_, "set_fan_mode") => vec!["fan_mode"],
        (_, "set_swing_mode") => vec!["swing_mode"],
        (_, "set_humidity") => vec!["humidity"],
        (_, "set_mode") => vec!["mode"],
        (_, "select_option") => vec!["option"],
        (_, "set_value") => vec!["value"],
        ("alarm_control_panel", _) => vec!["code"],
        _ => Vec::new(),
    }
}
