//! `homerule demo`: a home that lives by itself, sixty times as fast, and leaves nothing behind.

use std::fs;
use std::time::Instant;

use super::house::House;
use crate::home::{Home, command, homerule};

fn demo() -> House {
    let home = Home::new(&[]);
    let mut command = command();
    command.args(["demo", "--json"]).env("TMPDIR", home.path());
    home.start_with(command)
}

#[test]
fn a_demo_shows_rules_of_minutes_in_seconds_and_leaves_nothing_behind() {
    let begun = Instant::now();
    let mut house = demo();
    let folder = fs::read_dir(house.home.path()).unwrap().next().unwrap().unwrap().path();
    let is_light = |payload: &'static str| {
        move |line: &serde_json::Value| {
            line["event"] == "publish" && line["topic"] == "home/hall/light/set" && line["payload"] == payload
        }
    };
    let on = house.line("that the light of the hall goes on", is_light("ON"));
    let off = house.line("that it goes off two minutes later", is_light("OFF"));
    let at = |line: &serde_json::Value| line["tst"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let between = at(&off).duration_since(at(&on)).as_secs();
    assert!((120..=150).contains(&between), "{on} {off}");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let why = homerule(house.home.path(), &["why", "home/hall/light/set", "--home", &folder.to_string_lossy()]);
    assert!(why.out.contains("hall:motion-light finished"), "{why:?}");

    let mut second = demo();
    assert_ne!((second.mqtt, second.web), (house.mqtt, house.web), "each takes ports that are free");
    second.end("HUP");
    let log = house.end("INT");
    assert!(!folder.exists(), "{log}");
    assert_eq!(fs::read_dir(house.home.path()).unwrap().count(), 0);
}
