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
