//! Rules that don't surprise: faults that `check` and `explore` find, and look-alikes of which they say nothing.

mod allowed;
mod explored;
mod invariants;
mod look_alikes;
mod pictures;
mod planted;
mod shrunk;
mod yields;

use crate::home::Home;
use look_alikes::MORE;
use planted::PLANTED;

/// The codes of the warnings of a home, in their order.
fn codes(home: &Home, arguments: &[&str]) -> Vec<String> {
    let said = home.say(&[&["check", "--json"], arguments].concat());
    let answer: serde_json::Value =
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    let found = answer["diagnostics"].as_array().unwrap();
    found
        .iter()
        .map(|found| format!("{} {}", found["code"].as_str().unwrap(), found["message"].as_str().unwrap()))
        .collect()
}

#[test]
fn each_planted_fault_is_found_and_nothing_is_said_of_what_looks_like_it() {
    let mut wrong = Vec::new();
    for planted in PLANTED.iter().chain(MORE) {
        let found = codes(&Home::new(planted.wrong), &[]);
        if !(found.len() == 1 && found[0].starts_with(planted.code)) {
            wrong.push(format!("{}: {found:#?}", planted.name));
        }
        let home = Home::new(planted.wrong);
        planted.right.iter().for_each(|(path, text)| home.write(path, text));
        let found = codes(&home, &[]);
        if !found.is_empty() {
            wrong.push(format!("{}, the look-alike: {found:#?}", planted.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_witness_passes_on_the_home_as_it_is_and_fails_once_it_is_mended() {
    let mut wrong = Vec::new();
    for planted in PLANTED.iter().chain(MORE).filter(|planted| planted.code != "HR177") {
        let home = Home::new(planted.wrong);
        let said = home.say(&["check", "--witness", "rules/shown"]);
        if !said.out.contains(": shown by ") {
            wrong.push(format!("{}: {}{}", planted.name, said.out, said.err));
            continue;
        }
        let tested = home.say(&["test", "rules/shown"]);
        if tested.status != 0 {
            wrong.push(format!("{} fails: {}{}", planted.name, tested.out, tested.err));
        }
        // Some look-alikes are other homes rather than mended ones.
        if planted.right.iter().any(|(path, _)| *path != "rules/a.yaml")
            || planted.name.contains(" and ")
            || planted.name.contains("is asked when")
            || planted.name.contains("presses")
        {
            continue;
        }
        planted.right.iter().for_each(|(path, text)| home.write(path, text));
        let mended = home.say(&["test", "rules/shown"]);
        if mended.status == 0 {
            wrong.push(format!("{} passes though mended: {}", planted.name, home.read_all("rules/shown")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
