//! What Home Assistant's MQTT discovery tells, in the shapes that real software uses.

use super::*;

fn home(configs: &[(&str, &str)]) -> Home {
    let mut home = Home::new();
    for (place, text) in configs {
        let changes = home.note(&format!("homeassistant/{place}/config"), text);
        assert!(changes.iter().all(|change| !change.starts_with('!')), "{changes:?}");
    }
    home
}

#[test]
fn a_sensor_is_named_by_what_it_measures_and_else_by_its_object() {
    let device = r#""dev":{"ids":["rtl_433_Acurite"],"name":"Acurite","sa":"Garden"}"#;
    let mut home = home(&[
        (
            "sensor/acurite-1/temperature",
            &format!(
                r#"{{"stat_t":"rtl_433/h/temperature_F","dev_cla":"temperature","unit_of_meas":"°F","val_tpl":"{{{{ value|float }}}}","uniq_id":"a",{device}}}"#
            ),
        ),
        (
            "sensor/acurite-1/wind_avg",
            &format!(
                r#"{{"stat_t":"rtl_433/h/wind","unit_of_meas":"km/h","val_tpl":"{{{{ value|float|round(1) }}}}","uniq_id":"b",{device}}}"#
            ),
        ),
        (
            "sensor/acurite-1/device_temp",
            &format!(
                r#"{{"stat_t":"rtl_433/h/t2","dev_cla":"temperature","unit_of_meas":"°C","ent_cat":"diagnostic","uniq_id":"c",{device}}}"#
            ),
        ),
        (
            "binary_sensor/acurite-1/battery",
            &format!(
                r#"{{"stat_t":"rtl_433/h/battery_ok","dev_cla":"battery","pl_on":"0","pl_off":"1","uniq_id":"d",{device}}}"#
            ),
        ),
    ]);
    assert_eq!(
        home.properties("Acurite"),
        ["battery_low r", "temperature r °C", "wind_avg r km/h", "device_temp r °C"]
    );
    assert_eq!(home.device("Acurite").area.as_deref(), Some("Garden"));
    assert_eq!(home.hear("rtl_433/h/temperature_F", "68"), ["Acurite.temperature=20"]);
    assert_eq!(home.hear("rtl_433/h/wind", "3.14159"), ["Acurite.wind_avg=3.1"]);
    assert_eq!(home.hear("rtl_433/h/wind", "none"), [""; 0]);
    assert_eq!(home.hear("rtl_433/h/battery_ok", "0"), ["Acurite.battery_low=true"]);
}

#[test]
fn a_message_may_tell_of_a_whole_device() {
    let text = r#"{"dev":{"ids":"ea334450945afc","name":"Kitchen","mf":"Bla","mdl":"X"},"o":{"name":"bla2mqtt","sw":"2.1"},"~":"bla/kitchen",
      "avty":[{"t":"~/state"}],"stat_t":"~/state",
      "cmps":{
        "temp1":{"p":"sensor","dev_cla":"temperature","unit_of_meas":"°C","val_tpl":"{{ value_json.temperature}}","uniq_id":"t"},
        "relay":{"p":"switch","cmd_t":"~/set","val_tpl":"{{ value_json.relay }}","uniq_id":"r","pl_on":"true","pl_off":"false","stat_on":"True","stat_off":"False"},
        "gone":{"p":"sensor"},
        "wrong":{"p":"sensor","stat_t":"a","val_tpl":"{{ value_json.x | }}"},
        "odd":{"p":"toaster","stat_t":"a"},
        "eye":{"p":"camera","topic":"a"}}}"#;
    let mut home = Home::new();
    let told = home.note("homeassistant/device/0AFFD2/config", text);
    assert_eq!(told.len(), 4, "{told:?}");
    let diagnostics: Vec<&str> = home.device("Kitchen").diagnostics.iter().map(|text| &**text).collect();
    assert!(
        diagnostics[0].starts_with("its component `wrong`: the template `{{ value_json.x | }}` doesn't parse: "),
        "{diagnostics:?}"
    );
    assert_eq!(
        diagnostics[1..],
        ["its component `odd`: `toaster` isn't a component that is known", "its camera `eye` isn't read"]
    );
    assert_eq!(home.properties("home_assistant/ea334450945afc"), ["on rw", "temperature r °C"]);
    assert_eq!(
        home.hear("bla/kitchen/state", r#"{"temperature":20.5,"relay":true}"#),
        ["Kitchen.on=true", "Kitchen.temperature=20.5"]
    );
    assert_eq!(home.set("Kitchen", r#"{"on":false}"#), ["bla/kitchen/set false"]);
    assert_eq!(home.note("homeassistant/device/0AFFD2/config", ""), ["-home_assistant/ea334450945afc"]);
}

#[test]
fn a_light_of_the_json_schema_is_sent_one_message_with_its_state() {
    let text = r#"{"schema":"json","name":"Desk","uniq_id":"desk","~":"esp/light/desk","stat_t":"~/state","cmd_t":"~/command","bri":true,
      "sup_clrm":["rgb","color_temp"],"fx_list":["None","Pulse"],"effect":true,"min_mirs":153,"max_mirs":500}"#;
    let text = text.replace("\"bri\"", "\"brightness\"");
    let mut home = home(&[("light/esp/desk", &text)]);
    assert_eq!(
        home.properties("Desk"),
        ["on rw", "brightness rw %", "color_temp rw K", "color rw", "effect rw", "transition w"]
    );
    assert_eq!(home.set("Desk", r#"{"brightness":40}"#), [r#"esp/light/desk/command {"state":"ON","brightness":102}"#]);
    assert_eq!(home.set("Desk", r#"{"brightness":0}"#), [r#"esp/light/desk/command {"state":"OFF"}"#]);
    assert_eq!(
        home.set("Desk", r##"{"color":"#ff0000","transition":"500ms"}"##),
        [r#"esp/light/desk/command {"state":"ON","color":{"r":255,"g":0,"b":0},"transition":0.5}"#]
    );
    assert_eq!(
        home.hear(
            "esp/light/desk/state",
            r#"{"state":"ON","brightness":255,"color_mode":"rgb","color":{"r":0,"g":255,"b":0}}"#
        ),
        ["Desk.on=true", "Desk.brightness=100", "Desk.color=#00ff00"]
    );
}

#[test]
fn a_light_with_a_topic_for_each_value_is_sent_them_in_order() {
    let text = |order: &str| {
        format!(
            r#"{{"name":"L","uniq_id":"l","stat_t":"l/s","cmd_t":"l/c","bri_stat_t":"l/bs","bri_cmd_t":"l/b","bri_scl":100,"rgb_cmd_t":"l/rgb","rgb_stat_t":"l/rs",
            "clr_temp_cmd_t":"l/ct","fx_cmd_t":"l/fx","fx_list":["a"],"on_cmd_type":"{order}","pl_on":"1","pl_off":"0"}}"#
        )
    };
    for (order, sent) in [
        ("first", vec!["l/c 1", "l/b 40", "l/rgb 255,0,0"]),
        ("last", vec!["l/b 40", "l/rgb 255,0,0", "l/c 1"]),
        ("brightness", vec!["l/b 40", "l/rgb 255,0,0"]),
    ] {
        let mut home = home(&[("light/l", &text(order))]);
        assert_eq!(home.set("L", r##"{"brightness":40,"color":"#ff0000"}"##), sent, "{order}");
        assert_eq!(home.set("L", r#"{"on":false}"#), ["l/c 0"]);
        assert_eq!(home.hear("l/rs", "0,0,255"), ["L.color=#0000ff"]);
        assert_eq!(home.hear("l/s", "1"), ["L.on=true"]);
    }
}

#[test]
fn a_light_of_templates_is_sent_what_they_make() {
    let text = r#"{"schema":"template","name":"T","uniq_id":"t","stat_t":"t/s","cmd_t":"t/c",
      "cmd_on_tpl":"{\"power\":1{% if brightness is defined %},\"b\":{{ brightness }}{% endif %}{% if red is defined %},\"rgb\":[{{ red }},{{ green }},{{ blue }}]{% endif %}}",
      "cmd_off_tpl":"{\"power\":0}","stat_tpl":"{{ 'on' if value_json.power == 1 else 'off' }}","bri_tpl":"{{ value_json.b }}",
      "r_tpl":"{{ value_json.rgb[0] }}","g_tpl":"{{ value_json.rgb[1] }}","b_tpl":"{{ value_json.rgb[2] }}"}"#;
    let mut home = home(&[("light/t", text)]);
    assert_eq!(home.set("T", r#"{"on":true}"#), [r#"t/c {"power":1}"#]);
    assert_eq!(
        home.set("T", r##"{"brightness":100,"color":"#010203"}"##),
        [r#"t/c {"power":1,"b":255,"rgb":[1,2,3]}"#]
    );
    assert_eq!(home.set("T", r#"{"on":false}"#), [r#"t/c {"power":0}"#]);
    assert_eq!(
        home.hear("t/s", r#"{"power":1,"b":128,"rgb":[255,255,0]}"#),
        ["T.on=true", "T.brightness=50", "T.color=#ffff00"]
    );
}

#[test]
fn covers_locks_and_climates_have_their_words() {
    let cover = r#"{"name":"C","uniq_id":"c","cmd_t":"c/cmd","stat_t":"c/state","pos_t":"c/pos","set_pos_t":"c/setpos","pos_open":0,"pos_clsd":100,"pl_stop":null}"#;
    let lock = r#"{"name":"K","uniq_id":"k","cmd_t":"k/set","stat_t":"k","val_tpl":"{{ value_json.state }}"}"#;
    let climate = r#"{"name":"H","uniq_id":"h","temp_unit":"F","min_temp":41,"max_temp":86,"modes":["off","heat"],"mode_cmd_t":"h/mode/set","mode_stat_t":"h/mode",
      "temp_cmd_t":"h/temp/set","temp_stat_t":"h/temp","curr_temp_t":"h/curr","act_t":"h/action"}"#;
    let mut home = home(&[("cover/c", cover), ("lock/k", lock), ("climate/h", climate)]);
    assert_eq!(home.set("C", r#"{"move":"open"}"#), ["c/cmd OPEN"]);
    assert_eq!(home.set("C", r#"{"position":"open"}"#), ["c/setpos 0"]);
    assert_eq!(home.refused("C", r#"{"move":"stop"}"#), ["`move` of `C` takes one of `open`, `close`, not `stop`"]);
    assert_eq!(home.hear("c/state", "opening"), ["C.move=opening"]);
    assert_eq!(home.hear("c/state", "closed"), ["C.open=false"]);
    assert_eq!(home.hear("c/pos", "70"), ["C.position=30"]);
    assert_eq!(home.hear("k", r#"{"state":"LOCKED"}"#), ["K.locked=true"]);
    assert_eq!(home.set("K", r#"{"locked":false}"#), ["k/set UNLOCK"]);
    assert_eq!(home.hear("h/temp", "68"), ["H.setpoint=20"]);
    assert_eq!(home.set("H", r#"{"setpoint":"+0.5","mode":"heat"}"#), ["h/temp/set 68.9", "h/mode/set heat"]);
    assert_eq!(home.refused("H", r#"{"setpoint":31}"#), ["`setpoint` of `H` takes a number from 5 to 30 °C, not `31`"]);
    assert_eq!(home.properties("H"), ["mode rw", "setpoint rw °C", "temperature r °C", "action_raw r"]);
}

#[test]
fn several_of_a_kind_are_channels_and_an_extra_keeps_its_name() {
    let part = |object: &str, extra: &str| {
        format!(
            r#"{{"uniq_id":"{object}","stat_t":"d/{object}","cmd_t":"d/{object}/set","dev":{{"ids":["d"],"name":"D"}}{extra}}}"#
        )
    };
    let two = home(&[
        ("switch/d/relay_10", &part("relay_10", "")),
        ("switch/d/relay_2", &part("relay_2", "")),
        ("switch/d/led", &part("led", r#","ent_cat":"config""#)),
    ]);
    assert_eq!(two.properties("D"), ["on_2 rw", "on_10 rw", "led rw"]);
    let counted = home(&[("switch/d/pump", &part("pump", "")), ("switch/d/heater", &part("heater", ""))]);
    assert_eq!(counted.properties("D"), ["on_1 rw", "on_2 rw"]);
    let beside = home(&[
        ("light/d/l", &part("l", "")),
        ("fan/d/f", &part("f", "")),
        ("switch/d/night", &part("night", "")),
        ("number/d/speed", &part("speed", "")),
    ]);
    assert_eq!(beside.properties("D"), ["fan_on rw", "on rw", "night rw", "speed rw"]);
    assert_eq!(beside.device("D").kind, Kind::Light);
    assert_eq!(beside.set("D", r#"{"fan_on":true}"#), ["d/f/set ON"]);
}

#[test]
fn events_and_triggers_are_actions() {
    let device = r#""dev":{"ids":["r"],"name":"R"}"#;
    let trigger = |number: u8, payload: &str| {
        format!(
            r#"{{"atype":"trigger","t":"r/result","pl":"{payload}","val_tpl":"{{{{ value_json.Button{number}.Action }}}}","type":"button_short_press","stype":"button_{number}",{device}}}"#
        )
    };
    let mut remote = home(&[
        ("event/r/bell", &format!(r#"{{"uniq_id":"e","stat_t":"r/bell","evt_typ":["press"],{device}}}"#)),
        ("device_automation/r/one", &trigger(1, "SINGLE")),
        ("device_automation/r/two", &trigger(2, "SINGLE")),
        ("device_automation/r/three", &trigger(2, "HOLD")),
    ]);
    assert_eq!(remote.device("R").kind, Kind::Remote);
    assert_eq!(remote.hear("r/bell", r#"{"event_type":"press"}"#), ["R.action=press"]);
    assert_eq!(remote.hear("r/bell", "{}"), [""; 0]);
    assert_eq!(remote.hear("r/result", r#"{"Button1":{"Action":"SINGLE"}}"#), ["R.action=button_1_button_short_press"]);
    assert_eq!(remote.hear("r/result", r#"{"Button2":{"Action":"HOLD"}}"#), ["R.action=HOLD"]);
    assert_eq!(remote.hear_as("r/result", r#"{"Button2":{"Action":"HOLD"}}"#, true), [""; 0]);
}

#[test]
fn alarms_vacuums_and_sirens_take_their_words() {
    let alarm = r#"{"name":"A","uniq_id":"a","stat_t":"a/state","cmd_t":"a/set","cmd_tpl":"{\"action\":\"{{ action }}\",\"code\":\"{{ code }}\"}"}"#;
    let plain = r#"{"name":"B","uniq_id":"b","stat_t":"b/state","cmd_t":"b/set"}"#;
    let vacuum = r#"{"name":"V","uniq_id":"v","schema":"state","stat_t":"v/state","cmd_t":"v/cmd","set_fan_spd_t":"v/fan","fanspd_lst":["min","max"],"pl_ret":"home"}"#;
    let siren = r#"{"name":"S","uniq_id":"s","stat_t":"s","cmd_t":"s/set"}"#;
    let mut home = home(&[
        ("alarm_control_panel/a", alarm),
        ("alarm_control_panel/b", plain),
        ("vacuum/v", vacuum),
        ("siren/s", siren),
    ]);
    assert_eq!(home.set("A", r#"{"alarm":"arm_away","code":1234}"#), [r#"a/set {"action":"ARM_AWAY","code":"1234"}"#]);
    assert_eq!(home.set("B", r#"{"alarm":"disarm"}"#), ["b/set DISARM"]);
    assert_eq!(home.hear("a/state", "armed_away"), ["A.alarm=armed_away"]);
    assert_eq!(home.set("V", r#"{"vacuum":"dock","fan_speed":"max"}"#), ["v/cmd home", "v/fan max"]);
    assert_eq!(
        home.hear("v/state", r#"{"state":"docked","battery_level":61,"fan_speed":"min"}"#),
        ["V.vacuum=docked", "V.battery=61", "V.fan_speed=min"]
    );
    assert_eq!(home.set("S", r#"{"sound":true}"#), [r#"s/set {"state":"ON"}"#]);
    assert_eq!(
        home.set("S", r#"{"sound":{"tone":"fire","volume":50,"duration":"10s"}}"#),
        [r#"s/set {"state":"ON","tone":"fire","volume_level":0.5,"duration":10}"#]
    );
    assert_eq!(home.hear("s", "ON"), ["S.sound=true"]);
    assert_eq!(home.hear("s", r#"{"state":"OFF"}"#), ["S.sound=false"]);
}

#[test]
fn availability_is_read_from_each_place_and_in_each_mode() {
    let text = |mode: &str| {
        format!(
            r#"{{"name":"X","uniq_id":"x","stat_t":"x","avty":[{{"t":"x/a"}},{{"topic":"x/b","val_tpl":"{{{{ value_json.up }}}}","pl_avail":"True","pl_not_avail":"False"}}],"avty_mode":"{mode}"}}"#
        )
    };
    let mut all = home(&[("sensor/x", &text("all"))]);
    assert_eq!(all.hear("x/a", "online"), [""; 0]);
    assert_eq!(all.hear("x/b", r#"{"up":true}"#), ["X.available=true"]);
    assert_eq!(all.hear("x/b", r#"{"up":false}"#), ["X.available=false"]);
    let mut any = home(&[("sensor/x", &text("any"))]);
    assert_eq!(any.hear("x/a", "online"), ["X.available=true"]);
    assert_eq!(any.hear("x/b", r#"{"up":false}"#), [""; 0]);
}

#[test]
fn a_bad_message_after_a_good_one_leaves_that_in_force() {
    let good = r#"{"name":"G","uniq_id":"g","stat_t":"g"}"#;
    let mut home = home(&[("sensor/g", good)]);
    let told = home.note("homeassistant/sensor/g/config", "{");
    assert_eq!(told, ["! home_assistant/g: `homeassistant/sensor/g/config` isn't a JSON object", "~home_assistant/g"]);
    assert_eq!(home.note("homeassistant/sensor/g/config", "{"), [""; 0], "told once");
    assert_eq!(home.hear("g", "5"), ["G.g=5"]);
    assert_eq!(home.note("homeassistant/sensor/g/config", good), ["~home_assistant/g"]);
    assert!(home.device("G").diagnostics.is_empty());
    let without_base = r#"{"name":"N","uniq_id":"n","stat_t":"~/n"}"#;
    assert_eq!(
        home.note("homeassistant/sensor/n/config", without_base),
        ["! homeassistant/sensor/n/config: `~/n` has a `~`, but the message doesn't say what it stands for"]
    );
}

#[test]
fn what_cannot_be_read_is_told_of_its_device() {
    let mut home = Home::new();
    let toaster = r#"{"uniq_id":"t","cmd_t":"t","dev":{"ids":["k"],"name":"Kitchen"}}"#;
    assert_eq!(
        home.note("homeassistant/toaster/t/config", toaster),
        ["! home_assistant/k: its toaster `t`: `toaster` isn't a component that is known", "+home_assistant/k",]
    );
    let sensor = r#"{"uniq_id":"s","stat_t":"s","dev":{"ids":["k"],"name":"Kitchen"}}"#;
    assert_eq!(home.note("homeassistant/sensor/s/config", sensor), ["~home_assistant/k"]);
    let bad = sensor.replace("\"stat_t\":\"s\"", "\"stat_t\":\"a#b\"");
    assert_eq!(home.note("homeassistant/sensor/s/config", &bad).len(), 2);
    assert_eq!(home.hear("s", "7"), ["Kitchen.s=7"], "the one before stays in force");
    for number in 0..600 {
        home.note(&format!("homeassistant/sensor/n{number}/config"), r#"{"stat_t":"n","dev":{"ids":["many"]}}"#);
    }
    assert_eq!(home.registry.device("home_assistant/many").unwrap().properties.len(), 500);
}

#[test]
fn a_wildcard_in_a_state_topic_is_read_and_one_in_a_command_is_not_sent() {
    let text = r#"{"name":"O","uniq_id":"o","stat_t":"home/+/BTtoMQTT/AA","val_tpl":"{{ value_json.tempc }}","dev_cla":"temperature","unit_of_meas":"°C"}"#;
    let set = r#"{"name":"P","uniq_id":"p","stat_t":"p","cmd_t":"p/+/set"}"#;
    let mut home = home(&[("sensor/o", text), ("switch/p", set)]);
    assert_eq!(home.hear("home/gateway/BTtoMQTT/AA", r#"{"tempc":21}"#), ["O.temperature=21"]);
    assert_eq!(
        home.refused("P", r#"{"on":true}"#),
        ["the message for `P` can't be made: its command topic has a wildcard"]
    );
}

#[test]
fn what_home_assistant_calls_optimistic_cannot_be_confirmed() {
    let told = |extra: &str| format!(r#"{{"name":"Q","uniq_id":"q","cmd_t":"q/set"{extra}}}"#);
    for (extra, can) in [("", false), (r#","stat_t":"q","opt":true"#, false), (r#","stat_t":"q""#, true)] {
        let home = home(&[("switch/q", &told(extra))]);
        assert_eq!(home.device("Q").property("on").unwrap().1.can_confirm(), can, "{extra}");
    }
}

#[test]
fn our_own_announcement_is_no_device() {
    let mut home = Home::of(DeviceSettings { announced: Some("house".into()), ..DeviceSettings::default() });
    let text = r#"{"dev":{"ids":["x"]},"cmps":{"a":{"p":"sensor","stat_t":"a"}}}"#;
    assert_eq!(home.note("homeassistant/device/homerule_house/config", text), [""; 0]);
    assert_eq!(home.note("homeassistant/device/homerule_other/config", text).len(), 1);
}
