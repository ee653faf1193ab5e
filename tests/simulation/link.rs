//! The link to another broker under a seeded simulator: a device and a home, both links to one broker, connections that are cut,
//! and an end of either process at any moment. What is acknowledged is not lost, order is kept, and `QoS` 2 means once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::reason::Reason;
use homerule::broker::{self, Broker, Conn, Peer, Verdict};
use homerule::link::{Failure, Happening, Link, Notice, Settings};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use jiff::Timestamp;

use super::random::Random;

type Disk = BTreeMap<Arc<str>, Vec<u8>>;

/// One link, with its disk and its connection.
struct Side {
    settings: Settings,
    link: Link,
    disk: Disk,
    conn: Option<Conn>,
    wanted: BTreeSet<Arc<str>>,
    /// What it heard and whose hearing is on the disk.
    heard: Vec<(String, String, Origin)>,
    happened: Vec<Happening>,
}

/// A broker and those that are linked to it.
struct Linked {
    now: Timestamp,
    broker: Broker,
    disk: Disk,
    sides: Vec<Side>,
    banned: Option<Reason>,
    is_away: bool,
}

impl Linked {
    fn new(sides: &[(&str, Version, &[&str])]) -> Linked {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let sides = sides.iter().map(|(name, version, filters)| {
            let mut settings = Settings::new("broker:1883", name);
            settings.version = *version;
            settings.qos = Qos::ExactlyOnce;
            let wanted = filters.iter().map(|filter| Arc::from(*filter)).collect();
            let mut link = Link::new(now, settings.clone(), []).0;
            link.want(now, &wanted, &BTreeSet::new());
            Side { settings, link, disk: Disk::new(), conn: None, wanted, heard: Vec::new(), happened: Vec::new() }
        });
        let mut settings = broker::Settings::default();
        settings.limits.queued_messages = 100_000;
        settings.limits.queued_bytes = 1 << 30;
        Linked {
            now,
            broker: Broker::new(now, settings),
            disk: Disk::new(),
            sides: sides.collect(),
            banned: None,
            is_away: false,
        }
    }

    /// Carries all that is on its way, until nothing is.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut has_moved = false;
            for one in 0..self.sides.len() {
                has_moved |= self.turn(one, usize::MAX);
            }
            has_moved |= self.turn_broker();
            if !has_moved {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets time pass, with all that is due in it.
    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let dues = self.sides.iter().filter_map(|side| side.link.next_deadline());
            let due = dues.chain(self.broker.next_deadline()).min().filter(|due| *due <= end);
            let Some(due) = due else { break };
            self.now = self.now.max(due);
            self.broker.tick(self.now);
        }
        self.now = end;
    }

    /// One turn of a link's shell. Returns whether anything happened.
    fn turn(&mut self, one: usize, most: usize) -> bool {
        let mut has_moved = false;
        let side = &mut self.sides[one];
        let receipt = side.link.receipt();
        let mut heard = Vec::new();
        let mut rows = Vec::new();
        while let Some(happening) = side.link.poll(self.now) {
            has_moved = true;
            match happening {
                Happening::Open if self.is_away => side.link.failed(self.now, Failure::NobodyThere),
                Happening::Open => {
                    let peer = Peer { address: "sim".into(), listener: "sim".into() };
                    side.conn = self.broker.open(self.now, peer);
                    side.link.opened(self.now);
                }
                Happening::Close => {
                    if let Some(conn) = side.conn.take() {
                        self.broker.closed(self.now, conn);
                    }
                }
                Happening::Heard(message) => {
                    let message = message.message;
                    let payload = message.payload.text().unwrap().to_owned();
                    heard.push((message.topic.to_string(), payload, message.origin));
                }
                Happening::Keep { key, value } => rows.push((key, value)),
                other => side.happened.push(other),
            }
        }
        keep(&mut side.disk, rows);
        side.heard.extend(heard);
        side.link.release(self.now, receipt);
        let output = side.link.take_output();
        has_moved |= !output.is_empty();
        if let Some(conn) = side.conn {
            self.broker.read(self.now, conn, &output);
            let bytes = self.broker.output(conn);
            let bytes = bytes[..bytes.len().min(most)].to_vec();
            if !bytes.is_empty() {
                has_moved = true;
                self.broker.wrote(self.now, conn, bytes.len());
                side.link.read(self.now, &bytes);
            }
        }
        has_moved
    }

    fn turn_broker(&mut self) -> bool {
        let mut has_moved = false;
        let mut rows = Vec::new();
        while let Some(happening) = self.broker.poll(self.now) {
            has_moved = true;
            match happening {
                broker::Happening::Keep { key, value } => rows.push((key, value)),
                broker::Happening::Admit(conn, credentials) => {
                    let verdict = self.banned.map_or(Verdict::Accepted(credentials.user), Verdict::Refused);
                    self.broker.admit(self.now, conn, verdict);
                }
                broker::Happening::Close(conn) => {
                    for one in 0..self.sides.len() {
                        if self.sides[one].conn == Some(conn) {
                            let output = self.broker.output(conn).to_vec();
                            self.sides[one].link.read(self.now, &output);
                            self.cut(one);
                        }
                    }
                }
                _ => {}
            }
        }
        let receipt = self.broker.receipt();
        keep(&mut self.disk, rows);
        self.broker.release(self.now, receipt);
        has_moved
    }

    fn cut(&mut self, one: usize) {
        if let Some(conn) = self.sides[one].conn.take() {
            self.broker.closed(self.now, conn);
            self.sides[one].link.closed(self.now);
        }
    }

    /// The process of a link ends, and begins anew with what is on its disk.
    fn kill(&mut self, one: usize) {
        let now = self.now;
        if let Some(conn) = self.sides[one].conn.take() {
            self.broker.closed(now, conn);
        }
        let side = &mut self.sides[one];
        let (mut link, unreadable) = Link::new(now, side.settings.clone(), side.disk.clone());
        assert!(unreadable.is_empty());
        link.want(now, &side.wanted, &BTreeSet::new());
        side.link = link;
    }

    /// The broker's process ends, and begins anew with what is on its disk.
    fn kill_broker(&mut self) {
        let mut settings = broker::Settings::default();
        settings.limits.queued_messages = 100_000;
        self.broker = Broker::restore(self.now, settings, self.disk.clone()).0;
        for side in &mut self.sides {
            if side.conn.take().is_some() {
                side.link.closed(self.now);
            }
        }
    }

    fn publish(&mut self, one: usize, topic: &str, payload: &str, qos: u8, retain: bool) {
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(payload.to_owned()),
            qos: Qos::try_from(qos).unwrap(),
            retain,
            origin: Origin::Own,
            expires_at: None,
        };
        self.sides[one].link.publish(self.now, &message);
    }

    fn heard(&self, one: usize) -> Vec<String> {
        self.sides[one]
            .heard
            .iter()
            .map(|(topic, payload, origin)| format!("{topic} {payload} {}", origin.as_str()))
            .collect()
    }
}

fn keep(disk: &mut Disk, rows: Vec<(Arc<str>, Option<Vec<u8>>)>) {
    for (key, value) in rows {
        match value {
            Some(value) => drop(disk.insert(key, value)),
            None => drop(disk.remove(&key)),
        }
    }
}

#[test]
fn what_is_retained_is_told_from_what_is_live_also_after_a_reconnect() {
    for version in [Version::V311, Version::V5] {
        let mut linked = Linked::new(&[("device", version, &[]), ("home", version, &["home/#"])]);
        linked.sides[1].settings.qos = Qos::AtLeastOnce;
        linked.publish(0, "home/tv", "ON", 1, true);
        linked.settle();
        assert_eq!(linked.heard(1), ["home/tv ON retained"], "{version:?}");
        linked.publish(0, "home/tv", "OFF", 1, true);
        linked.pass(Duration::from_secs(1));
        linked.cut(1);
        linked.publish(0, "home/tv", "ON", 1, true);
        linked.publish(0, "home/door", "open", 1, false);
        linked.settle();
        linked.pass(Duration::from_secs(5));
        // What was queued comes live and in order; then what is retained, as such.
        let expected = [
            "home/tv ON retained",
            "home/tv OFF live",
            "home/tv ON live",
            "home/door open live",
            "home/tv ON retained",
        ];
        assert_eq!(linked.heard(1), expected, "{version:?}");
        let settled = linked.sides[1].happened.iter().filter(|happening| **happening == Happening::Settled).count();
        assert_eq!(settled, 2, "{version:?}");
    }
}

#[test]
fn own_messages_do_not_come_back_and_a_strangers_twin_does() {
    for version in [Version::V311, Version::V5] {
        let mut linked = Linked::new(&[("device", version, &[]), ("home", version, &["#"])]);
        linked.settle();
        linked.publish(1, "lamp/set", "ON", 1, false);
        linked.publish(1, "lamp/set", "ON", 0, false);
        linked.settle();
        assert_eq!(linked.heard(1), Vec::<String>::new(), "{version:?}");
        linked.publish(0, "lamp/set", "ON", 1, false);
        linked.settle();
        assert_eq!(linked.heard(1), ["lamp/set ON live"], "{version:?}");
        linked.cut(1);
        linked.settle();
        linked.publish(1, "lamp/set", "OFF", 1, false);
        linked.pass(Duration::from_secs(20));
        assert_eq!(linked.heard(1).len(), 1, "{version:?}: {:?}", linked.heard(1));
    }
}

#[test]
fn while_the_broker_is_away_messages_wait_in_order_and_survive_our_end() {
    let mut linked = Linked::new(&[("device", Version::V5, &["#"]), ("home", Version::V5, &[])]);
    linked.sides[1].settings.outbox = 3;
    linked.kill(1);
    linked.settle();
    linked.is_away = true;
    linked.cut(1);
    for (number, qos) in [(1, 1), (2, 0), (3, 2), (4, 1)] {
        linked.publish(1, "a", &number.to_string(), qos, false);
    }
    linked.settle();
    let lost = Happening::Told(Notice::OutboxFull(Topic::parse("a").unwrap()));
    assert!(linked.sides[1].happened.contains(&lost), "the oldest is dropped and told");
    linked.kill(1);
    linked.pass(Duration::from_secs(100));
    linked.is_away = false;
    linked.pass(Duration::from_secs(100));
    assert_eq!(linked.heard(0), ["a 2 live", "a 3 live", "a 4 live"]);
    assert!(linked.sides[1].link.is_drained());
    assert!(!linked.sides[1].disk.keys().any(|key| key.starts_with("link/out/")));
}

#[test]
fn subscriptions_change_without_a_gap_and_are_given_up_afterwards() {
    for version in [Version::V311, Version::V5] {
        let mut linked = Linked::new(&[("device", version, &[]), ("home", version, &["home/a", "home/b"])]);
        linked.settle();
        linked.publish(0, "home/a", "1", 1, false);
        let wanted: BTreeSet<Arc<str>> = ["home/#", "home/a", "x"].map(Arc::from).into();
        let now = linked.now;
        linked.sides[1].link.want(now, &wanted, &BTreeSet::new());
        linked.publish(0, "home/a", "2", 1, false);
        linked.settle();
        linked.publish(0, "home/a", "3", 1, false);
        linked.settle();
        assert_eq!(linked.heard(1), ["home/a 1 live", "home/a 2 live", "home/a 3 live"], "{version:?}");
        let home = linked.broker.clients().find(|client| &*client.client == "home").unwrap();
        assert_eq!(home.subscriptions, 2, "{version:?}: `home/#` and `x`");
    }
}

#[test]
fn a_broker_that_refuses_us_is_told_once_and_tried_again() {
    let mut linked = Linked::new(&[("home", Version::V5, &["#"])]);
    linked.banned = Some(Reason::BadUserNameOrPassword);
    linked.pass(Duration::from_secs(400));
    let failures: Vec<_> = linked.sides[0]
        .happened
        .iter()
        .filter_map(|happening| match happening {
            Happening::Disconnected(ended) => Some(ended.clone()),
            _ => None,
        })
        .collect();
    assert!((5..10).contains(&failures.len()), "{failures:?}");
    assert_eq!(failures[0].words, "broker:1883 asks for a user: write `user` and `password` below `broker`");
    assert!(!failures[0].is_known && failures[1..].iter().all(|ended| ended.is_known));
    linked.banned = None;
    linked.pass(Duration::from_secs(61));
    assert!(linked.sides[0].link.view().is_up);
}

#[test]
fn nothing_is_lost_between_two_links_whatever_happens() {
    let (mut cuts, mut kills, mut twice) = (0, 0, 0);
    for seed in 1..=40_u64 {
        let mut random = Random::new(seed);
        let versions = [Version::V311, Version::V5];
        let sides: [(&str, Version, &[&str]); 2] = [
            ("device", versions[random.below(2)], &["down/#"]),
            ("home", versions[random.below(2)], &["up/+", "up/a", "+/b"]),
        ];
        let mut linked = Linked::new(&sides);
        linked.pass(Duration::from_secs(2));
        let mut sent: BTreeMap<(usize, u8), Vec<String>> = BTreeMap::new();
        for number in 0..300 {
            let one = random.below(2);
            match random.below(24) {
                0 => {
                    cuts += 1;
                    linked.cut(one);
                }
                1 => {
                    kills += 1;
                    linked.kill(one);
                }
                2 if random.one_in(3) => linked.kill_broker(),
                3 => linked.pass(Duration::from_millis(random.below(5000) as u64)),
                4..12 => {
                    let qos = u8::try_from(random.below(2) + 1).unwrap();
                    let topic = ["up/b", "down/x"][one];
                    linked.publish(one, topic, &format!("{qos}/{number}"), qos, false);
                    // Its row reaches the disk, its bytes perhaps don't reach the broker.
                    linked.turn(one, 0);
                    sent.entry((one, qos)).or_default().push(format!("{qos}/{number}"));
                }
                12..18 => drop(linked.turn(one, random.below(200))),
                _ => drop(linked.turn_broker()),
            }
        }
        linked.pass(Duration::from_secs(200));
        for ((one, qos), sent) in sent {
            let heard: Vec<&String> = linked.sides[1 - one].heard.iter().map(|(_, payload, _)| payload).collect();
            let heard = heard.into_iter().filter(|payload| payload.starts_with(&format!("{qos}/")));
            let mut first = Vec::new();
            for payload in heard {
                if first.contains(payload) {
                    twice += 1;
                    assert_eq!(qos, 1, "seed {seed}: {payload} came twice");
                } else {
                    first.push(payload.clone());
                }
            }
            assert_eq!(first, sent, "seed {seed}, QoS {qos}, from {one}");
        }
    }
    assert!(cuts > 100 && kills > 100 && twice > 10, "{cuts} {kills} {twice}");
}
