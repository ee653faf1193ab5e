//! How short the way is to what exploring finds: homes with a fault each that only some order or time shows.

use super::explored::explore;
use crate::home::Home;

/// A home's rule file, and what must be found in it.
const PLANTED: [(&str, &str, &str); 27] = [
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
    (
        "a lamp that goes out though somebody moves again",
        "rules:\n  \
         light: { when: { state: hall/motion, to: \"ON\" }, mode: single, then: [ { hall/lamp/set: \"ON\" }, { delay: 5m }, { hall/lamp/set: \"OFF\" } ] }\n\
         invariants:\n  \
         lit: { never: \"state('hall/motion') == 'ON' and state('hall/lamp/set') == 'OFF'\", for: 1s }\n",
        "lit",
    ),
    (
        "a valve that a button opens while water runs out",
        "rules:\n  \
         shut: { when: { state: bath/leak, to: true }, then: { valve/set: CLOSE } }\n  \
         open: { when: { topic: garden/button, payload: press }, then: { valve/set: OPEN } }\n\
         invariants:\n  \
         dry: { never: \"state('bath/leak') == true and state('valve/set') == 'OPEN'\" }\n",
        "dry",
    ),
    (
        "a gate that closes though something is in the way",
        "rules:\n  \
         close: { when: { state: garage/door, to: open, for: 10m }, then: { garage/door/command: CLOSE } }\n\
         invariants:\n  \
         free: { when: { topic: garage/door/command, payload: CLOSE }, only_if: \"state('garage/beam') != 'broken'\" }\n",
        "free",
    ),
    (
        "a pump that starts again without water",
        "rules:\n  \
         pump: { while: \"state('garden/soil') < 20\", for: 1m, then: { garden/pump/set: \"ON\" }, else: { garden/pump/set: \"OFF\" } }\n  \
         empty: { when: { state: tank/level, below: 5 }, then: { garden/pump/set: \"OFF\" } }\n\
         invariants:\n  \
         dry-run: { never: \"state('tank/level') < 5 and state('garden/pump/set') == 'ON'\", for: 10s }\n",
        "dry-run",
    ),
    (
        "a lock that shuts when the wait for the door is over",
        "rules:\n  \
         lock:\n    \
         when: { topic: phone, payload: left }\n    \
         then:\n      \
         - wait: { state: front/door, to: closed }\n        \
         timeout: 1m\n        \
         on_timeout: continue\n      \
         - front/lock/set: LOCK\n\
         invariants:\n  \
         shut: { when: { topic: front/lock/set, payload: LOCK }, only_if: \"state('front/door') != 'open'\" }\n",
        "shut",
    ),
    (
        "heating that stays on when somebody leaves",
        "inputs: { away: { type: toggle } }\n\
         rules:\n  \
         warm: { when: { state: home/temperature, below: 18 }, if: \"!inputs.away\", then: { heat/set: \"ON\" } }\n  \
         cool: { when: { state: home/temperature, above: 21 }, then: { heat/set: \"OFF\" } }\n\
         invariants:\n  \
         saves: { never: \"inputs.away and state('heat/set') == 'ON'\", for: 1m }\n",
        "saves",
    ),
    (
        "a lock that shuts at a time with the door open",
        "rules:\n  \
         lock: { when: { at: \"22:00\" }, then: { lock/set: LOCK } }\n\
         invariants:\n  \
         shut: { when: { topic: lock/set, payload: LOCK }, only_if: \"state('front/door') != 'open'\" }\n",
        "shut",
    ),
    (
        "a start that puts out a lamp that is needed",
        "rules:\n  \
         begin: { when: { event: started }, then: { lamp/set: \"OFF\" } }\n  \
         light: { while: \"state('hall/motion') == 'ON'\", then: { lamp/set: \"ON\" }, else: { lamp/set: \"OFF\" } }\n\
         invariants:\n  \
         lit: { never: \"state('hall/motion') == 'ON' and state('lamp/set') == 'OFF'\", for: 1s }\n",
        "lit",
    ),
    (
        "heating that a delay switches off after somebody came back",
        "rules:\n  \
         left: { when: { state: phone/+who, to: away }, if: \"all('phone/+', 'away')\", then: [ { delay: 10m }, { heat/set: \"OFF\" } ] }\n  \
         back: { when: { state: phone/+who, to: home }, then: { heat/set: \"ON\" } }\n\
         invariants:\n  \
         warm: { never: \"any('phone/+', 'home') and state('heat/set') == 'OFF'\", for: 1m }\n",
        "warm",
    ),
    (
        "a lamp that one run switches again and again",
        "rules:\n  \
         blink:\n    \
         when: { topic: hall/button, payload: press }\n    \
         then:\n      \
         - repeat: { every: 1s, until: \"state('hall/button') == 'stop'\" }\n        \
         do: { hall/lamp/set: TOGGLE }\n",
        "again and again",
    ),
    (
        "a command that is sent every two seconds",
        "rules:\n  \
         cool: { while: \"state('room/temp') > 22\", every: 2s, then: { ac/set: COOL } }\n  \
         warm: { while: \"state('room/temp') < 19\", then: { heat/set: \"ON\" }, else: { heat/set: \"OFF\" } }\n",
        "again and again",
    ),
    (
        "a gate that opens only while something runs",
        "rules:\n  \
         a: { when: { topic: b1, payload: press }, then: { remember: { on: true } } }\n  \
         open: { when: { topic: b2, payload: press }, if: \"running('slow')\", then: { gate/set: OPEN } }\n  \
         slow: { when: { topic: b3, payload: press }, then: [ { delay: 30s }, { gate/set: CLOSE } ] }\n\
         invariants:\n  \
         shut: { when: { topic: gate/set, payload: OPEN }, only_if: \"state('b3') != 'press'\" }\n",
        "shut",
    ),
    (
        "a blind that goes down in a storm",
        "rules:\n  \
         up: { when: { topic: blind/button, payload: up }, mode: queued, then: [ { blind/set: UP }, { delay: 20s }, { blind/set: STOP } ] }\n  \
         down: { when: { topic: blind/button, payload: down }, mode: queued, then: [ { blind/set: DOWN }, { delay: 20s }, { blind/set: STOP } ] }\n  \
         wind: { when: { state: wind, above: 60 }, then: { blind/set: UP } }\n\
         invariants:\n  \
         safe: { never: \"state('wind') > 60 and state('blind/set') == 'DOWN'\" }\n",
        "safe",
    ),
    (
        "a lamp that only a stop that is told puts out",
        "rules:\n  \
         bye: { when: { event: stopping }, then: { publish: lamp/set, payload: 'OFF', retain: true } }\n  \
         on: { when: { topic: button, payload: press }, then: { publish: lamp/set, payload: 'ON', retain: true } }\n  \
         hello: { when: { event: started }, then: { say/hello: \"${state('lamp/set') ?? 'OFF'}\" } }\n\
         invariants:\n  \
         dark: { when: { topic: say/hello, payload: 'ON' }, only_if: \"state('home/mode') == 'up'\" }\n",
        "dark",
    ),
    (
        "a reload that switches a lamp on",
        "rules: { again: { when: { event: reloaded }, then: { lamp/set: 'ON' } } }\n\
         invariants: { night: { when: { topic: lamp/set, payload: 'ON' }, only_if: \"state('home/mode') == 'day'\" } }\n",
        "night",
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
        assert!(one["test"].is_string(), "no test is written of {name}: {answer:#}");
        assert_eq!(home.say(&["test", "rules/found"]).status, 1, "what is found of {name} is no test that fails");
    }
    assert!(short * 10 >= PLANTED.len() * 9, "{}", told.join("\n"));
}
