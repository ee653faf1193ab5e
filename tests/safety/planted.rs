//! Homes with one planted fault each, and others that look like them and are right.

/// A home with a fault, and one that looks like it.
pub(crate) struct Planted {
    pub(crate) name: &'static str,
    /// The warning that tells of the fault.
    pub(crate) code: &'static str,
    /// The files of the home with the fault.
    pub(crate) wrong: &'static [(&'static str, &'static str)],
    /// Those of a home that looks alike and is right; beside it, all files of the other that have other names.
    pub(crate) right: &'static [(&'static str, &'static str)],
}

pub(super) const HALL: &str = "tests:\n  a:\n    strict: false\n    steps:\n      - { publish: home/hall/motion, values: [\"ON\", \"OFF\"], every: 1m }\n      - { publish: home/hall/lux, values: [10, 300], every: 1m }\n      - { publish: home/hall/door, values: [open, closed], every: 1m }\n";

/// Another rule, without which a home has only begun.
pub(super) const SECOND: &str =
    "rules:\n  damp: { when: { state: cellar/humidity, above: 80 }, then: { home/notify: The cellar is damp. } }\n";

pub(crate) const PLANTED: &[Planted] = &[
    Planted {
        name: "two rules fight over a lamp",
        code: "HR170",
        wrong: &[
            ("rules/a.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  bright: { when: { topic: home/hall/motion, payload: \"ON\" }, then: { home/hall/lamp/set: { state: ON, brightness: 255 } } }\n  \
                 dim: { when: home/hall/motion, if: \"msg == 'ON' and state('home/hall/lux') < 40\", then: { home/hall/lamp/set: { state: ON, brightness: 20 } } }\n  \
                 off: { when: { topic: home/hall/motion, payload: \"OFF\" }, then: { home/hall/lamp/set: { state: OFF } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  bright: { when: { topic: home/hall/motion, payload: \"ON\" }, if: \"state('home/hall/lux') >= 40\", then: { home/hall/lamp/set: { state: ON, brightness: 255 } } }\n  \
             dim: { when: home/hall/motion, if: \"msg == 'ON' and state('home/hall/lux') < 40\", then: { home/hall/lamp/set: { state: ON, brightness: 20 } } }\n  \
             off: { when: { topic: home/hall/motion, payload: \"OFF\" }, then: { home/hall/lamp/set: { state: OFF } } }\n",
        )],
    },
    Planted {
        name: "two rules at one time of day",
        code: "HR170",
        wrong: &[(
            "rules/a.yaml",
            "rules:\n  up: { when: { at: \"07:00\" }, then: { cover/living/set: OPEN } }\n  \
             shade: { when: { at: [\"07:00\", \"13:00\"] }, then: { cover/living/set: CLOSE } }\n",
        )],
        right: &[(
            "rules/a.yaml",
            "rules:\n  up: { when: { at: \"07:00\", weekdays: mon-fri }, then: { cover/living/set: OPEN } }\n  \
             shade: { when: { at: \"07:00\", weekdays: sat-sun }, then: { cover/living/set: CLOSE } }\n",
        )],
    },
    Planted {
        name: "maps that clash, and maps of different keys",
        code: "HR170",
        wrong: &[(
            "rules/a.yaml",
            "rules:\n  a: { when: { webhook: film }, then: { lamp/set: { state: ON, brightness: 10 } } }\n  \
             b: { when: { webhook: film }, then: { lamp/set: { brightness: 90 } } }\n  \
             c: { when: { webhook: end }, then: { lamp/set: { state: OFF } } }\n",
        )],
        right: &[(
            "rules/a.yaml",
            "rules:\n  a: { when: { webhook: film }, then: { lamp/set: { state: ON, brightness: 10 } } }\n  \
             b: { when: { webhook: film }, then: { lamp/set: { color_temp: 370 } } }\n  \
             c: { when: { webhook: end }, then: [ { delay: 1s }, { lamp/set: { state: OFF } } ] }\n",
        )],
    },
    Planted {
        name: "a rule wakes itself",
        code: "HR171",
        wrong: &[("rules/a.yaml", "rules:\n  copy: { when: home/mode, then: { home/mode: \"${payload}\" } }\n")],
        right: &[(
            "rules/a.yaml",
            "rules:\n  copy: { when: home/mode, if: \"msg != 'night'\", then: { home/mode: night } }\n",
        )],
    },
    Planted {
        name: "a circle of two",
        code: "HR171",
        wrong: &[
            (
                "rules/a.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: a/level, values: [1, 2], every: 1m } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  there: { when: a/level, then: { b/level: \"${payload}\" } }\n  back: { when: b/level, then: { a/level: \"${payload}\" } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  there: { when: { state: a/level }, then: { b/level: \"${payload}\" } }\n  back: { when: { state: b/level }, then: { a/level: \"${payload}\" } }\n",
        )],
    },
    Planted {
        name: "a circle through a lamp that answers",
        code: "HR171",
        wrong: &[
            (
                "rules/a.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: zigbee2mqtt/lamp, payload: { state: ON, brightness: 90 } }, { publish: zigbee2mqtt/lamp, payload: { state: OFF, brightness: 90 } } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  dim: { when: zigbee2mqtt/lamp, if: \"msg.state == 'ON'\", then: { zigbee2mqtt/lamp/set: { brightness: 40 } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  dim: { when: { state: zigbee2mqtt/lamp, field: state, to: \"ON\" }, then: { zigbee2mqtt/lamp/set: { brightness: 40 } } }\n",
        )],
    },
    Planted {
        name: "a topic with a slip in it",
        code: "HR172",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  light: { when: { topic: home/hall/motion, payload: \"ON\" }, if: \"state('home/hal/lux') < 40\", then: [ { home/hall/light/set: ON }, { delay: 5m }, { home/hall/light/set: OFF } ] }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: The door is open. } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  light: { when: { topic: home/hall/motion, payload: \"ON\" }, if: \"(state('home/hall/luxx') ?? 0) < 40\", then: [ { home/hall/light/set: ON }, { delay: 5m }, { home/hall/light/set: OFF } ] }\n",
        )],
    },
    Planted {
        name: "a series whose topic nobody speaks on",
        code: "HR172",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  bright: { when: { topic: home/hall/motion, payload: \"ON\" }, then: { home/hall/bright: \"${average('home/hall/luxx', '1h')}\" } }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: The door is open. } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  bright: { when: { topic: home/hall/motion, payload: \"ON\" }, then: { home/hall/bright: \"${average('home/hall/lux', '1h')} ${average('home/hall/luxx', '1h') ?? 0}\" } }\n",
        )],
    },
    Planted {
        name: "a topic that another rule speaks on is none",
        code: "HR172",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  light: { when: { topic: home/hall/motion, payload: \"ON\" }, if: { state: home/hall/dark, is: true }, then: [ { home/hall/light/set: ON }, { delay: 5m }, { home/hall/light/set: OFF } ] }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: The door is open. } }\n",
            ),
        ],
        right: &[(
            "rules/b.yaml",
            "rules:\n  dark: { while: \"state('home/hall/lux') < 40\", then: { home/hall/dark: true }, else: { home/hall/dark: false } }\n",
        )],
    },
    Planted {
        name: "true where only ON and OFF are said",
        code: "HR173",
        wrong: &[
            ("rules/b.test.yaml", HALL),
            (
                "rules/a.yaml",
                "rules:\n  light: { when: { state: home/hall/motion, to: true }, then: [ { home/hall/light/set: ON }, { delay: 5m }, { home/hall/light/set: OFF } ] }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  door: { when: { state: home/hall/door, to: open }, then: { home/notify: The door is open. } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  light: { when: { state: home/hall/motion, to: [true, \"ON\"] }, then: [ { home/hall/light/set: ON }, { delay: 5m }, { home/hall/light/set: OFF } ] }\n",
        )],
    },
    Planted {
        name: "a word in another case, and one that wasn't said by chance",
        code: "HR173",
        wrong: &[
            (
                "rules/b.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: z/button, payload: { action: single } }, { publish: z/button, payload: { action: double } } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  press: { when: { state: z/button, field: action, to: Single }, then: { lamp/set: TOGGLE } }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  other: { when: { topic: z/button, payload: { action: double } }, then: { lamp/set: \"OFF\" } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  press: { when: { state: z/button, field: action, to: hold }, then: { lamp/set: TOGGLE } }\n",
        )],
    },
    Planted {
        name: "a threshold that flaps",
        code: "HR174",
        wrong: &[
            (
                "recordings/day.jsonl",
                concat!(
                    "{\"tst\":\"2024-06-01T10:00:00.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"59.8\"}\n",
                    "{\"tst\":\"2024-06-01T10:00:30.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"60.2\"}\n",
                    "{\"tst\":\"2024-06-01T10:01:00.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"59.9\"}\n",
                    "{\"tst\":\"2024-06-01T10:01:30.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"60.3\"}\n",
                    "{\"tst\":\"2024-06-01T10:02:00.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"59.7\"}\n",
                    "{\"tst\":\"2024-06-01T10:02:30.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"60.4\"}\n",
                    "{\"tst\":\"2024-06-01T10:03:00.000000Z\",\"topic\":\"bath/humidity\",\"qos\":0,\"retain\":0,\"payloadlen\":4,\"payload\":\"59.6\"}\n",
                ),
            ),
            (
                "rules/a.yaml",
                "rules:\n  fan: { while: \"state('bath/humidity') > 60\", then: { bath/fan/set: ON }, else: { bath/fan/set: OFF } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  fan: { while: \"state('bath/humidity') > (if holds() { 55 } else { 60 })\", then: { bath/fan/set: ON }, else: { bath/fan/set: OFF } }\n",
        )],
    },
    Planted {
        name: "a heater that is never switched off",
        code: "HR175",
        wrong: &[
            ("rules/b.yaml", SECOND),
            (
                "rules/a.yaml",
                "rules:\n  frost: { when: { state: cellar/temperature, below: 3 }, then: { cellar/heater/set: ON } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  frost: { while: \"state('cellar/temperature') < 3\", linger: 30m, then: { cellar/heater/set: ON }, else: { cellar/heater/set: OFF } }\n",
        )],
    },
    Planted {
        name: "a lamp that somebody presses on",
        code: "HR175",
        wrong: &[
            ("rules/b.yaml", SECOND),
            (
                "rules/a.yaml",
                "rules:\n  lamp: { when: { state: garden/gate, to: open }, then: { garden/lamp/set: { state: ON } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  lamp: { when: { topic: garden/button, payload: single }, then: { garden/lamp/set: { state: ON } } }\n",
        )],
    },
    Planted {
        name: "a pump with a timer of its own",
        code: "HR175",
        wrong: &[
            ("rules/b.yaml", SECOND),
            (
                "rules/a.yaml",
                "rules:\n  water: { when: { at: \"06:00\" }, then: { garden/pump/set: { state: ON } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  water: { when: { at: \"06:00\" }, then: { garden/pump/set: { state: ON, on_time: 600 } } }\n",
        )],
    },
    Planted {
        name: "the window closes after it has become cold",
        code: "HR176",
        wrong: &[(
            "rules/a.yaml",
            "rules:\n  heat: { when: { state: living/temperature, below: 19 }, if: { state: living/window, is: closed }, then: { living/heater/set: ON } }\n  \
             stop: { when: { state: living/temperature, above: 21 }, then: { living/heater/set: OFF } }\n",
        )],
        right: &[(
            "rules/a.yaml",
            "rules:\n  heat: { when: [ { state: living/temperature, below: 19 }, { state: living/window, to: closed } ], if: \"state('living/window') == 'closed' and state('living/temperature') < 19\", then: { living/heater/set: ON } }\n  \
             stop: { when: { state: living/temperature, above: 21 }, then: { living/heater/set: OFF } }\n",
        )],
    },
    Planted {
        name: "a condition on light is asked when somebody comes",
        code: "HR176",
        wrong: &[(
            "rules/a.yaml",
            "rules:\n  fan: { when: { state: bath/window, to: closed }, if: { state: bath/humidity, above: 70 }, then: { bath/fan/set: ON } }\n  \
             stop: { when: { state: bath/humidity, below: 55 }, then: { bath/fan/set: OFF } }\n",
        )],
        right: &[(
            "rules/a.yaml",
            "rules:\n  lamp: { when: { state: hall/motion, to: true }, if: { state: hall/lux, below: 40 }, then: { hall/lamp/set: ON } }\n  \
             stop: { when: { state: hall/motion, to: false, for: 3m }, then: { hall/lamp/set: OFF } }\n",
        )],
    },
    Planted {
        name: "a sensor that never says that it's over",
        code: "HR177",
        wrong: &[
            (
                "rules/b.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: rf/doorsensor, values: [\"ON\", \"ON\"], every: 1m } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  open: { when: { state: rf/doorsensor, to: \"ON\", for: 10m }, then: { home/notify: The door has been open for ten minutes. } }\n",
            ),
            (
                "rules/b.yaml",
                "rules:\n  note: { when: rf/doorsensor, then: { home/notify: Somebody is at the door. } }\n",
            ),
        ],
        right: &[(
            "rules/b.test.yaml",
            "tests:\n  a: { strict: false, steps: [ { publish: rf/doorsensor, values: [\"ON\", \"OFF\"], every: 1m } ] }\n",
        )],
    },
    Planted {
        name: "a lamp is told on the topic on which it speaks",
        code: "HR178",
        wrong: &[
            (
                "rules/a.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: zigbee2mqtt/lamp, payload: { state: ON } }, { publish: zigbee2mqtt/lamp, payload: { state: OFF } }, { publish: home/hall/motion, values: [\"ON\", \"OFF\"], every: 1m } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  on: { while: \"state('home/hall/motion') == 'ON'\", then: { zigbee2mqtt/lamp: { state: ON } }, else: { zigbee2mqtt/lamp: { state: OFF } } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  on: { while: \"state('home/hall/motion') == 'ON'\", then: { zigbee2mqtt/lamp/set: { state: ON } }, else: { zigbee2mqtt/lamp/set: { state: OFF } } }\n",
        )],
    },
    Planted {
        name: "a command is read as a state, and a device of one's own",
        code: "HR178",
        wrong: &[
            (
                "rules/a.test.yaml",
                "tests:\n  a: { strict: false, steps: [ { publish: pump, values: [\"ON\", \"OFF\"], every: 1m }, { publish: tank/level, values: [5, 50], every: 1m } ] }\n",
            ),
            (
                "rules/a.yaml",
                "rules:\n  full: { when: { state: tank/level, above: 40 }, if: { state: pump/set, is: \"ON\" }, then: { pump/set: OFF } }\n  \
                 low: { when: { state: tank/level, below: 10 }, then: { pump/set: ON } }\n",
            ),
        ],
        right: &[(
            "rules/a.yaml",
            "rules:\n  own: { when: virtual/fan/set, then: { publish: virtual/fan, payload: \"${payload}\", retain: true } }\n  \
             full: { when: { state: tank/level, above: 40 }, then: { pump/set: OFF } }\n  low: { when: { state: tank/level, below: 10 }, then: { pump/set: ON } }\n",
        )],
    },
];
