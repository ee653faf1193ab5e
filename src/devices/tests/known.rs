//! Who is known by which name, and of two that tell of one thing, which one counts.

use super::devices_of_zigbee2mqtt::home;
use super::*;
use crate::model::DeviceFilter;

const DISCOVERY: &str = r#"{"name":null,"uniq_id":"a","stat_t":"zigbee2mqtt/hall_lamp","cmd_t":"zigbee2mqtt/hall_lamp/set","schema":"json",
  "dev":{"ids":["zigbee2mqtt_0x00158D0001A2B3C4"],"name":"Hall lamp of HA"}}"#;

#[test]
fn one_thing_told_by_two_sources_is_one_device_of_the_first() {
    let mut home = Home::new();
    assert_eq!(
        home.note("homeassistant/light/0x00158d0001a2b3c4/light/config", DISCOVERY),
        ["+home_assistant/zigbee2mqtt_0x00158D0001A2B3C4"]
    );
    let lamp = r#"[{"ieee_address":"0x00158d0001a2b3c4","type":"Router","friendly_name":"hall_lamp","definition":{"exposes":[]}}]"#;
    assert_eq!(
        home.note("zigbee2mqtt/bridge/devices", lamp),
        ["+zigbee2mqtt/0x00158d0001a2b3c4", "-home_assistant/zigbee2mqtt_0x00158D0001A2B3C4"]
    );
    assert!(matches!(home.registry.find("Hall lamp of HA"), Found::None(_)));
    assert_eq!(
        home.note("zigbee2mqtt/bridge/devices", ""),
        ["-zigbee2mqtt/0x00158d0001a2b3c4", "+home_assistant/zigbee2mqtt_0x00158D0001A2B3C4"]
    );
}

#[test]
fn a_state_topic_that_two_share_makes_them_one_and_a_third_parts_them() {
    let mut home = home();
    let same = r#"{"name":"Copy","uniq_id":"copy","stat_t":"zigbee2mqtt/blind","val_tpl":"{{ value_json.position }}"}"#;
    assert_eq!(home.note("homeassistant/sensor/copy/config", same), [""; 0]);
    let third = same.replace("copy", "third").replace("Copy", "Third");
    assert_eq!(
        home.note("homeassistant/sensor/third/config", &third),
        ["+home_assistant/third", "+home_assistant/copy"]
    );
}

#[test]
fn two_devices_of_one_name_are_told_and_known_by_area_or_id() {
    let naming = |device: &str, area: &str| Naming {
        device: device.into(),
        name: Some("Lamp".into()),
        area: Some(area.into()),
        aliases: vec!["Light".into()],
    };
    let settings = DeviceSettings {
        named: vec![naming("zigbee2mqtt/0x1", "hall"), naming("two", "kitchen")],
        ..DeviceSettings::default()
    };
    let mut home = Home::of(settings);
    let device = |number: u8, name: &str| {
        format!(r#"{{"ieee_address":"0x{number}","friendly_name":"{name}","definition":{{"exposes":[]}}}}"#)
    };
    home.note("zigbee2mqtt/bridge/devices", &format!("[{}]", device(1, "one")));
    assert_eq!(home.device("Lamp").id, home.device("Light").id);
    let told = home.note("zigbee2mqtt/bridge/devices", &format!("[{},{}]", device(1, "one"), device(2, "two")));
    assert_eq!(
        told,
        [
            "! Lamp: two devices are called `Lamp`: use `zigbee2mqtt/0x1` and `zigbee2mqtt/0x2` in rules, or rename one",
            "! Light: two devices are called `Light`: use `zigbee2mqtt/0x1` and `zigbee2mqtt/0x2` in rules, or rename one",
            "+zigbee2mqtt/0x2",
        ]
    );
    assert!(matches!(home.registry.find("Lamp"), Found::Several(devices) if devices.len() == 2));
    assert_eq!(&*home.device("Lamp (kitchen)").id, "zigbee2mqtt/0x2");
    assert_eq!(&*home.registry.label(home.device("zigbee2mqtt/0x1")), "Lamp (hall)");
    home.note("zigbee2mqtt/bridge/devices", &format!("[{}]", device(2, "two")));
    assert_eq!(home.registry.faults().count(), 0);
    assert_eq!(&*home.registry.label(home.device("Lamp")), "Lamp");
}

#[test]
fn a_selector_finds_by_area_kind_and_what_devices_have() {
    let home = home();
    let select = |selector: DeviceFilter| {
        home.registry.select(&selector).map(|device| device.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(select(DeviceFilter { kind: Some("light".into()), ..DeviceFilter::default() }), ["hall_lamp"]);
    assert_eq!(select(DeviceFilter { has: vec!["on".into()], ..DeviceFilter::default() }), ["hall_lamp", "relay"]);
    assert_eq!(select(DeviceFilter { has: vec!["occupancy".into()], ..DeviceFilter::default() }), ["hall_sensor"]);
    assert_eq!(select(DeviceFilter { area: Some("hall".into()), ..DeviceFilter::default() }), [""; 0]);
    assert_eq!(select(DeviceFilter::default()).len(), 4);
}

#[test]
fn what_was_said_before_a_device_was_known_is_read_then() {
    let mut home = Home::new();
    let last: BTreeMap<&str, &str> = BTreeMap::from([
        ("zigbee2mqtt/hall_sensor", r#"{"occupancy":true,"action":"single"}"#),
        ("zigbee2mqtt/hall_sensor/availability", "offline"),
    ]);
    let definition = r#"[{"ieee_address":"0x5","friendly_name":"hall_sensor","definition":{"exposes":[
        {"type":"binary","name":"occupancy","property":"occupancy","access":1,"value_on":true,"value_off":false},
        {"type":"enum","name":"action","property":"action","access":1,"values":["single"]}]}}]"#;
    home.note("zigbee2mqtt/bridge/devices", definition);
    let readings =
        home.registry.catch_up("zigbee2mqtt/0x5", &|topic| last.get(topic.as_str()).map(|text| payload(text)));
    let said: Vec<String> =
        readings.said.iter().map(|reading| format!("{}={}", reading.property, reading.value)).collect();
    assert_eq!(said, ["occupancy=true", "available=false"]);
}
