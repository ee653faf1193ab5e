//! `homerule graph`.

use std::fmt::Write as _;

use crate::home::Home;

const RULES: &str = "rules:\n  light: { when: home/+room/motion, if: \"state('home/lux') < 40\", then: { 'home/${room}/light/set': ON } }\n  \
                     other: { when: home/hall/light/set, then: { run: light } }\n";

#[test]
fn a_home_is_drawn_in_three_languages() {
    let home = Home::new(&[("rules/a.yaml", RULES)]);
    let mermaid = home.say(&["graph", "--format", "mermaid"]);
    assert_eq!(mermaid.status, 0, "{}", mermaid.err);
    for line in [
        "(\"a:light\")",
        "[\"home/+/motion\"]",
        "[\"home/lux\"]",
        "[\"home/+/light/set\"]",
        "(\"a:other\")",
        "-.->",
        "==>",
    ] {
        assert!(mermaid.out.contains(line), "{line}: {}", mermaid.out);
    }
    let dot = home.say(&["graph", "--format", "dot"]).out;
    assert!(dot.starts_with("digraph home {") && dot.contains("label=\"home/+/motion\""), "{dot}");
    let svg = home.say(&["graph"]).out;
    assert!(
        svg.starts_with("<svg ")
            && svg.contains(">home/+/motion</text>")
            && svg.matches("<path class=\"line").count() >= 5,
        "{svg}"
    );
    assert_eq!(svg, home.say(&["graph", "--format", "svg"]).out, "the same home gives the same picture");
}

#[test]
fn an_invariant_is_drawn_with_what_it_reads() {
    let rules = format!(
        "{RULES}invariants:\n  calm: {{ name: Calm light, never: \"state('home/hall/light/set') == 'OFF' and holds('dark')\" }}\n"
    );
    let rules = rules.replace("invariants:", "  dark: { while: \"state('home/lux') < 40\" }\ninvariants:");
    let home =
        Home::new(&[("rules/a.yaml", &rules), ("rules/b.yaml", "rules:\n  far: { when: x/y, then: { x/z: 1 } }\n")]);
    let mermaid = home.say(&["graph", "--format", "mermaid"]).out;
    assert!(mermaid.contains("{{\"Calm light") && mermaid.contains("a:calm"), "{mermaid}");
    let dot = home.say(&["graph", "--format", "dot"]).out;
    assert!(dot.contains("shape=hexagon"), "{dot}");
    let svg = home.say(&["graph", "--rule", "calm"]).out;
    for shown in [">a:calm</text>", ">home/hall/light/set</text>", ">a:dark</text>"] {
        assert!(svg.contains(shown), "{shown}: {svg}");
    }
    assert!(svg.contains("<rect class=\"invariant\"") && !svg.contains("b:far"), "{svg}");
}

#[test]
fn a_part_of_it_is_drawn() {
    let home =
        Home::new(&[("rules/a.yaml", RULES), ("rules/b.yaml", "rules:\n  far: { when: x/y, then: { x/z: 1 } }\n")]);
    let part = home.say(&["graph", "--format", "mermaid", "--rule", "far"]).out;
    assert!(part.contains("b:far") && !part.contains("a:light"), "{part}");
    let part = home.say(&["graph", "--format", "mermaid", "--topic", "home/lux"]).out;
    assert!(part.contains("a:light") && !part.contains("b:far"), "{part}");
    let wrong = home.say(&["graph", "--rule", "fra"]);
    assert!(wrong.status == 2 && wrong.err.contains("did you mean `far`?"), "{}", wrong.err);
}

#[test]
fn what_devices_are_told_by_a_restore_a_scene_or_a_script_is_drawn_and_so_is_a_notification() {
    let home = Home::new(&[
        (
            "homerule.yaml",
            "notify: { display: { publish: home/display/set, payload: '${message}' } }\n\
             devices: [ { name: Lamp, state: home/lamp, set: home/lamp/set, properties: { on: { path: state } } } ]\n",
        ),
        (
            "rules/a.yaml",
            "scenes: { film: { Lamp: { on: true } } }\nrules:\n  \
             bell: { when: home/bell, then: [ { snapshot: Lamp }, { delay: 3s }, { restore: Lamp } ] }\n  \
             told: { when: home/door, then: { notify: display, message: The door } }\n  \
             film: { when: home/film, then: { scene: film } }\n",
        ),
        ("rules/b.rhai", "rule(\"script\", #{ when: \"home/script\", then: |e| set(\"Lamp\", #{ on: true }) });\n"),
    ]);
    let dot = home.say(&["graph", "--format", "dot"]).out;
    let node = |label: &str| {
        let line = dot.lines().find(|line| line.contains(&format!("[label=\"{label}\"")));
        line.and_then(|line| line.split_whitespace().next()).unwrap_or_else(|| panic!("{label}: {dot}")).to_owned()
    };
    for (from, to) in [
        ("a:bell", "Lamp\\nhome/lamp/set"),
        ("Lamp\\nhome/lamp", "a:bell"),
        ("a:told", "home/display/set"),
        ("a:film", "Lamp\\nhome/lamp/set"),
        ("b:script", "Lamp\\nhome/lamp/set"),
    ] {
        let edge = format!("  {} -> {}", node(from), node(to));
        let is_there = dot.lines().any(|line| line == format!("{edge};") || line.starts_with(&format!("{edge} [")));
        assert!(is_there, "{from} -> {to}: {dot}");
    }
}

#[test]
fn rules_that_select_devices_by_kind_hear_and_tell_no_others() {
    let device = |name: &str, kind: &str| {
        format!(
            "  - {{ name: {name}, kind: {kind}, state: home/{name}, set: home/{name}/set, properties: {{ on: {{ path: state }} }} }}\n"
        )
    };
    let home = Home::new(&[
        ("homerule.yaml", &format!("devices:\n{}{}", device("lamp", "light"), device("plug", "switch"))),
        (
            "rules/a.yaml",
            "rules:\n  heard: { when: { device: { kind: light }, field: on, to: true }, then: { home/heard: 1 } }\n  \
             told: { when: home/told, then: { set: { kind: light }, to: { on: true } } }\n",
        ),
    ]);
    for (rule, shown) in [("heard", "home/lamp"), ("told", "home/lamp/set")] {
        let dot = home.say(&["graph", "--format", "dot", "--rule", rule]).out;
        assert!(dot.contains(shown) && !dot.contains("home/plug"), "{rule}: {dot}");
    }
}

#[test]
fn a_hundred_rules_are_drawn_in_good_time() {
    let mut rules = String::from("rules:\n");
    for index in 0..100 {
        let room = index % 12;
        writeln!(
            rules,
            "  r{index}: {{ when: home/room{room}/sensor{index}, then: {{ home/room{room}/lamp/set: {index} }} }}"
        )
        .unwrap();
    }
    let home = Home::new(&[("rules/a.yaml", &rules)]);
    let begin = std::time::Instant::now();
    let svg = home.say(&["graph"]).out;
    assert!(svg.matches("<rect class=\"rule\"").count() == 100, "{}", svg.len());
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

/// The rectangles of a picture: left, top, right, bottom.
fn rectangles(svg: &str) -> Vec<[i64; 4]> {
    let number = |text: &str, key: &str| -> i64 {
        text.split(&format!(" {key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let rects = svg.split("<rect ").skip(1).map(|rect| {
        let (x, y) = (number(rect, "x"), number(rect, "y"));
        [x, y, x + number(rect, "width"), y + number(rect, "height")]
    });
    rects.collect()
}

#[test]
fn boxes_do_not_cover_each_other_and_no_arrow_is_missing() {
    let rules = "inputs: { away: { type: toggle, name: We are away } }\nrules:\n  a: { name: First, when: x/1, then: { x/2: 1, x/3: 1 } }\n  \
                 b: { when: [x/2, x/9], if: \"state('x/1') == 1 and not inputs.away\", then: { x/4: 1 } }\n  \
                 c: { when: x/4, if: \"state('x/3') == 1\", then: { x/1: 2, 'x/long/${payload}/set': 1 } }\n  \
                 d: { when: x/+any, then: { z/1: 1 } }\n  e: { when: { input: away }, then: [{ run: a }, { input: { away: false } }] }\n";
    let home = Home::new(&[("rules/a.yaml", rules)]);
    let svg = home.say(&["graph"]).out;
    let boxes = rectangles(&svg);
    assert!(boxes.len() >= 14, "{svg}");
    for (index, one) in boxes.iter().enumerate() {
        assert!(one[0] > 0 && one[1] > 0, "{one:?}");
        for other in &boxes[index + 1..] {
            let is_apart = one[2] < other[0] || other[2] < one[0] || one[3] < other[1] || other[3] < one[1];
            assert!(is_apart, "{one:?} covers {other:?}: {svg}");
        }
    }
    assert!(!svg.contains(" d=\"\""), "an arrow has no way: {svg}");
    assert!(svg.contains("<title>inputs.away</title>") && svg.contains(">First</text>"), "{svg}");
    assert!(svg.matches("<path class=\"line heard\"").count() >= 3, "{svg}");
}

#[test]
fn five_hundred_rules_are_drawn_within_seconds() {
    let mut rules = String::from("rules:\n");
    for index in 0..500 {
        let next = index + 1;
        let others: Vec<String> = (0..20).map(|other| format!("x/{index}/{other}: 1")).collect();
        writeln!(rules, "  r{index}: {{ when: y/{index}, then: {{ y/{next}: 1, {} }} }}", others.join(", ")).unwrap();
    }
    let home = Home::new(&[("rules/a.yaml", &rules)]);
    let begin = std::time::Instant::now();
    let svg = home.say(&["graph"]).out;
    assert_eq!(svg.matches("<rect ").count(), 500 + 501 + 10_000);
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn topics_of_devices_are_drawn_by_name() {
    let devices = include_str!("../../examples/hall-light-by-name/devices.jsonl");
    let rules = include_str!("../../examples/hall-light-by-name/rules/hall-light-by-name.yaml");
    let home = Home::new(&[("devices.jsonl", devices), ("rules/a.yaml", rules)]);
    let svg = home.say(&["graph"]).out;
    assert!(svg.contains("<rect class=\"device\""), "{svg}");
    assert!(svg.contains(">Hall lamp</text>") && svg.contains(">zigbee2mqtt/Hall lamp/set</text>"), "{svg}");
    let mermaid = home.say(&["graph", "--format", "mermaid"]).out;
    assert!(mermaid.contains("[\"Hall sensor<br>zigbee2mqtt/Hall sensor\"]"), "{mermaid}");
    let dot = home.say(&["graph", "--format", "dot"]).out;
    assert!(dot.contains("label=\"Hall lamp\\nzigbee2mqtt/Hall lamp/set\""), "{dot}");
}
