//! What of a device's state can be told again, and by which messages it gets back to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;

/// A bulb of zigbee2mqtt with white and colours, and a setting.
const BULB: &str = r#"[{"ieee_address":"0x00158d0000000042","friendly_name":"Bulb","type":"Router","supported":true,"interview_completed":true,"definition":{"model":"M","vendor":"V","description":"d","exposes":[
  {"type":"light","features":[
    {"name":"state","property":"state","type":"binary","access":7,"value_on":"ON","value_off":"OFF"},
    {"name":"brightness","property":"brightness","type":"numeric","access":7,"value_min":0,"value_max":254},
    {"name":"color_temp","property":"color_temp","type":"numeric","access":7,"unit":"mired","value_min":150,"value_max":500},
    {"name":"color_xy","property":"color","type":"composite","access":7,"features":[{"name":"x","property":"x","type":"numeric","access":7},{"name":"y","property":"y","type":"numeric","access":7}]}]},
  {"type":"enum","name":"effect","property":"effect","access":2,"values":["blink"]},
  {"type":"enum","name":"power_on_behavior","property":"power_on_behavior","access":7,"values":["off","on"]},
  {"type":"numeric","name":"linkquality","property":"linkquality","access":1}]}}]"#;

impl Home {
    fn restorable(&self, name: &str) -> Vec<(Arc<str>, Value)> {
        let device = self.device(name);
        let said = |property: &str| {
            let value = self.said.get(&(device.id.to_string(), property.to_owned()))?;
            Some((value.clone(), Timestamp::UNIX_EPOCH))
        };
        device.restorable(&said, &|topic| self.last.get(topic.as_str()).cloned())
    }

    /// Returns what is sent to a device to get back to `values`, of which these were commanded since.
    fn back(&self, name: &str, values: &[(Arc<str>, Value)], commanded: &[&str]) -> Vec<String> {
        let device = self.device(name);
        let commanded: BTreeSet<&str> = commanded.iter().copied().collect();
        let known = |property: &str| self.said.get(&(device.id.to_string(), property.to_owned())).cloned();
        let since = Since { is_commanded: &|property| commanded.contains(property), said: &known };
        let (commands, errors) = device.commands_back(values, &since);
        let send = |command: &Map| device.command(command, &known, CommandOptions::default()).unwrap().publications;
        let sent = commands.iter().flat_map(send).map(|publication| written(&publication));
        sent.chain(errors.iter().map(ToString::to_string)).collect()
    }
}

fn shown(values: &[(Arc<str>, Value)]) -> Vec<String> {
    values.iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn bulb(says: &str) -> Home {
    let mut home = Home::new();
    home.note("zigbee2mqtt/bridge/devices", BULB);
    home.hear("zigbee2mqtt/Bulb", says);
    home
}

#[test]
fn a_light_is_remembered_in_the_colour_or_the_white_in_which_it_shines() {
    let says = |mode: &str| {
        format!(
            r#"{{"state":"ON","brightness":127,"color_temp":370,"color":{{"x":0.7,"y":0.3}},"linkquality":80{mode}}}"#
        )
    };
    let white = bulb(&says(r#","color_mode":"color_temp""#)).restorable("Bulb");
    assert_eq!(shown(&white), ["on=true", "brightness=50", "color_temp=2703"]);
    for mode in [r#","color_mode":"xy""#, ""] {
        let colored = bulb(&says(mode)).restorable("Bulb");
        assert_eq!(shown(&colored).len(), 3, "{colored:?}");
        assert!(colored.iter().any(|(name, _)| &**name == "color"), "{colored:?}");
    }
    assert!(bulb(r#"{"linkquality":80}"#).restorable("Bulb").is_empty());
}

#[test]
fn what_was_off_is_switched_off_last() {
    let mut home = bulb(r#"{"state":"OFF","brightness":127,"color_temp":370,"power_on_behavior":"on"}"#);
    let values = home.restorable("Bulb");
    assert_eq!(shown(&values), ["on=false", "brightness=50", "color_temp=2703", "power_on_behavior=on"]);
    // Nobody touched it.
    assert_eq!(home.back("Bulb", &values, &[]), [r#"zigbee2mqtt/Bulb/set {"state":"OFF"}"#]);
    // It was switched on, and hasn't said so yet; its brightness was set.
    let off = r#"zigbee2mqtt/Bulb/set {"state":"OFF"}"#;
    let rest = r#"zigbee2mqtt/Bulb/set {"brightness":127,"color_temp":370}"#;
    assert_eq!(home.back("Bulb", &values, &["on"]), [rest, off]);
    assert_eq!(home.back("Bulb", &values, &["brightness"]), [r#"zigbee2mqtt/Bulb/set {"brightness":127}"#, off]);
    // It says that it was changed by hand.
    home.hear("zigbee2mqtt/Bulb", r#"{"state":"ON","brightness":254,"color_temp":370,"power_on_behavior":"off"}"#);
    let rest = r#"zigbee2mqtt/Bulb/set {"brightness":127,"color_temp":370,"power_on_behavior":"on"}"#;
    assert_eq!(home.back("Bulb", &values, &[]), [rest, off]);
}

#[test]
fn a_device_that_takes_both_at_once_does_not_go_on_before() {
    let mut home = Home::new();
    home.hear("shelly-dimmer/online", "true");
    home.hear("shelly-dimmer/status/light:0", r#"{"id":0,"source":"MQTT","output":false,"brightness":30}"#);
    home.note("shelly-dimmer/online", "true");
    home.note("shelly-dimmer/status/light:0", r#"{"id":0,"source":"MQTT","output":false,"brightness":30}"#);
    home.hear("shelly-dimmer/status/light:0", r#"{"id":0,"source":"MQTT","output":false,"brightness":30}"#);
    let values = home.restorable("shelly-dimmer");
    assert_eq!(shown(&values), ["brightness=30", "on=false"]);
    home.hear("shelly-dimmer/status/light:0", r#"{"id":0,"source":"MQTT","output":false,"brightness":90}"#);
    assert_eq!(
        home.back("shelly-dimmer", &values, &[]),
        [
            r#"shelly-dimmer/rpc {"id":1,"src":"homerule-rpc","method":"Light.Set","params":{"id":0,"on":false,"brightness":30}}"#
        ]
    );
}

#[test]
fn what_a_device_does_not_take_any_more_is_said_and_the_rest_is_sent() {
    let home = bulb(r#"{"state":"ON","brightness":127}"#);
    let mut values = home.restorable("Bulb");
    values.push(("speed".into(), Value::Int(3)));
    assert_eq!(
        home.back("Bulb", &values, &[]),
        [r#"zigbee2mqtt/Bulb/set {"state":"ON","brightness":127}"#, "`Bulb` has no property `speed`"]
    );
}

#[test]
fn what_moves_or_happens_is_not_remembered() {
    let mut home = Home::new();
    let cover =
        r#"{"name":"C","uniq_id":"c","cmd_t":"c/cmd","stat_t":"c/state","pos_t":"c/pos","set_pos_t":"c/setpos"}"#;
    home.note("homeassistant/cover/c/config", cover);
    home.note("homeassistant/button/b/config", r#"{"name":"B","uniq_id":"b","cmd_t":"b/cmd"}"#);
    home.hear("c/state", "opening");
    home.hear("c/pos", "70");
    assert_eq!(shown(&home.restorable("C")), ["position=70"]);
    assert!(home.restorable("B").is_empty());
}

#[test]
fn a_thermostat_gets_its_mode_after_its_setpoint() {
    let climate = r#"{"name":"H","uniq_id":"h","min_temp":5,"max_temp":30,"modes":["off","heat"],"mode_cmd_t":"h/mode/set","mode_stat_t":"h/mode",
      "temp_cmd_t":"h/temp/set","temp_stat_t":"h/temp","pr_modes":["eco","none"],"pr_mode_cmd_t":"h/preset/set","pr_mode_stat_t":"h/preset"}"#;
    let mut home = Home::new();
    home.note("homeassistant/climate/h/config", climate);
    home.hear("h/mode", "off");
    home.hear("h/temp", "19.5");
    home.hear("h/preset", "eco");
    let values = home.restorable("H");
    assert_eq!(values.len(), 3, "{values:?}");
    assert_eq!(home.back("H", &values, &[]), ["h/temp/set 19.5", "h/preset/set eco", "h/mode/set off"]);
}
