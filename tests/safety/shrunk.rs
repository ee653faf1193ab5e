//! How short the way is to what exploring finds: homes with a fault each that only some order or time shows.

use super::explored::explore;
use crate::home::Home;

/// A home's rule file, and what must be found in it.
const PLANTED: [(&str, &str, &str); 12] = [
    (
        "a circle of two rules",
        "rules: { a: { when: a/x, then: { b/x: '${msg}' } }, b: { when: b/x, then: { a/x: '${msg}' } } }\n",
        "never end",
    ),
    (
        "a failure after a certain order",
        "rules: { door: { when: { state: hall/door, to: open }, if: \"state('hall/light') == 'ON' and state('hall/mode') == 'night'\", then: { out/x: \"${state('hall/none').x}\" } } }\n",
        "fails",
    ),
    (
        "a failure only late after something",
        "rules: { late: { when: { state: hall/door, to: open, for: 10m }, if: \"state('hall/mode') == 'away'\", then: { out/x: \"${state('hall/none').x}\" } } }\n",
        "fails",
    ),
    (
        "heating on with an open window, since the window is only looked at when it opens",
        "rules:\n  heat: { when: { state: home/temperature, below: 19 }, then: { publish: home/heating/set, payload: 'ON' } }\n  \
         off: { when: { state: home/+room/window, to: open }, then: { publish: home/heating/set, payload: 'OFF' } }\n\
         invariants: { never-both: { never: \"any('home/+/window', 'open') and state('home/heating/set') == 'ON'\", for: 2m } }\n",
        "never-both",
    ),
    (
        "a leak that shuts the valve only while somebody is there",
        "rules: { leak: { when: { state: cellar/leak, to: wet }, if: \"state('home/mode') == 'home'\", then: { valve/set: 'OFF' } } }\n\
         invariants: { shuts: { after: { state: cellar/leak, to: wet }, expect: \"state('valve/set') == 'OFF'\", within: 10s } }\n",
        "shuts",
    ),
    (
        "a siren that sounds though nothing is armed, if it was armed when the delay began",
        "rules: { siren: { when: { state: door, to: open }, if: \"state('alarm') == 'armed'\", then: [ { delay: 30s }, { siren/set: 'ON' } ] } }\n\
         invariants: { armed: { when: { topic: siren/set, payload: 'ON' }, only_if: \"state('alarm') == 'armed'\" } }\n",
        "armed",
    ),
    (
        "a counter that goes below nothing after two leave and none came",
        "rules:\n  in: { when: { topic: gate, payload: in }, then: { publish: people, payload: \"${(state('people') ?? 0) + 1}\", retain: true } }\n  \
         out: { when: { topic: gate, payload: out }, then: { publish: people, payload: \"${(state('people') ?? 0) - 1}\", retain: true } }\n\
         invariants: { some: { never: \"state('people') != () and state('people') < 0\" } }\n",
        "some",
    ),
    (
        "a wait that takes any message for the answer",
        "rules: { ask: { when: { topic: bell, payload: ring }, then: [ { wait: { state: phone, from: [yes, no] }, timeout: 1m }, { door/set: open } ] } }\n\
         invariants: { asked: { when: { topic: door/set, payload: open }, only_if: \"state('phone') == 'yes'\" } }\n",
        "asked",
    ),
    (
        "a shade that a second window opens again",
        "rules: { shade: { when: { state: +room/window, to: open }, then: { \"${room}/shade/set\": UP } }, down: { when: { state: sun/glare, to: 'ON' }, then: { one/shade/set: DOWN } } }\n\
         invariants: { stays: { never: \"state('sun/glare') == 'ON' and state('one/shade/set') == 'UP'\", for: 5m } }\n",
        "stays",
    ),
    (
        "a pump that runs on after the mode changes within its hold",
        "rules: { pump: { when: { state: tank/level, below: 20, for: 5m }, then: { pump/set: 'ON' } }, full: { when: { state: tank/level, above: 80 }, then: { pump/set: 'OFF' } }, holiday: { when: { state: home/mode, to: holiday }, then: { pump/set: 'OFF' } } }\n\
         invariants: { dry: { never: \"state('home/mode') == 'holiday' and state('pump/set') == 'ON'\", for: 1m } }\n",
        "dry",
    ),
    (
        "lights that come on for nobody, when three things come together",
        "rules: { light: { when: { state: hall/motion, to: 'ON' }, if: \"state('hall/lux') < 40\", then: { hall/lamp/set: 'ON' } }, off: { when: { state: home/mode, to: away }, then: { hall/lamp/set: 'OFF' } } }\n\
         invariants: { away: { never: \"state('home/mode') == 'away' and state('hall/lamp/set') == 'ON'\", for: 1m } }\n",
        "away",
    ),
    (
        "a lamp that is switched too often by a flapping sensor",
        "rules: { lamp: { when: { state: attic/motion }, then: { attic/lamp/set: '${msg}' } } }\n\
         invariants: { rarely: { at_most: 4, of: { topic: attic/lamp/set }, within: 1m } }\n",
        "rarely",
    ),
];

#[test]
fn nine_of_ten_finds_take_at_most_eight_steps() {
    let (mut told, mut short) = (Vec::new(), 0);
    for (name, rules, wanted) in PLANTED {
        let home = Home::new(&[("rules/a.yaml", rules)]);
        let (status, answer) = explore(&home, &["--steps", "4000", "--seed", "1", "--save", "rules/found"]);
        assert_eq!(status, 1, "nothing is found of {name}: {answer:#}");
        let found = answer["found"].as_array().unwrap();
        let one = found.iter().find(|one| one["what"].as_str().unwrap().contains(wanted));
        let one = one.unwrap_or_else(|| panic!("{name} isn't found: {answer:#}"));
        let steps = one["steps"].as_u64().unwrap();
        short += usize::from(steps <= 8);
        told.push(format!("{steps} {name}"));
        if one["test"].is_string() {
            assert_eq!(home.say(&["test", "rules/found"]).status, 1, "what is found of {name} is no test that fails");
        }
    }
    assert!(short * 10 >= PLANTED.len() * 9, "{}", told.join("\n"));
}
