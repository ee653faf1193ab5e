//! The five lessons about MQTT that everybody learns, with real clients; and what a rule sees of each.

use super::clients::{Kind, Sent, sent};
use super::house::House;

fn retained<'a>(topic: &'a str, payload: &'a str) -> Sent<'a> {
    Sent { retain: true, ..sent(topic, payload) }
}

/// Comes last, so that what comes before it has surely come.
const END: Sent<'_> = Sent { topic: "end", payload: "end", qos: 1, retain: false, version: 4 };

#[test]
fn a_message_that_nobody_listens_to_is_gone_but_a_rule_has_seen_it() {
    for kind in Kind::installed() {
        let mut house =
            House::with_rules("rules: { seen: { when: home/living_room/tv, then: { seen/tv: '${payload}' } } }");
        kind.publish(house.mqtt, &[sent("home/living_room/tv", "ON")]);
        assert_eq!(house.publication("seen/tv")["payload"], "ON");

        let late = kind.subscribe(house.mqtt, &["home/#", "seen/#", "end"]);
        kind.publish(house.mqtt, &[END]);
        assert!(late.until("end").is_empty(), "{kind:?}");
    }
}

#[test]
fn a_new_subscriber_gets_the_last_retained_message_and_gets_it_again() {
    for kind in Kind::installed() {
        let mut house =
            House::with_rules("rules: { seen: { when: home/hall/mode, then: { seen/mode: '${payload}' } } }");
        let payloads = ["day", "evening", "night"];
        kind.publish(house.mqtt, &payloads.map(|payload| retained("home/hall/mode", payload)));
        for payload in payloads {
            assert_eq!(house.publication("seen/mode")["payload"], payload);
        }
        for _ in 0..2 {
            let subscriber = kind.subscribe(house.mqtt, &["home/hall/mode", "end"]);
            kind.publish(house.mqtt, &[END]);
            assert_eq!(subscriber.until("end"), ["1 home/hall/mode night"], "{kind:?}");
        }
    }
}

#[test]
fn a_subscriber_of_the_light_does_not_see_the_television() {
    for kind in Kind::installed() {
        let mut house =
            House::with_rules("rules: { light: { when: home/living_room/light, then: { seen/light: '${payload}' } } }");
        let subscriber = kind.subscribe(house.mqtt, &["home/living_room/light", "end"]);
        let messages = [sent("home/living_room/tv", "ON"), sent("home/living_room/light", "80"), END];
        kind.publish(house.mqtt, &messages);
        assert_eq!(subscriber.until("end"), ["0 home/living_room/light 80"], "{kind:?}");
        // The first that the rule saw is the light's.
        assert_eq!(house.publication("seen/light")["payload"], "80");
    }
}

#[test]
fn a_plus_stands_for_one_level() {
    for kind in Kind::installed() {
        let mut house = House::with_rules(
            "rules:\n  room: { when: home/living_room/+what, then: { 'seen/room/${what}': x } }\n  \
             lights: { when: home/+room/light, then: { 'seen/light/${room}': x } }\n",
        );
        let room = kind.subscribe(house.mqtt, &["home/living_room/+", "end"]);
        let lights = kind.subscribe(house.mqtt, &["home/+/light", "end"]);
        let messages = [
            sent("home/kitchen/tv", "ON"),
            sent("home/living_room", "ON"),
            sent("home/living_room/light/set", "ON"),
            sent("home/living_room/tv", "ON"),
            sent("home/kitchen/light", "ON"),
            END,
        ];
        kind.publish(house.mqtt, &messages);
        assert_eq!(room.until("end"), ["0 home/living_room/tv ON"], "{kind:?}");
        assert_eq!(lights.until("end"), ["0 home/kitchen/light ON"], "{kind:?}");
        let published = |line: &serde_json::Value| line["event"] == "publish";
        assert_eq!(house.line("the room's", published)["topic"], "seen/room/tv");
        assert_eq!(house.line("the light's", published)["topic"], "seen/light/kitchen");
    }
}

#[test]
fn a_hash_stands_for_all_but_the_brokers_own_topics() {
    for kind in Kind::installed() {
        let mut house = House::with_rules("rules: { all: { when: '#', then: { log: 'saw ${topic}' } } }");
        let own = kind.subscribe(house.mqtt, &["$SYS/#"]);
        assert!(own.next().contains(" $SYS/"), "{kind:?}");

        let all = kind.subscribe(house.mqtt, &["#"]);
        kind.publish(house.mqtt, &[sent("a", "1"), sent("a/b/c", "2"), END]);
        let mut seen = all.until("end");
        // What the daemon tells of the rule comes when its run has ended.
        seen.retain(|line| !line.contains(" homerule/rule/"));
        assert_eq!(seen, ["1 homerule/status online", "0 a 1", "0 a/b/c 2"], "{kind:?}");

        let ran = |line: &serde_json::Value| line["event"] == "run" && line["rule"] == "all:all";
        let topics: Vec<_> = (0..3).map(|_| house.line("a run", ran)["cause"]["topic"].clone()).collect();
        assert_eq!(topics, ["a", "a/b/c", "end"], "{kind:?}");
    }
}

#[test]
fn a_rule_sees_each_quality_of_service_of_both_versions_once() {
    for kind in Kind::installed() {
        let mut house = House::with_rules(
            "rules: { seen: { when: 'in/+', then: { publish: to/out, payload: '${payload} ${qos}' } } }",
        );
        let subscriber = kind.subscribe(house.mqtt, &["in/#", "to/out", "end"]);
        for (version, payload) in [(4, "v4"), (5, "v5")] {
            let messages = [0, 1, 2].map(|qos| Sent { topic: "in/x", payload, qos, retain: false, version });
            kind.publish(house.mqtt, &messages);
            for _ in messages {
                house.publication("to/out");
            }
        }
        kind.publish(house.mqtt, &[END]);
        // Messages of different qualities of service may overtake each other (MQTT 5.0, 4.6).
        let mut seen = subscriber.until("end");
        seen.sort();
        let mut expected: Vec<String> = [4, 5]
            .into_iter()
            .flat_map(|version| (0..3).map(move |qos| (version, qos)))
            .flat_map(|(version, qos)| [format!("0 in/x v{version}"), format!("0 to/out v{version} {qos}")])
            .collect();
        expected.sort();
        assert_eq!(seen, expected, "{kind:?}");
    }
}

#[test]
fn properties_of_mqtt_5_reach_subscribers() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let house = House::with_rules("rules: {}");
    let options = ["-V", "5", "-F", "message %C %R %D %P"];
    let subscriber = Kind::Mosquitto.subscribe_with(house.mqtt, &["a"], &options);
    let (host, port) = (house.mqtt.ip().to_string(), house.mqtt.port().to_string());
    let sent = std::process::Command::new("mosquitto_pub")
        .args(["-V", "5", "-h", &host, "-p", &port, "-q", "1", "-t", "a", "-m", "x"])
        .args(["-D", "publish", "content-type", "text/plain", "-D", "publish", "response-topic", "b"])
        .args(["-D", "publish", "correlation-data", "42", "-D", "publish", "user-property", "name", "value"])
        .status()
        .unwrap();
    assert!(sent.success());
    let seen = subscriber.next();
    assert!(seen.starts_with("text/plain b 42") && seen.contains("name:value"), "{seen}");
}

#[test]
fn a_will_reaches_subscribers_and_rules() {
    if !Kind::Mosquitto.is_installed() {
        return;
    }
    let mut house = House::with_rules("rules: { gone: { when: will/tv, then: { seen/will: '${payload}' } } }");
    let subscriber = Kind::Own.subscribe(house.mqtt, &["will/tv"]);
    let options = ["--will-topic", "will/tv", "--will-payload", "gone"];
    let dying = Kind::Mosquitto.subscribe_with(house.mqtt, &["x"], &options);
    dying.kill();
    assert_eq!(subscriber.next(), "0 will/tv gone");
    assert_eq!(house.publication("seen/will")["payload"], "gone");
}
