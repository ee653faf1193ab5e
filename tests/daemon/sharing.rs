//! Three instances that share a home at a real mosquitto: each does its part, and the others go on with the part of one that ends.

use std::time::Duration;

use super::house::{House, until};
use super::mosquitto::{Device, Mosquitto};
use crate::home::Home;

const NUMBERS: std::ops::Range<usize> = 0..12;

const RULES: &str = r#"rules:
  act:
    each: { n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }
    when: "in/${n}"
    then: { "out/${n}": "${payload}" }
  chain:
    each: { n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }
    when: "out/${n}"
    then: { "chain/${n}": "${payload}" }
  later:
    each: { n: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] }
    when: in/later
    then: [ { delay: 5s }, { publish: "later/${n}", payload: "${payload}" } ]
  count:
    when: in/count
    then: [ { remember: { n: "${(memory.n ?? 0) + 1}" } }, { publish: out/count, payload: "${memory.n}" } ]
  bell:
    when: { webhook: bell }
    then: { out/bell: "${payload}" }
"#;

fn instance(mosquitto: &Mosquitto, name: &str) -> House {
    let settings = format!(
        "{}instance: {{ name: {name}, home: tower, share: [a, b, c], key: instance.key }}\n",
        mosquitto.settings()
    );
    let files = [
        ("homerule.yaml", settings.as_str()),
        ("instance.key", "a secret of sixteen letters or more"),
        ("rules/all.yaml", RULES),
    ];
    Home::new(&files).start_at_another()
}

/// Waits until each of them shares with the others.
fn share(houses: &[&House]) {
    for house in houses {
        until("it shares", || {
            let instance = &house.get("/api/status")["instance"];
            let others = instance["shares_with"].as_array().map_or(0, Vec::len);
            instance["role"] == "sharing" && others == houses.len() - 1
        });
    }
}

/// Returns what came on `topic/0` to `topic/11`.
fn all<'a>(device: &'a Device, topic: &str) -> Vec<Vec<&'a str>> {
    NUMBERS.map(|number| device.on(&format!("{topic}/{number}"))).collect()
}

/// Lives until something came on each of them, and a while longer: nothing may come twice.
fn live_until_all(device: &mut Device, topic: &str, count: usize) {
    device.live_until(topic, |device| all(device, topic).iter().all(|came| came.len() >= count));
    device.live(Duration::from_millis(1500));
}

#[test]
fn three_instances_share_the_rules_and_two_go_on_with_those_of_the_third() {
    let mosquitto = Mosquitto::start();
    let mut device = Device::new(mosquitto.address, "device", &["out/#", "chain/#", "later/#"]);
    let mut a = instance(&mosquitto, "a");
    until("`a` acts", || a.get("/api/status")["instance"]["role"] == "sharing");
    device.publish("in/count", "", false);
    device.live_until("it was counted", |device| device.on("out/count") == ["1"]);
    let (mut b, mut c) = (instance(&mosquitto, "b"), instance(&mosquitto, "c"));
    share(&[&a, &b, &c]);
    for number in NUMBERS {
        device.publish(&format!("in/{number}"), "1", false);
    }
    live_until_all(&mut device, "chain", 1);
    assert_eq!(all(&device, "out"), vec![vec!["1"]; 12], "each action is done once");
    assert_eq!(all(&device, "chain"), vec![vec!["1"]; 12], "and what one instance does is no news to another");
    let published = [&mut a, &mut b, &mut c].map(House::publications_so_far);
    assert!(published.iter().all(|count| (2..20).contains(count)), "the work is divided: {published:?}");
    device.publish("in/count", "", false);
    device.live_until("it was counted", |device| device.on("out/count") == ["1", "2"]);
    assert_eq!(b.ask("POST", "/hook/bell", Some("rings")).0, 202);
    device.live_until("the bell rings", |device| !device.on("out/bell").is_empty());
    device.publish("in/later", "went", false);
    device.live_until("it is there", Device::is_drained);
    device.live(Duration::from_secs(1));
    a.end("KILL");
    share(&[&b, &c]);
    live_until_all(&mut device, "later", 1);
    assert_eq!(all(&device, "later"), vec![vec!["went"]; 12], "what `a` was waiting for goes on elsewhere");
    assert_eq!(device.on("out/bell"), ["rings"]);
    device.publish("in/count", "", false);
    device.live_until("it was counted", |device| device.on("out/count") == ["1", "2", "3"]);
    a.begin_at_another();
    share(&[&a, &b, &c]);
    for number in NUMBERS {
        device.publish(&format!("in/{number}"), "2", false);
    }
    live_until_all(&mut device, "chain", 2);
    assert_eq!(all(&device, "chain"), vec![vec!["1", "2"]; 12]);
    let restarted = a.publications_so_far();
    assert!((2..20).contains(&restarted), "{restarted}");
    device.publish("in/count", "", false);
    device.live_until("it was counted", |device| device.on("out/count") == ["1", "2", "3", "4"]);
}
