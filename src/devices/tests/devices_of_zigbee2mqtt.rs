//! zigbee2mqtt's devices: what its bridge tells of them, in and out.

use super::*;

const LAMP: &str = r#"{"ieee_address":"0x00158d0001a2b3c4","type":"Router","supported":true,"disabled":false,"friendly_name":"hall_lamp",
  "definition":{"model":"LED1624G9","vendor":"IKEA","description":"TRADFRI bulb","supports_ota":true,"exposes":[
    {"type":"light","features":[
      {"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE"},
      {"type":"numeric","name":"brightness","property":"brightness","access":7,"value_min":0,"value_max":254},
      {"type":"numeric","name":"color_temp","property":"color_temp","access":7,"unit":"mired","value_min":250,"value_max":454},
      {"type":"composite","name":"color_xy","property":"color","access":7,"features":[]},
      {"type":"composite","name":"color_hs","property":"color","access":7,"features":[]}]},
    {"type":"enum","name":"effect","property":"effect","access":2,"values":["blink","okay"]},
    {"type":"numeric","name":"linkquality","property":"linkquality","access":1,"unit":"lqi","value_min":0,"value_max":255}]}}"#;
const SENSOR: &str = r#"{"ieee_address":"0x00158d0001a2b3c5","type":"EndDevice","supported":true,"friendly_name":"hall_sensor",
  "definition":{"model":"X","vendor":"Aqara","description":"Sensor","exposes":[
    {"type":"binary","name":"occupancy","property":"occupancy","access":1,"value_on":true,"value_off":false},
    {"type":"binary","name":"contact","property":"contact","access":1,"value_on":false,"value_off":true},
    {"type":"numeric","name":"temperature","property":"temperature","access":1,"unit":"°C"},
    {"type":"numeric","name":"pressure","property":"pressure","access":1,"unit":"kPa"},
    {"type":"numeric","name":"voltage","property":"voltage","access":1,"unit":"mV"},
    {"type":"enum","name":"action","property":"action","access":1,"values":["single","double"]},
    {"type":"binary","name":"child_lock","property":"child_lock","access":3,"value_on":"LOCK","value_off":"UNLOCK"},
    {"type":"enum","name":"mode","property":"mode","access":3,"values":["a","b"]}]}}"#;
const RELAY: &str = r#"{"ieee_address":"0x00158d0001a2b3c6","type":"Router","supported":true,"friendly_name":"relay",
  "definition":{"model":"R","vendor":"V","description":"Two channels","exposes":[
    {"type":"switch","endpoint":"left","features":[{"type":"binary","name":"state","property":"state_left","endpoint":"left","access":7,"value_on":"ON","value_off":"OFF"}]},
    {"type":"switch","endpoint":"l2","features":[{"type":"binary","name":"state","property":"state_l2","endpoint":"l2","access":7,"value_on":"ON","value_off":"OFF"}]}]}}"#;
const BLIND: &str = r#"{"ieee_address":"0x00158d0001a2b3c7","type":"Router","supported":true,"friendly_name":"blind",
  "definition":{"model":"B","vendor":"V","description":"Blind","exposes":[{"type":"cover","features":[
    {"type":"enum","name":"state","property":"state","access":3,"values":["OPEN","CLOSE","STOP"]},
    {"type":"numeric","name":"position","property":"position","access":7,"value_min":0,"value_max":100,"unit":"%"}]}]}}"#;

pub(super) fn home() -> Home {
    let mut home = Home::new();
    let added = home.note("zigbee2mqtt/bridge/devices", &format!("[{LAMP},{SENSOR},{RELAY},{BLIND}]"));
    assert_eq!(added.len(), 4, "{added:?}");
    home
}

#[test]
fn a_light_has_the_words_of_lights() {
    let home = home();
    assert_eq!(
        home.properties("hall_lamp"),
        [
            "on rw",
            "brightness rw %",
            "color_temp rw K",
            "color rw",
            "transition w",
            "effect w",
            "link r %",
            "update_available r"
        ]
    );
    let device = home.device("hall_lamp");
    assert_eq!(
        (device.kind, device.id.as_ref(), device.model.as_deref()),
        (Kind::Light, "zigbee2mqtt/0x00158d0001a2b3c4", Some("IKEA LED1624G9"))
    );
}

#[test]
fn what_a_device_says_is_read_into_words_and_units() {
    let mut home = home();
    assert_eq!(
        home.hear(
            "zigbee2mqtt/hall_lamp",
            r#"{"state":"ON","brightness":102,"color_temp":370,"linkquality":51,"update":{"state":"available"}}"#
        ),
        [
            "hall_lamp.on=true",
            "hall_lamp.brightness=40",
            "hall_lamp.color_temp=2703",
            "hall_lamp.link=20",
            "hall_lamp.update_available=true"
        ]
    );
    assert_eq!(
        home.hear(
            "zigbee2mqtt/hall_sensor",
            r#"{"occupancy":true,"contact":false,"temperature":21.5,"pressure":101.3,"voltage":2985,"action":"single","child_lock":"LOCK","mode":"a"}"#
        ),
        [
            "hall_sensor.occupancy=true",
            "hall_sensor.open=true",
            "hall_sensor.temperature=21.5",
            "hall_sensor.pressure=1013",
            "hall_sensor.voltage=2.985",
            "hall_sensor.action=single",
            "hall_sensor.child_lock=LOCK",
            "hall_sensor.mode_raw=a",
        ]
    );
    assert_eq!(
        home.hear("zigbee2mqtt/relay", r#"{"state_left":"ON","state_l2":"OFF"}"#),
        ["relay.on_left=true", "relay.on_l2=false"]
    );
    assert_eq!(
        home.hear("zigbee2mqtt/blind", r#"{"state":"OPEN","position":40}"#),
        ["blind.open=true", "blind.position=40"]
    );
    assert_eq!(home.hear("zigbee2mqtt/unknown", r#"{"state":"ON"}"#), [""; 0]);
}

#[test]
fn a_payload_that_breaks_its_promise_says_nothing_there() {
    let mut home = home();
    let said = home.hear(
        "zigbee2mqtt/hall_lamp",
        r#"{"state":3,"brightness":"bright","color_temp":-1,"color":[],"linkquality":900}"#,
    );
    assert_eq!(said, ["hall_lamp.link=100"]);
    assert_eq!(home.hear("zigbee2mqtt/hall_lamp", "ON"), [""; 0]);
    assert_eq!(home.hear("zigbee2mqtt/hall_lamp", ""), [""; 0]);
}

#[test]
fn an_event_is_one_only_as_it_happens() {
    let mut home = home();
    assert_eq!(home.hear("zigbee2mqtt/hall_sensor", r#"{"action":""}"#), [""; 0]);
    assert_eq!(home.hear("zigbee2mqtt/hall_sensor", r#"{"action":"single"}"#), ["hall_sensor.action=single"]);
    assert_eq!(home.hear_as("zigbee2mqtt/hall_sensor", r#"{"action":"single"}"#, true), [""; 0]);
}

#[test]
fn a_command_is_one_message_with_all_that_is_wanted() {
    let home = home();
    for (wanted, sent) in [
        (r#"{"on":true}"#, r#"{"state":"ON"}"#),
        (r#"{"brightness":40}"#, r#"{"brightness":102}"#),
        (r#"{"brightness":"1%"}"#, r#"{"brightness":3}"#),
        (r#"{"brightness":0}"#, r#"{"state":"OFF"}"#),
        (r#"{"brightness":"40%","on":true,"transition":"2s"}"#, r#"{"state":"ON","brightness":102,"transition":2}"#),
        (r#"{"color_temp":2700}"#, r#"{"color_temp":370}"#),
        (r##"{"color":"#FF8000"}"##, r##"{"color":{"hex":"#ff8000"}}"##),
        (r#"{"color":{"hue":0,"saturation":100}}"#, r##"{"color":{"hex":"#ff0000"}}"##),
        (r#"{"effect":"blink"}"#, r#"{"effect":"blink"}"#),
    ] {
        assert_eq!(home.set("hall_lamp", wanted), [format!("zigbee2mqtt/hall_lamp/set {sent}")], "{wanted}");
    }
    assert_eq!(home.set("relay", r#"{"on_left":true}"#), [r#"zigbee2mqtt/relay/set {"state_left":"ON"}"#]);
    assert_eq!(home.set("blind", r#"{"move":"stop"}"#), [r#"zigbee2mqtt/blind/set {"state":"STOP"}"#]);
    assert_eq!(home.set("blind", r#"{"position":"open"}"#), [r#"zigbee2mqtt/blind/set {"position":100}"#]);
}

#[test]
fn what_a_device_does_not_take_is_told_and_nothing_sent() {
    let home = home();
    for (device, wanted, why) in [
        ("hall_lamp", r#"{"brightness":300}"#, "`brightness` of `hall_lamp` takes a number from 0 to 100 %, not `300`"),
        ("hall_lamp", r#"{"brightnes":30}"#, "`hall_lamp` has no property `brightnes`; did you mean `brightness`?"),
        ("hall_lamp", r#"{"on":"yes"}"#, "`on` of `hall_lamp` takes `true`, `false` or `toggle`, not `yes`"),
        ("hall_lamp", r#"{"effect":"disco"}"#, "`effect` of `hall_lamp` takes one of `blink`, `okay`, not `disco`"),
        (
            "hall_lamp",
            r#"{"color_temp":6500}"#,
            "`color_temp` of `hall_lamp` takes a number from 2201 to 4008 K, not `6500`",
        ),
        (
            "hall_lamp",
            r#"{"color":"red"}"#,
            "`color` of `hall_lamp` takes a color: `#rrggbb`, `{ hue, saturation }` or `{ x, y }`, not `red`",
        ),
        ("hall_lamp", r#"{"transition":2}"#, "`transition` of `hall_lamp` takes a duration such as `2s`, not `2`"),
        ("hall_lamp", r#"{"on":"toggle"}"#, "`on` of `hall_lamp` isn't known yet, so `toggle` can't be computed"),
        ("hall_sensor", r#"{"occupancy":true}"#, "`occupancy` of `hall_sensor` can only be read"),
        ("blind", r#"{"move":"up"}"#, "`move` of `blind` takes one of `open`, `close`, `stop`, not `up`"),
    ] {
        assert_eq!(home.refused(device, wanted), [why]);
    }
    assert_eq!(home.refused("hall_lamp", r#"{"on":1,"brightness":101}"#).len(), 2, "all that is wrong is told");
}

#[test]
fn what_depends_on_the_state_is_computed_and_sent_absolute() {
    let mut home = home();
    home.hear("zigbee2mqtt/hall_lamp", r#"{"state":"ON","brightness":102}"#);
    assert_eq!(home.set("hall_lamp", r#"{"on":"toggle"}"#), [r#"zigbee2mqtt/hall_lamp/set {"state":"OFF"}"#]);
    assert_eq!(home.set("hall_lamp", r#"{"brightness":"+10%"}"#), [r#"zigbee2mqtt/hall_lamp/set {"brightness":127}"#]);
    assert_eq!(home.set("hall_lamp", r#"{"brightness":"-90%"}"#), [r#"zigbee2mqtt/hall_lamp/set {"state":"OFF"}"#]);
    assert_eq!(home.set("hall_lamp", r#"{"brightness":"+90%"}"#), [r#"zigbee2mqtt/hall_lamp/set {"brightness":254}"#]);
}

#[test]
fn what_the_device_already_says_is_left_out() {
    let mut home = home();
    home.hear("zigbee2mqtt/hall_lamp", r#"{"state":"ON","brightness":102,"color_temp":370}"#);
    let changed = |wanted: &str| -> Vec<String> {
        let options = CommandOptions { if_changed: true };
        home.command("hall_lamp", wanted, options).unwrap().publications.iter().map(written).collect()
    };
    assert_eq!(changed(r#"{"on":true,"brightness":40,"color_temp":2700,"transition":"1s"}"#), [""; 0]);
    assert_eq!(changed(r#"{"on":true,"brightness":41}"#), [r#"zigbee2mqtt/hall_lamp/set {"brightness":104}"#]);
}

#[test]
fn what_confirms_a_command_is_known() {
    let home = home();
    let wanted = r##"{"on":true,"brightness":40,"color":"#ff8000","transition":"1s","effect":"okay"}"##;
    let command = home.command("hall_lamp", wanted, CommandOptions::default()).unwrap();
    let names: Vec<&str> = command.confirmable.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["on", "brightness", "color"]);
    let (_, color_temp) = home.device("hall_lamp").property("color_temp").unwrap();
    assert!(
        color_temp.confirms(&value("2700"), &value("2703")) && !color_temp.confirms(&value("2700"), &value("2800"))
    );
    let (_, moves) = home.device("blind").property("move").unwrap();
    assert!(moves.confirms(&value("open"), &value("opening")) && !moves.confirms(&value("open"), &value("closing")));
}

#[test]
fn a_message_of_a_client_is_read_as_a_command() {
    let home = home();
    assert_eq!(
        home.asked("zigbee2mqtt/hall_lamp/set", r#"{"state":"ON","brightness":102,"transition":2}"#),
        ["on=true", "brightness=40", "transition=2"]
    );
    assert_eq!(home.asked("zigbee2mqtt/blind/set", r#"{"state":"STOP"}"#), ["move=stop"]);
    assert_eq!(home.asked("zigbee2mqtt/hall_lamp", r#"{"state":"ON"}"#), [""; 0]);
}

#[test]
fn availability_is_the_devices_and_the_bridges() {
    let mut home = home();
    let id = home.device("blind").id.clone();
    assert_eq!(home.registry.available(&id), None);
    assert_eq!(home.hear("zigbee2mqtt/blind/availability", r#"{"state":"online"}"#), ["blind.available=true"]);
    assert_eq!(home.hear("zigbee2mqtt/blind/availability", "online"), [""; 0], "it is said already");
    assert_eq!(
        home.hear("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#).len(),
        4,
        "no device can be reached without it"
    );
    assert_eq!(home.registry.available(&id), Some(false));
    home.hear("zigbee2mqtt/bridge/state", "online");
    assert_eq!(home.registry.available(&id), Some(true));
    assert_eq!(home.said.get(&(home.device("relay").id.to_string(), "available".to_owned())), Some(&Value::Null));
}

#[test]
fn properties_may_be_said_topic_by_topic() {
    let mut home = home();
    assert_eq!(home.hear("zigbee2mqtt/hall_lamp/brightness", "102"), ["hall_lamp.brightness=40"]);
    assert_eq!(home.hear("zigbee2mqtt/hall_sensor/action", "single"), ["hall_sensor.action=single"]);
    home.hear("zigbee2mqtt/hall_sensor", r#"{"occupancy":true}"#);
    assert_eq!(home.hear("zigbee2mqtt/hall_sensor/action", "single"), [""; 0], "its message says it too");
    assert_eq!(home.hear("zigbee2mqtt/hall_lamp/set", "102"), [""; 0]);
}

#[test]
fn devices_change_their_names_and_go() {
    let mut home = home();
    let renamed = LAMP.replace("hall_lamp", "Hall lamp");
    assert_eq!(
        home.note("zigbee2mqtt/bridge/devices", &format!("[{renamed},{SENSOR},{RELAY}]")),
        ["-zigbee2mqtt/0x00158d0001a2b3c7", "~zigbee2mqtt/0x00158d0001a2b3c4 was hall_lamp"]
    );
    assert_eq!(home.hear("zigbee2mqtt/Hall lamp", r#"{"state":"ON"}"#), ["Hall lamp.on=true"]);
    assert_eq!(home.hear("zigbee2mqtt/hall_lamp", r#"{"state":"ON"}"#), [""; 0]);
    assert_eq!(home.registry.find("hall_lamp"), Found::None(Some("Hall lamp".into())));
    assert_eq!(home.note("zigbee2mqtt/bridge/devices", "[{").len(), 1, "the old ones stay in force");
    assert_eq!(home.note("zigbee2mqtt/bridge/devices", "[{"), [""; 0], "told once");
    assert_eq!(home.registry.devices().count(), 3);
    assert_eq!(home.note("zigbee2mqtt/bridge/devices", "").len(), 3);
}

#[test]
fn what_is_disabled_or_no_device_is_not_commanded() {
    let mut home = Home::new();
    let disabled = LAMP.replace("\"disabled\":false", "\"disabled\":true");
    let coordinator = r#"{"ieee_address":"0x1","type":"Coordinator","friendly_name":"Coordinator","definition":null}"#;
    let unknown = r#"{"ieee_address":"0x00158d0001a2b3c9","type":"Router","friendly_name":"new","supported":false,"definition":null}"#;
    home.note("zigbee2mqtt/bridge/devices", &format!("[{coordinator},{disabled},{unknown}]"));
    assert_eq!(home.registry.devices().count(), 2);
    assert_eq!(
        home.refused("hall_lamp", r#"{"on":true}"#),
        ["`hall_lamp` can't be commanded: it is disabled in zigbee2mqtt"]
    );
    assert_eq!(home.refused("new", r#"{"on":true}"#), ["`new` can't be commanded: zigbee2mqtt doesn't support it"]);
}

#[test]
fn a_group_has_what_its_members_have() {
    let mut home = Home::new();
    home.note("zigbee2mqtt/bridge/groups", r#"[{"id":7,"friendly_name":"Hall","members":[{"ieee_address":"0x00158d0001a2b3c4","endpoint":1}],"scenes":[]}]"#);
    assert_eq!(home.properties("Hall"), [""; 0]);
    home.note("zigbee2mqtt/bridge/devices", &format!("[{LAMP}]"));
    assert_eq!(
        home.properties("zigbee2mqtt/group-7"),
        ["on rw", "brightness rw %", "color_temp rw K", "color rw", "transition w", "effect w"]
    );
    assert_eq!(home.set("Hall", r#"{"on":false}"#), [r#"zigbee2mqtt/Hall/set {"state":"OFF"}"#]);
    assert_eq!(home.hear("zigbee2mqtt/Hall", r#"{"state":"OFF"}"#), ["Hall.on=false"]);
}

#[test]
fn a_device_says_in_its_own_encoding_what_a_test_has_it_say() {
    let mut home = home();
    assert_eq!(
        home.says("hall_sensor", r#"{"occupancy":true,"temperature":21.5,"open":true}"#),
        [r#"zigbee2mqtt/hall_sensor {"occupancy":true,"temperature":21.5,"contact":false}"#]
    );
    home.hear("zigbee2mqtt/hall_sensor", r#"{"occupancy":true,"temperature":20,"action":"double"}"#);
    assert_eq!(
        home.says("hall_sensor", r#"{"occupancy":false}"#),
        [r#"zigbee2mqtt/hall_sensor {"occupancy":false,"temperature":20}"#],
        "an event doesn't happen again"
    );
    assert_eq!(
        home.says("hall_lamp", r#"{"available":false}"#),
        [r#"zigbee2mqtt/hall_lamp/availability {"state":"offline"}"#]
    );
    assert_eq!(home.says("hall_lamp", r#"{"transition":3}"#), ["`hall_lamp` never says its `transition`"]);
    assert_eq!(home.says("hall_lamp", r#"{"on":"maybe"}"#), ["`on` of `hall_lamp` is never `maybe`"]);
    let command = home.command("blind", r#"{"move":"open"}"#, CommandOptions::default()).unwrap();
    assert_eq!(home.device("blind").obeyed(&command.values), map(r#"{"move":"opening"}"#));
}
