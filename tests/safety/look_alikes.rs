//! More homes with a planted fault, of which the ones that look like them were once warned of, or might be.

use super::planted::{HALL, Planted, SECOND};

/// A door, a heater and a sensor that tell of themselves.
pub(crate) const DEVICES: &str = r#"{"tst": "2024-06-01T10:00:00.000000Z", "topic": "zigbee2mqtt/bridge/devices", "qos": 0, "retain": 1, "payload": "[{\"ieee_address\":\"0x0000000000000004\",\"type\":\"EndDevice\",\"supported\":true,\"disabled\":false,\"friendly_name\":\"Door\",\"interview_completed\":true,\"definition\":{\"model\":\"M\",\"vendor\":\"V\",\"description\":\"d\",\"exposes\":[{\"name\":\"contact\",\"access\":1,\"type\":\"binary\",\"property\":\"contact\",\"value_on\":false,\"value_off\":true}],\"options\":[]}},{\"ieee_address\":\"0x0000000000000006\",\"type\":\"EndDevice\",\"supported\":true,\"disabled\":false,\"friendly_name\":\"Heater\",\"interview_completed\":true,\"definition\":{\"model\":\"M\",\"vendor\":\"V\",\"description\":\"d\",\"exposes\":[{\"type\":\"switch\",\"features\":[{\"name\":\"state\",\"access\":7,\"type\":\"binary\",\"property\":\"state\",\"value_on\":\"ON\",\"value_off\":\"OFF\",\"value_toggle\":\"TOGGLE\"}]}],\"options\":[]}},{\"ieee_address\":\"0x0000000000000007\",\"type\":\"EndDevice\",\"supported\":true,\"disabled\":false,\"friendly_name\":\"Room sensor\",\"interview_completed\":true,\"definition\":{\"model\":\"M\",\"vendor\":\"V\",\"description\":\"d\",\"exposes\":[{\"name\":\"temperature\",\"access\":1,\"type\":\"numeric\",\"property\":\"temperature\",\"value_min\":-20,\"value_max\":60}],\"options\":[]}}]"}
"#;

pub(crate) const MORE: &[Planted] = &[
    Planted {
        name: "a rule that hears what it says, and one that counts to an end",
        code: "HR171",
        wrong: &[("rules/a.yaml", "rules:\n  log: { when: log/#rest, then: { log/last: \"${topic}\" } }\n")],
        right: &[(
            "rules/a.yaml",
            "rules:\n  count: { when: { topic: counter/step }, if: msg < 5, then: { counter/step: \"${msg + 1}\" } }\n",
        )],
    },
    Planted {
        name: "a topic with a letter too many, and a button that nobody pressed",
        code: "HR172",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  light: { when: { state: home/hall/motion, to: \"ON\" }, if: { state: home/hall/luxx, below: 40 }, then: [ { lamp/set: ON }, { delay: 5m }, { lamp/set: OFF } ] }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: Open. } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  light: { when: { topic: home/hall/button, payload: press }, then: { lamp/set: TOGGLE } }\n  leak: { when: { state: home/hall/leak, to: true }, then: { home/notify: Water! } }\n",
        )],
    },
    Planted {
        name: "a topic beside two that tests know, and one beside a single one",
        code: "HR172",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  light: { when: { state: home/hall/motion, to: \"ON\" }, if: { state: home/hall/shade, is: up }, then: [ { lamp/set: ON }, { delay: 5m }, { lamp/set: OFF } ] }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: Open. } }\n",
            ),
        ],
        right: &[(
            "rules/b.test.yaml",
            "tests:\n  a: { strict: false, steps: [ { publish: home/hall/motion, values: [\"ON\", \"OFF\"], every: 1m } ] }\n",
        )],
    },
    Planted {
        name: "a lamp that nobody switches off, and one whose rule yields to a hand",
        code: "HR175",
        wrong: &[
            ("rules/b.yaml", SECOND),
            (
                "rules/a.yaml",
                "rules:\n  lamp: { when: { state: hall/motion, to: \"ON\" }, then: { hall/lamp/set: { state: ON } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  lamp: { when: { state: hall/motion, to: \"ON\" }, then: { hall/lamp/set: { state: ON } }, yields: { for: 2h, to: hall/lamp } }\n",
        )],
    },
    Planted {
        name: "a lamp that was recorded to stay on and one that a hand was recorded to switch off",
        code: "HR175",
        wrong: &[
            ("rules/b.yaml", SECOND),
            (
                "rules/a.yaml",
                "rules:\n  lamp: { when: { state: hall/motion, to: \"ON\" }, then: { hall/lamp/set: { state: ON } } }\n",
            ),
            (
                "recordings/day.jsonl",
                "{\"tst\":\"2024-06-01T10:00:00.000000Z\",\"topic\":\"hall/lamp\",\"qos\":0,\"retain\":0,\"payload\":\"{\\\"state\\\":\\\"ON\\\"}\"}\n",
            ),
        ],
        right: &[(
            "recordings/day.jsonl",
            concat!(
                "{\"tst\":\"2024-06-01T10:00:00.000000Z\",\"topic\":\"hall/lamp\",\"qos\":0,\"retain\":0,\"payload\":\"{\\\"state\\\":\\\"ON\\\"}\"}\n",
                "{\"tst\":\"2024-06-01T11:00:00.000000Z\",\"topic\":\"hall/lamp\",\"qos\":0,\"retain\":0,\"payload\":\"{\\\"state\\\":\\\"OFF\\\"}\"}\n",
            ),
        )],
    },
    Planted {
        name: "a sensor that repeats itself and a door of which a test only tells that it opens",
        code: "HR177",
        wrong: &[
            (
                "rules/b.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: cat/door, values: [open, open], every: 1m } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  open: { when: { state: cat/door, to: open, for: 10m }, then: { home/notify: The door has been open for ten minutes. } }\n",
            ),
        ],
        right: &[(
            "rules/b.test.yaml",
            "tests:\n  a: { strict: false, steps: [ { publish: cat/door, payload: open } ] }\n",
        )],
    },
    Planted {
        name: "two rules by a named wildcard, one of which leaves the other's room out",
        code: "HR170",
        wrong: &[(
            "rules/a.yaml",
            "rules:\n  on: { when: { topic: home/+room/motion, payload: \"ON\" }, then: { \"home/${room}/lamp/set\": { state: ON, brightness: 100 } } }\n  \
             hall: { when: { topic: home/hall/motion, payload: \"ON\" }, then: { home/hall/lamp/set: { state: ON, brightness: 30 } } }\n  \
             off: { when: { state: home/+room/motion, to: \"OFF\", for: 2m }, then: { \"home/${room}/lamp/set\": { state: OFF } } }\n",
        )],
        right: &[(
            "rules/a.yaml",
            "rules:\n  on: { when: { topic: home/+room/motion, payload: \"ON\" }, if: room != 'hall', then: { \"home/${room}/lamp/set\": { state: ON, brightness: 100 } } }\n  \
             hall: { when: { topic: home/hall/motion, payload: \"ON\" }, then: { home/hall/lamp/set: { state: ON, brightness: 30 } } }\n  \
             off: { when: { state: home/+room/motion, to: \"OFF\", for: 2m }, then: { \"home/${room}/lamp/set\": { state: OFF } } }\n",
        )],
    },
    Planted {
        name: "two scripts at one time, and at two",
        code: "HR170",
        wrong: &[(
            "rules/a.rhai",
            "rule(\"up\", #{ when: #{ at: \"07:00\" }, then: |e| { publish(\"cover/set\", \"OPEN\"); } });\nrule(\"down\", #{ when: #{ at: \"07:00\" }, then: |e| { publish(\"cover/set\", \"CLOSE\"); } });\n",
        )],
        right: &[(
            "rules/a.rhai",
            "rule(\"up\", #{ when: #{ at: \"07:00\" }, then: |e| { publish(\"cover/set\", \"OPEN\"); } });\nrule(\"down\", #{ when: #{ at: \"19:00\" }, then: |e| { publish(\"cover/set\", \"CLOSE\"); } });\n",
        )],
    },
    Planted {
        name: "a door that is asked by its name when it becomes cold",
        code: "HR176",
        wrong: &[
            ("devices.jsonl", DEVICES),
            (
                "rules/a.yaml",
                "rules:\n  heat: { when: { device: Room sensor, field: temperature, below: 18 }, if: \"device('Door').open == false\", then: { set: Heater, to: { on: true } } }\n  \
                 stop: { when: { device: Room sensor, field: temperature, above: 20 }, then: { set: Heater, to: { on: false } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  heat: { while: \"device('Room sensor').temperature < 18 and device('Door').open == false\", then: { set: Heater, to: { on: true } }, else: { set: Heater, to: { on: false } } }\n",
        )],
    },
];
