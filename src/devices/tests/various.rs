//! Tasmota, Homie, Shelly, and devices of homerule.yaml.

use super::*;
use crate::model::TopicFilter;

const TASMOTA: &str = r#"{"ip":"192.0.2.7","dn":"Desk","fn":["Desk",null],"hn":"tasmota-1","mac":"5CCF7F112233","md":"Magic Home","ty":0,"ofln":"Offline","onln":"Online",
  "state":["OFF","ON","TOGGLE","HOLD"],"t":"desk","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[2,0,0],"swc":[-1],"btn":[1,0],
  "so":{"4":0,"73":1,"68":0},"lt_st":5,"ver":1}"#;

fn tasmota(config: &str, sensors: &str) -> Home {
    let mut home = Home::new();
    home.note("tasmota/discovery/5CCF7F112233/config", config);
    home.note("tasmota/discovery/5CCF7F112233/sensors", sensors);
    home
}

#[test]
fn a_light_of_tasmota_is_sent_one_backlog() {
    let mut home = tasmota(TASMOTA, r#"{"sn":{"Time":"2026-01-01T00:00:00"},"ver":1}"#);
    assert_eq!(
        home.properties("Desk"),
        ["on rw", "brightness rw %", "color_temp rw K", "color rw", "action r", "link r %"]
    );
    assert_eq!((home.device("Desk").kind, &*home.device("Desk").id), (Kind::Light, "tasmota/5CCF7F112233"));
    assert_eq!(home.set("Desk", r#"{"on":true}"#), ["cmnd/desk/POWER ON"]);
    assert_eq!(
        home.set("Desk", r#"{"brightness":40,"on":true,"color_temp":2700}"#),
        ["cmnd/desk/Backlog0 POWER ON;Dimmer 40;CT 370"]
    );
    assert_eq!(home.set("Desk", r##"{"color":"#ff0000"}"##), ["cmnd/desk/Color2 255,0,0"]);
    assert_eq!(
        home.hear("stat/desk/RESULT", r#"{"POWER":"ON","Dimmer":40,"HSBColor":"120,100,40","CT":370}"#),
        ["Desk.on=true", "Desk.brightness=40", "Desk.color_temp=2703", "Desk.color=#00ff00"]
    );
    assert_eq!(
        home.hear("tele/desk/STATE", r#"{"POWER":"OFF","Wifi":{"RSSI":80}}"#),
        ["Desk.on=false", "Desk.link=80"]
    );
    assert_eq!(home.hear("stat/desk/RESULT", r#"{"Button1":{"Action":"SINGLE"}}"#), ["Desk.action=single"]);
    assert_eq!(home.hear("tele/desk/LWT", "Online"), ["Desk.available=true"]);
    assert_eq!(home.asked("cmnd/desk/power", "ON"), ["on=true"]);
    assert_eq!(home.asked("cmnd/desk/Backlog", "Dimmer 40; POWER OFF"), ["on=false", "brightness=40"]);
    assert_eq!(home.says("Desk", r#"{"on":true,"brightness":30}"#), [r#"stat/desk/RESULT {"POWER":"ON","Dimmer":30}"#]);
    assert_eq!(home.note("tasmota/discovery/5CCF7F112233/config", ""), ["-tasmota/5CCF7F112233"]);
}

#[test]
fn channels_and_sensors_of_tasmota_are_named_apart() {
    let config = TASMOTA
        .replace("\"rl\":[2,0,0]", "\"rl\":[1,1,0]")
        .replace("\"lt_st\":5", "\"lt_st\":0")
        .replace("\"73\":1", "\"73\":0");
    let sensors = r#"{"sn":{"Time":"x","ENERGY":{"Total":1.5,"Today":0.1,"Power":12,"Voltage":230,"Current":0.05},"AM2301":{"Temperature":70,"Humidity":40,"DewPoint":50},
      "DS18B20":{"Id":"0","Temperature":60},"TempUnit":"F"},"ver":1}"#;
    let mut home = tasmota(&config, sensors);
    assert_eq!(
        home.properties("Desk"),
        [
            "on_1 rw",
            "on_2 rw",
            "energy r kWh",
            "energy_today r kWh",
            "power r W",
            "voltage r V",
            "current r A",
            "temperature r °C",
            "humidity r %",
            "dew_point r °C",
            "temperature_2 r °C",
            "link r %",
        ]
    );
    assert_eq!(home.set("Desk", r#"{"on_2":false}"#), ["cmnd/desk/POWER2 OFF"]);
    assert_eq!(
        home.hear("tele/desk/SENSOR", r#"{"DS18B20":{"Temperature":68},"TempUnit":"F"}"#),
        ["Desk.temperature_2=20"]
    );
}

#[test]
fn a_shutter_of_tasmota_moves() {
    let config = TASMOTA
        .replace("\"rl\":[2,0,0]", "\"rl\":[3,3,0]")
        .replace("\"lt_st\":5", "\"lt_st\":0")
        .replace("\"73\":1", "\"73\":0");
    let mut home = tasmota(&config, r#"{"sn":{}}"#);
    assert_eq!(home.properties("Desk"), ["position rw %", "move rw", "link r %"]);
    assert_eq!(home.set("Desk", r#"{"position":40}"#), ["cmnd/desk/ShutterPosition1 40"]);
    assert_eq!(home.set("Desk", r#"{"move":"stop"}"#), ["cmnd/desk/ShutterPosition1 STOP"]);
    assert_eq!(
        home.hear("stat/desk/RESULT", r#"{"Shutter1":{"Position":40,"Direction":-1}}"#),
        ["Desk.position=40", "Desk.move=closing"]
    );
}

#[test]
fn a_device_of_homie_is_read_and_set_property_by_property() {
    let description = r#"{"homie":"5.0","version":1,"name":"Strip","nodes":{
      "light":{"properties":{
        "power":{"datatype":"boolean","settable":true},
        "brightness":{"datatype":"integer","format":"0:255","settable":true},
        "color":{"datatype":"color","format":"rgb","settable":true},
        "mode":{"datatype":"enum","format":"solid,rainbow","settable":true}}},
      "left":{"properties":{"temperature":{"datatype":"float","unit":"°F"}}},
      "right":{"properties":{"temperature":{"datatype":"float","unit":"°C"},"press":{"datatype":"enum","format":"a,b","retained":false}}}}}"#;
    let mut home = Home::new();
    assert_eq!(home.note("homie/5/strip-1/$description", description), ["+homie/strip-1"]);
    assert_eq!(
        home.properties("Strip"),
        [
            "on rw",
            "brightness rw %",
            "color rw",
            "mode rw",
            "temperature_left r °C",
            "temperature_right r °C",
            "press_raw r"
        ]
    );
    assert_eq!(
        home.set("Strip", r##"{"on":true,"brightness":40,"color":"#ff0000"}"##),
        [
            "homie/5/strip-1/light/power/set true",
            "homie/5/strip-1/light/brightness/set 102",
            "homie/5/strip-1/light/color/set rgb,255,0,0",
        ]
    );
    assert_eq!(home.hear("homie/5/strip-1/left/temperature", "68"), ["Strip.temperature_left=20"]);
    assert_eq!(home.hear("homie/5/strip-1/light/power", "true"), ["Strip.on=true"]);
    assert_eq!(home.hear("homie/5/strip-1/right/press", "a"), ["Strip.press_raw=a"]);
    assert_eq!(home.hear("homie/5/strip-1/$state", "ready"), ["Strip.available=true"]);
    assert_eq!(home.hear("homie/5/strip-1/$state", "lost"), ["Strip.available=false"]);
    assert_eq!(home.note("homie/5/strip-1/$description", "[").len(), 2);
    assert_eq!(home.hear("homie/5/strip-1/light/power", "false"), ["Strip.on=false"]);
}

#[test]
fn a_shelly_is_known_once_heard() {
    let mut home = Home::new();
    assert_eq!(home.note("lamp/online", "true"), [""; 0]);
    assert_eq!(home.note("other/status/switch:0", "on"), [""; 0], "something else on such a topic");
    let status = r#"{"id":0,"source":"init","output":false,"apower":0.0,"voltage":230.1,"current":0.01,"aenergy":{"total":1500.0},"temperature":{"tC":41.5}}"#;
    let prefix = "shellyplus2pm-a8032abe54dc";
    assert_eq!(home.note(&format!("{prefix}/status/switch:0"), status), [format!("+shelly/{prefix}")]);
    assert_eq!(home.note(&format!("{prefix}/status/switch:0"), status), [""; 0]);
    assert_eq!(
        home.properties(prefix),
        ["energy r kWh", "power r W", "current r A", "on rw", "device_temperature r °C", "voltage r V"]
    );
    assert_eq!(
        home.hear(&format!("{prefix}/status/switch:0"), status),
        ["energy=1.5", "power=0", "current=0.01", "on=false", "device_temperature=41.5", "voltage=230.1"]
            .map(|said| format!("{prefix}.{said}"))
    );
    assert_eq!(
        home.set(prefix, r#"{"on":true}"#),
        [format!(
            r#"{prefix}/rpc {{"id":1,"src":"homerule-rpc","method":"Switch.Set","params":{{"id":0,"on":true}}}}"#
        )]
    );
    let second = status.replace("\"id\":0", "\"id\":1");
    assert_eq!(home.note(&format!("{prefix}/status/switch:1"), &second).len(), 1);
    assert!(
        home.properties(prefix).contains(&"on_1 rw".to_owned())
            && home.properties(prefix).contains(&"on_2 rw".to_owned())
    );
    let notice =
        r#"{"src":"x","dst":"y","method":"NotifyStatus","params":{"ts":1.5,"switch:1":{"id":1,"output":true}}}"#;
    assert_eq!(home.hear(&format!("{prefix}/events/rpc"), notice), [format!("{prefix}.on_2=true")]);
    assert_eq!(home.hear(&format!("{prefix}/online"), "false"), [format!("{prefix}.available=false")]);
    assert_eq!(
        home.asked(&format!("{prefix}/rpc"), r#"{"method":"Switch.Set","params":{"id":1,"on":false}}"#),
        ["on_2=false"]
    );
}

#[test]
fn lights_covers_and_inputs_of_shelly_have_their_words() {
    let mut home = Home::new();
    home.note("home/dimmer/status/light:0", r#"{"id":0,"output":true,"brightness":50}"#);
    home.note("home/blind/status/cover:0", r#"{"id":0,"state":"stopped","current_pos":40}"#);
    assert_eq!(
        home.set("dimmer", r#"{"brightness":40,"transition":"2s"}"#),
        [
            r#"home/dimmer/rpc {"id":1,"src":"homerule-rpc","method":"Light.Set","params":{"id":0,"brightness":40,"transition_duration":2}}"#
        ]
    );
    assert_eq!(
        home.set("blind", r#"{"move":"open"}"#),
        [r#"home/blind/rpc {"id":1,"src":"homerule-rpc","method":"Cover.Open","params":{"id":0}}"#]
    );
    assert_eq!(
        home.set("blind", r#"{"position":40}"#),
        [r#"home/blind/rpc {"id":1,"src":"homerule-rpc","method":"Cover.GoToPosition","params":{"id":0,"pos":40}}"#]
    );
    assert_eq!(
        home.hear("home/blind/status/cover:0", r#"{"id":0,"state":"open","current_pos":100}"#),
        ["blind.position=100", "blind.open=true"]
    );
    assert_eq!(home.asked("home/blind/rpc", r#"{"method":"Cover.Stop","params":{"id":0}}"#), ["move=stop"]);
    let press = r#"{"src":"i4","dst":"i4/events","method":"NotifyEvent","params":{"ts":1.0,"events":[{"component":"input:1","id":1,"event":"single_push","ts":1.0}]}}"#;
    home.note("i4/events/rpc", press);
    assert_eq!(home.hear("i4/events/rpc", press), ["i4.action=single_push"]);
    home.note("i4/status/input:0", r#"{"id":0,"state":false}"#);
    assert_eq!(home.hear("i4/events/rpc", press), ["i4.action=input_2_single_push"]);
    assert_eq!(home.device("i4").kind, Kind::Remote);
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::parse(text).unwrap()
}

fn pump() -> Home {
    let property = |name: &str| OwnProperty { name: name.into(), ..OwnProperty::default() };
    let pump = OwnDevice {
        name: "Garden pump".into(),
        area: Some("garden".into()),
        aliases: vec!["Pump".into()],
        kind: None,
        state: Some(filter("garden/pump")),
        set: Some(filter("garden/pump/set")),
        properties: vec![
            OwnProperty {
                path: vec!["state".into()],
                values: vec![(true.into(), "ON".into()), (false.into(), "OFF".into())],
                ..property("on")
            },
            OwnProperty { topic: Some(filter("garden/pump/power")), unit: Some("kW".into()), ..property("power") },
            OwnProperty {
                path: vec!["speed".into()],
                range: Some((0.0, 10.0)),
                set: Some(OwnSet { topic: filter("garden/pump/speed"), path: None }),
                ..property("speed")
            },
            OwnProperty { path: vec!["b".into()], range: Some((0.0, 254.0)), ..property("brightness") },
        ],
    };
    Home::of(DeviceSettings { own: vec![pump], ..DeviceSettings::default() })
}

#[test]
fn a_device_of_the_settings_is_as_they_say() {
    let mut home = pump();
    assert_eq!(home.properties("Pump"), ["on rw", "power r W", "speed rw", "brightness rw %"]);
    assert_eq!(&*home.device("own/Garden pump").name, "Garden pump");
    assert_eq!(home.hear("garden/pump", r#"{"state":"ON","speed":3}"#), ["Garden pump.on=true", "Garden pump.speed=3"]);
    assert_eq!(home.hear("garden/pump/power", "1.5"), ["Garden pump.power=1500"]);
    assert_eq!(home.set("Pump", r#"{"on":true,"brightness":40}"#), [r#"garden/pump/set {"state":"ON","b":102}"#]);
    assert_eq!(home.set("Pump", r#"{"speed":4}"#), ["garden/pump/speed 4"]);
    assert_eq!(home.refused("Pump", r#"{"speed":11,"power":1}"#).len(), 2);
    assert_eq!(home.says("Pump", r#"{"power":200}"#), ["garden/pump/power 0.2"]);
}

#[test]
fn a_home_with_every_source_off_reads_nothing() {
    let mut home = Home::of(DeviceSettings { discovery: Discovery::off(), ..DeviceSettings::default() });
    for (place, text) in [
        ("zigbee2mqtt/bridge/devices", "[{}]"),
        ("tasmota/discovery/1/config", TASMOTA),
        ("homie/5/a/$description", "{}"),
    ] {
        assert_eq!(home.note(place, text), [""; 0]);
        assert!(!home.registry.defines(&topic(place)));
    }
    assert_eq!(home.registry.devices().count(), 0);
}
