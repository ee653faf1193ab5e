//! Two instances of one home at a real mosquitto: one leads, the other goes on.

use std::time::{Duration, Instant};

use super::house::{House, until};
use super::mosquitto::{Device, Mosquitto};
use crate::home::Home;

const RULES: &str = "rules:\n  later:\n    when: home/go\n    then: [ { delay: 6s }, { publish: out/later, payload: \"${payload}\" } ]\n  \
    held:\n    when: { state: home/door, to: open, for: 6s }\n    then: { out/held: alarm }\n  \
    count:\n    when: home/motion\n    then: [ { remember: { n: \"${(memory.n ?? 0) + 1}\" } }, { publish: out/count, payload: \"${memory.n}\" } ]\n";

fn instance(mosquitto: &Mosquitto, name: &str, lease: &str) -> House {
    let settings = format!(
        "{}instance: {{ name: {name}, standby_of: home, lease: {lease}, key: instance.key }}\n",
        mosquitto.settings()
    );
    let files = [
        ("homerule.yaml", settings.as_str()),
        ("instance.key", "a secret of sixteen letters or more"),
        ("rules/all.yaml", RULES),
    ];
    Home::new(&files).start_at_another()
}

fn role(house: &House) -> String {
    house.get("/api/status")["instance"]["role"].as_str().unwrap().to_owned()
}

#[test]
fn a_standby_goes_on_with_what_the_leader_had_begun() {
    let mosquitto = Mosquitto::start();
    let mut device = Device::new(mosquitto.address, "device", &["out/#", "homerule/status"]);
    let mut a = instance(&mosquitto, "a", "3s");
    until("`a` leads", || role(&a) == "leader");
    let b = instance(&mosquitto, "b", "3s");
    until("`b` waits", || role(&b) == "standby");
    device.publish("home/motion", "1", false);
    device.publish("home/motion", "2", false);
    device.live_until("both were counted", |device| device.on("out/count") == ["1", "2"]);
    device.publish("home/door", "closed", true);
    device.publish("home/door", "open", true);
    device.publish("home/go", "went", false);
    device.live_until("they are there", Device::is_drained);
    // What is waited for is known to the standby.
    device.live(Duration::from_secs(2));
    assert_eq!(b.ask("POST", "/hook/x", None), (503, "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"this instance is a standby, and `a` leads: ask there\",\"leader\":\"a\"}".to_owned()));
    let killed = Instant::now();
    a.end("KILL");
    until("`b` leads", || role(&b) == "leader");
    let taken = killed.elapsed();
    assert!(taken < Duration::from_secs(3), "within the lease, not after {taken:?}");
    device.publish("home/motion", "3", false);
    device.live_until("the wait and the hold ended", |device| {
        !device.on("out/later").is_empty() && !device.on("out/held").is_empty()
    });
    device.live(Duration::from_secs(1));
    assert_eq!((device.on("out/later"), device.on("out/held")), (vec!["went"], vec!["alarm"]));
    assert_eq!(device.on("out/count"), ["1", "2", "3"], "what was remembered goes on");
    assert_eq!(b.get("/api/status")["instance"]["epoch"], 2);
    a.begin_at_another();
    until("`a` waits", || role(&a) == "standby");
    assert_eq!(role(&b), "leader");
}

#[test]
fn a_leader_that_is_stopped_is_followed_at_once() {
    let mosquitto = Mosquitto::start();
    let mut device = Device::new(mosquitto.address, "device", &["out/#"]);
    let mut a = instance(&mosquitto, "a", "30s");
    until("`a` leads", || role(&a) == "leader");
    let b = instance(&mosquitto, "b", "30s");
    until("`b` waits", || role(&b) == "standby");
    device.live(Duration::from_secs(1));
    a.end("TERM");
    until("`b` leads", || role(&b) == "leader");
    device.publish("home/motion", "1", false);
    device.live_until("it acts", |device| device.on("out/count") == ["1"]);
}
