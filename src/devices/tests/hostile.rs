//! What is broken, huge or hostile: told, bounded, and nothing else disturbed.

use proptest::prelude::*;

use super::devices_of_zigbee2mqtt::home;
use super::*;

#[test]
fn five_thousand_devices_are_known_and_forgotten() {
    let mut home = Home::new();
    let device = |number: usize| {
        format!(
            r#"{{"ieee_address":"0x{number:016x}","friendly_name":"d{number}","definition":{{"exposes":[{{"type":"switch","features":[
            {{"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF"}}]}}]}}}}"#
        )
    };
    let all: Vec<String> = (1..=5000).map(device).collect();
    assert_eq!(home.note("zigbee2mqtt/bridge/devices", &format!("[{}]", all.join(","))).len(), 5000);
    assert_eq!(home.hear("zigbee2mqtt/d4999", r#"{"state":"ON"}"#), ["d4999.on=true"]);
    assert_eq!(home.note("zigbee2mqtt/bridge/devices", "[]").len(), 5000);
    assert_eq!(home.hear("zigbee2mqtt/d4999", r#"{"state":"ON"}"#), [""; 0]);
}

#[test]
fn a_list_of_sixteen_megabytes_is_survived() {
    let mut home = Home::new();
    let long = format!(r#"[{{"ieee_address":"0x1","friendly_name":"{}","definition":null}}]"#, "x".repeat(16 << 20));
    home.note("zigbee2mqtt/bridge/devices", &long);
    let device = home.registry.device("zigbee2mqtt/0x1").unwrap();
    assert!(device.diagnostics[0].contains("can't be part of a topic"));
    let many = format!("[{}]", vec![r#"{"ieee_address":"0x2"}"#; 100_000].join(","));
    home.note("zigbee2mqtt/bridge/devices", &many);
    assert_eq!(home.registry.devices().count(), 1);
    let config = format!(r#"{{"name":"B","uniq_id":"b","stat_t":"b","x":"{}"}}"#, "y".repeat(16 << 20));
    home.note("homeassistant/sensor/b/config", &config);
    assert_eq!(home.hear("b", "5"), ["B.b=5"]);
}

#[test]
fn a_definition_that_flips_is_told_once_for_each_fault_and_leaves_no_trace() {
    let mut home = home();
    let good = r#"{"name":"F","uniq_id":"f","stat_t":"f","dev":{"ids":["f"]}}"#;
    let other = r#"{"name":"F2","uniq_id":"f","stat_t":"f/2","cmd_t":"f/set","dev":{"ids":["g"]}}"#;
    for _ in 0..100 {
        home.note("homeassistant/switch/f/config", good);
        home.note("homeassistant/switch/f/config", other);
    }
    assert!(home.registry.device("home_assistant/f").is_none() && home.registry.device("home_assistant/g").is_some());
    home.note("homeassistant/switch/f/config", "");
    assert_eq!(home.registry.devices().count(), 4);
    assert_eq!(home.registry.faults().count(), 0);
}

#[test]
fn a_hostile_template_says_nothing_and_is_told() {
    let endless = "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}";
    let doubling = ["{% set a = value %}", &"{% set a = a ~ a %}".repeat(60), "{{ a }}"].concat();
    let long = "{% for i in range(900) %}{{ value }}{% endfor %}".to_owned();
    let repeated = "{{ 'abcdefgh' * 90000000 }}".to_owned();
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(3000), ")".repeat(3000));
    let brackets = format!("{{{{ {}1 }}}}", "[".repeat(30_000));
    for (template, text, reason) in [
        (endless.to_owned(), "1".to_owned(), "takes more than 10,000 steps"),
        (doubling, "1".repeat(1000), "gives more than 64 KiB"),
        (long, "1".repeat(1000), "gives more than 64 KiB"),
        (repeated, "1".to_owned(), "gives more than 64 KiB"),
        (nested, "1".to_owned(), ""),
        (brackets, "1".to_owned(), ""),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(), "1".to_owned(), ""),
        ("{{ value | nosuchfilter }}".to_owned(), "1".to_owned(), "unknown"),
        ("{{ states('sensor.x') }}".to_owned(), "1".to_owned(), "unknown"),
    ] {
        let mut home = Home::new();
        let config = serde_json::json!({ "name": "H", "uniq_id": "h", "stat_t": "h", "val_tpl": template }).to_string();
        let told = home.note("homeassistant/sensor/h/config", &config).join("");
        let said = home.hear("h", &text).join("");
        let again = home.hear("h", &text).join("");
        assert!([&*told, &*said].concat().contains(reason), "{told} {said}");
        assert!(!said.contains("H.h="), "{said}");
        assert_eq!(again, "", "told once");
    }
}

/// Returns what may be part of definitions: their keys and values, and what makes no sense.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        Just("light"),
        Just("switch"),
        Just("climate"),
        Just("cover"),
        Just("state"),
        Just("brightness"),
        Just("ON"),
        Just("a/b"),
        Just("~/x"),
        Just("{{ value_json.a }}"),
        Just("{{ value | int }}"),
        Just("{% if"),
        Just(""),
        Just("json"),
        Just("template"),
        Just("a/+/b"),
        Just("°F"),
        Just("#"),
        Just("0x00158d0001a2b3c4"),
        Just("enum"),
        Just("numeric"),
        Just("composite"),
        Just("\u{0}"),
        Just("rgb,255,0,0"),
    ];
    let scalar = prop_oneof![
        text.prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
    ];
    scalar.prop_recursive(5, 64, 8, |inner| {
        let key = prop_oneof![
            Just("state_topic"),
            Just("stat_t"),
            Just("cmd_t"),
            Just("val_tpl"),
            Just("schema"),
            Just("device"),
            Just("dev"),
            Just("ids"),
            Just("name"),
            Just("uniq_id"),
            Just("cmps"),
            Just("p"),
            Just("~"),
            Just("availability"),
            Just("avty"),
            Just("t"),
            Just("bri_cmd_t"),
            Just("bri_scl"),
            Just("exposes"),
            Just("type"),
            Just("features"),
            Just("property"),
            Just("access"),
            Just("value_on"),
            Just("value_min"),
            Just("value_max"),
            Just("values"),
            Just("definition"),
            Just("ieee_address"),
            Just("friendly_name"),
            Just("members"),
            Just("id"),
            Just("ft"),
            Just("tp"),
            Just("rl"),
            Just("sn"),
            Just("nodes"),
            Just("properties"),
            Just("datatype"),
            Just("format"),
            Just("settable"),
            Just("unit"),
            Just("switch:0"),
            Just("output"),
            Just("params"),
            Just("method"),
            Just("events"),
            Just("endpoint"),
            Just("min_mirs"),
            Just("on_cmd_type"),
            Just("modes"),
            Just("options"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::vec((key, inner), 0..9)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

fn any_place() -> impl Strategy<Value = String> {
    let component = proptest::sample::select(vec![
        "light",
        "switch",
        "climate",
        "cover",
        "fan",
        "sensor",
        "binary_sensor",
        "device",
        "siren",
        "vacuum",
        "alarm_control_panel",
        "update",
        "number",
        "event",
        "device_automation",
        "valve",
        "lock",
        "water_heater",
        "humidifier",
        "lawn_mower",
        "device_tracker",
        "camera",
        "x",
    ]);
    prop_oneof![
        4 => component.prop_map(|component| format!("homeassistant/{component}/o/config")),
        1 => Just("zigbee2mqtt/bridge/devices".to_owned()),
        1 => Just("zigbee2mqtt/bridge/groups".to_owned()),
        1 => Just("tasmota/discovery/1/config".to_owned()),
        1 => Just("tasmota/discovery/1/sensors".to_owned()),
        1 => Just("homie/5/d/$description".to_owned()),
        1 => Just("a/status/switch:0".to_owned()),
        1 => Just("a/events/rpc".to_owned()),
        1 => Just("a/b".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_definition_and_no_message_of_any_shape_breaks_anything(
        definitions in proptest::collection::vec((any_place(), any_json(), any::<bool>()), 1..8),
        heard in proptest::collection::vec(any_json(), 1..4),
    ) {
        let mut registry = Registry::new(DeviceSettings::default());
        for (place, json, is_list) in definitions {
            let text = if is_list { format!("[{json},{json}]") } else { json.to_string() };
            registry.note(&topic(&place), &payload(&text));
        }
        let devices: Vec<_> = registry.devices().cloned().collect();
        for json in heard {
            let text = payload(&json.to_string());
            for device in &devices {
                for filter in &device.topics {
                    if let Some(place) = filter.as_topic() {
                        registry.read(&place, &text, false);
                        let _ = registry.commanded(&place, &text);
                    }
                }
                let wanted: Map = device.properties.iter().map(|property| (property.name.clone(), Value::from_json(json.clone()))).collect();
                let _ = device.command(&wanted, &|_| Some(Value::Int(3)), CommandOptions::default());
                let _ = device.says(&wanted, &|_| Some(text.clone()));
            }
        }
        // Names are told apart, whatever was defined.
        for device in &devices {
            let mut names: Vec<_> = device.properties.iter().map(|property| &property.name).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), count, "{:?}", device);
            prop_assert!(device.properties.iter().all(|property| property.write.as_ref().is_none_or(|write| write.topic < device.topics.len())));
        }
        // What is cleared leaves nothing behind.
        for place in ["zigbee2mqtt/bridge/devices", "zigbee2mqtt/bridge/groups", "tasmota/discovery/1/config", "homie/5/d/$description"] {
            registry.note(&topic(place), &payload(""));
        }
        prop_assert!(registry.devices().all(|device| matches!(device.source, Source::HomeAssistant | Source::Shelly)));
    }

    #[test]
    fn any_bytes_are_survived(place in any_place(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut registry = Registry::new(DeviceSettings::default());
        registry.note(&topic(&place), &Payload::from_bytes(bytes.clone()));
        registry.read(&topic(&place), &Payload::from_bytes(bytes), false);
    }

    #[test]
    fn any_template_is_survived(source in r"(\{\{|\{%|\}\}|%\}| |value|value_json|\||\.|a|\[|\]|\(|\)|set|for|in|if|else|endif|endfor|=|~|\*|'x'|1|int|float|round|,|-|regex_replace|namespace){0,30}", text in "[0-9a-z{}\":,]{0,20}") {
        if let Ok(template) = Template::parse(&source) {
            let _ = template.read(&payload(&text));
        }
    }
}
