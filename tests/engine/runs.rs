//! How many runs may go on at once: no rule takes the room of others, and who does is said.

use homerule::engine::{Alert, AlertKind, Effect, Engine, Event, Options};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use jiff::{SignedDuration, Timestamp};

use super::home::{options, ruleset_of, start};

/// A home in which messages arrive one after another.
struct Busy {
    engine: Engine,
    now: Timestamp,
}

impl Busy {
    fn start(rules: &str, runs: usize) -> Busy {
        let (mut engine, _) = Engine::new(start(), ruleset_of(rules), Options { runs, ..options() });
        let _ = engine.handle(start(), Event::Started);
        Busy { engine, now: start() }
    }

    /// Says something on `topic`. Returns where rules published, and what they alerted of.
    fn say(&mut self, topic: &str) -> (Vec<String>, Vec<Alert>) {
        self.now += SignedDuration::from_millis(1);
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(b"1".to_vec()),
            qos: Qos::default(),
            retain: false,
            origin: Origin::Live,
            expires_at: None,
        };
        let (mut published, mut alerts) = (Vec::new(), Vec::new());
        for effect in self.engine.handle(self.now, Event::Message(message)) {
            match effect {
                Effect::Publish(publication) => published.push(publication.message.topic.to_string()),
                Effect::Alert(alert) if alert.kind != AlertKind::Storm => alerts.push(alert),
                _ => {}
            }
        }
        (published, alerts)
    }

    /// Says something on `count` topics below `above`. Returns the alerts.
    fn say_many(&mut self, above: &str, count: usize) -> Vec<Alert> {
        (0..count).flat_map(|index| self.say(&format!("{above}/{index}")).1).collect()
    }
}

#[test]
fn a_rule_with_very_many_runs_leaves_room_for_all_others() {
    let mut home = Busy::start(
        "motion: { when: motion/+, then: [ { out/on: 1 }, { delay: 5m } ] }
  other: { when: other/+, then: [ { out/other: 1 }, { delay: 5m } ] }",
        1000,
    );
    let alerts = home.say_many("motion", 1100);
    assert_eq!((home.engine.run_count(), alerts.len()), (500, 1), "once a minute, not with each of the 600");
    assert_eq!(
        alerts[0].message,
        "`pool:motion` has 500 runs at once already: one rule may have half of the 1000 that `limits: runs` in \
         homerule.yaml allows"
    );
    assert_eq!(home.say("other/1"), (vec!["out/other".to_owned()], vec![]));
    assert_eq!(home.say("motion/0"), (vec!["out/on".to_owned()], vec![]), "a run that replaces another has its room");
}

#[test]
fn rules_that_have_no_run_keep_a_quarter_of_the_room() {
    let mut home = Busy::start(
        "first: { when: first/+, then: [ { out/first: 1 }, { delay: 5m } ] }
  second: { when: second/+, then: [ { out/second: 1 }, { delay: 5m } ] }
  third: { when: third/+, then: [ { out/third: 1 }, { delay: 5m } ] }
  fourth: { when: fourth/+, then: [ { out/fourth: 1 }, { delay: 5m } ] }
  fifth: { when: fifth/+, then: [ { out/fifth: 1 }, { delay: 5m } ] }",
        8,
    );
    home.say_many("first", 4);
    let alerts = home.say_many("second", 3);
    assert_eq!(home.engine.run_count(), 6);
    assert_eq!(
        alerts.iter().map(|alert| alert.message.as_str()).collect::<Vec<_>>(),
        ["6 runs go on at once already, 4 of them of `pool:first`: what is left of the 8 that `limits: runs` in \
         homerule.yaml allows is kept for rules that have none"]
    );
    assert_eq!(home.say("second/0"), (vec!["out/second".to_owned()], vec![]), "it replaces one");
    assert_eq!(home.say("third/0").0, ["out/third"]);
    assert_eq!(home.say("fourth/0").0, ["out/fourth"]);
    let (published, alerts) = home.say("fifth/0");
    assert_eq!(published, Vec::<String>::new());
    assert_eq!(
        alerts.iter().map(|alert| alert.message.as_str()).collect::<Vec<_>>(),
        [
            "8 runs go on at once already, as many as `limits: runs` in homerule.yaml allows: 4 of them are of `pool:first`"
        ]
    );
    assert_eq!(home.say("second/0").0, ["out/second"], "it replaces one when all is full, too");
}

#[test]
fn one_run_may_always_go_on() {
    let mut home = Busy::start("only: { when: a/+, then: [ { out/only: 1 }, { delay: 5m } ] }", 1);
    assert_eq!(home.say("a/1"), (vec!["out/only".to_owned()], vec![]));
    let (published, alerts) = home.say("a/2");
    assert_eq!((published.len(), alerts.len()), (0, 1));
}

#[test]
fn a_caller_is_told_that_there_was_no_room() {
    let mut home = Busy::start(
        "calls: { when: call/now, then: { run: busy } }
  busy: { when: busy/+, mode: parallel, max: 100, then: { delay: 5m } }",
        4,
    );
    home.say_many("busy", 2);
    let (_, alerts) = home.say("call/now");
    assert!(
        alerts.iter().any(|alert| alert.message.contains("`pool:busy` has 2 runs at once already")
            && alert.rule.as_ref().is_some_and(|rule| rule.to_string() == "pool:calls")),
        "{alerts:?}"
    );
}
