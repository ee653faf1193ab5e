//! The world of a simulation: one broker, its disk, its clients and the network between them.

mod checks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{Broker, Conn, End, Happening, Peer, Published, Receipt, Settings, Verdict};
use jiff::{SignedDuration, Timestamp};

use super::client::Client;
use super::random::Random;
use crate::broker::house::Disk;

/// How often things happened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    kills: usize,
    lost: usize,
    half_open: usize,
    goodbyes: usize,
    stalls: usize,
    replaced_disks: usize,
    clock_jumps: usize,
    delivered: usize,
    wills: usize,
    retained: usize,
    shared: usize,
    again: usize,
}

impl Counts {
    pub(super) fn add(&mut self, more: &Counts) {
        self.kills += more.kills;
        self.lost += more.lost;
        self.half_open += more.half_open;
        self.goodbyes += more.goodbyes;
        self.stalls += more.stalls;
        self.replaced_disks += more.replaced_disks;
        self.clock_jumps += more.clock_jumps;
        self.delivered += more.delivered;
        self.wills += more.wills;
        self.retained += more.retained;
        self.shared += more.shared;
        self.again += more.again;
    }

    pub(super) fn named(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("kills", self.kills),
            ("lost connections", self.lost),
            ("half open connections", self.half_open),
            ("good-byes", self.goodbyes),
            ("stalls of the disk", self.stalls),
            ("disks that were replaced", self.replaced_disks),
            ("times that the clock was set", self.clock_jumps),
            ("deliveries", self.delivered),
            ("wills", self.wills),
            ("retained messages", self.retained),
            ("messages that came to one of those who share them", self.shared),
            ("messages that came twice", self.again),
        ]
    }
}

/// What rules heard, and what is retained by that.
#[derive(Debug, Clone, Default)]
struct Heard {
    payloads: Vec<String>,
    retained: BTreeMap<String, String>,
}

/// A world.
pub(super) struct World {
    random: Random,
    broker: Broker,
    settings: Settings,
    now: Timestamp,
    /// How far the clock of the wall is ahead.
    ahead: SignedDuration,
    disk: Disk,
    unwritten: Vec<Happening>,
    /// What was heard, and the part of it that is on the disk.
    heard: Heard,
    kept: Heard,
    disk_works: bool,
    /// When the process began.
    began_at: Timestamp,
    clients: Vec<Client>,
    /// Connections that their clients have forgotten, and the broker hasn't.
    half_open: Vec<Conn>,
    /// All messages that were published on topics to which clients subscribe, by their payloads, with their places.
    published: BTreeMap<String, u32>,
    /// Those on topics that clients share.
    shared: BTreeMap<String, u32>,
    created: u32,
    /// Whose will must come next.
    awaited_will: Option<Arc<str>>,
    /// A digest of all that the broker sent.
    digest: u64,
    pub(super) counts: Counts,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut random = Random::new(seed);
        let versions = [Version::V31, Version::V311, Version::V5];
        let client = |number: usize| {
            let is_lasting = number % 4 != 3;
            Client::new(format!("c{number}"), versions[random.below(3)], is_lasting)
        };
        let clients = (0..8).map(client).collect();
        let mut settings = Settings::default();
        settings.limits.queued_messages = 100_000;
        World {
            broker: Broker::new(now, settings.clone()),
            random,
            settings,
            now,
            ahead: SignedDuration::ZERO,
            disk: Disk::new(),
            unwritten: Vec::new(),
            heard: Heard::default(),
            kept: Heard::default(),
            disk_works: true,
            began_at: now,
            clients,
            half_open: Vec::new(),
            published: BTreeMap::new(),
            shared: BTreeMap::new(),
            created: 0,
            awaited_will: None,
            digest: 0,
            counts: Counts::default(),
        }
    }

    /// Lives through so many steps, then lets all come to rest and looks at what is there. Returns the digest.
    pub(super) fn live(mut self, steps: usize) -> u64 {
        self.live_on(steps);
        self.digest
    }

    pub(super) fn live_on(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        self.rest();
        self.check();
    }

    fn step(&mut self) {
        let one = self.random.below(self.clients.len());
        match self.random.below(40) {
            0 => self.lose(one),
            1 => self.leave_half_open(one),
            2 if self.clients[one].is_in => {
                self.counts.goodbyes += 1;
                self.clients[one].go();
            }
            3 => {
                let pause = self.random.below(3000) as u64;
                self.pass(Duration::from_millis(pause));
            }
            4 => self.toggle_disk(),
            5 if self.random.one_in(3) => self.kill(),
            6 if self.random.one_in(4) => self.replace_disk(),
            7 if self.random.one_in(4) => self.set_clock(),
            6..16 => self.act(one),
            16..28 => self.carry_to_broker(one),
            _ => self.carry_to_client(one),
        }
        self.turn();
    }

    /// Lets a client do something.
    fn act(&mut self, one: usize) {
        let client = &mut self.clients[one];
        if client.conn.is_none() {
            let peer = Peer { address: "sim".into(), listener: "sim".into() };
            client.come(self.broker.open(self.now, peer).unwrap());
            return;
        }
        if !client.is_in {
            return;
        }
        client.ping();
        client.subscribe();
        if !client.may_publish() {
            return;
        }
        let qos = u8::try_from(self.random.below(3)).unwrap();
        if self.random.one_in(5) {
            client.publish(&format!("r/{}", self.random.below(3)), qos, true);
        } else if self.random.one_in(3) {
            let payload = client.publish(&format!("s/{}", self.random.below(3)), qos, false);
            self.shared.insert(payload, self.created);
        } else {
            let payload = client.publish(&format!("t/{}", self.random.below(3)), qos, false);
            self.published.insert(payload, self.created);
        }
        self.created += 1;
    }

    fn carry_to_broker(&mut self, one: usize) {
        let client = &mut self.clients[one];
        let Some(conn) = client.conn.filter(|conn| self.broker.wants_input(*conn)) else { return };
        let count =
            if self.random.one_in(2) { client.leaving.len() } else { self.random.below(client.leaving.len() + 1) };
        let bytes: Vec<u8> = client.leaving.drain(..count).collect();
        self.broker.read(self.now, conn, &bytes);
    }

    fn carry_to_client(&mut self, one: usize) {
        let Some(conn) = self.clients[one].conn else { return };
        let output = self.broker.output(conn);
        let count = if self.random.one_in(2) { output.len() } else { self.random.below(output.len() + 1) };
        let bytes = output[..count].to_vec();
        for byte in &bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.broker.wrote(self.now, conn, count);
        let client = &mut self.clients[one];
        client.arriving.extend(bytes);
        let before = client.got.len();
        client.hear(self.created);
        self.counts.delivered += client.got.len() - before;
    }

    fn lose(&mut self, one: usize) {
        if let Some(conn) = self.clients[one].conn {
            self.counts.lost += 1;
            self.clients[one].forget_connection();
            self.broker.closed(self.now, conn);
        }
    }

    /// A client forgets its connection; the broker learns of that much later.
    fn leave_half_open(&mut self, one: usize) {
        if let Some(conn) = self.clients[one].conn {
            self.counts.half_open += 1;
            self.clients[one].forget_connection();
            self.half_open.push(conn);
        }
        if self.half_open.len() > 3 {
            let conn = self.half_open.remove(0);
            self.broker.closed(self.now, conn);
        }
    }

    fn toggle_disk(&mut self) {
        self.disk_works = !self.disk_works;
        self.counts.stalls += usize::from(!self.disk_works);
    }

    /// Another disk, which knows nothing: all that must survive is told anew.
    fn replace_disk(&mut self) {
        self.counts.replaced_disks += 1;
        self.broker.keep_all(self.now);
        self.disk.clear();
        self.commit_all();
    }

    /// Has the disk take all that there is to keep.
    fn commit_all(&mut self) {
        self.disk_works = true;
        while let Some(happening) = self.broker.poll(self.now) {
            self.take(happening);
        }
        let receipt = self.broker.receipt();
        self.commit();
        self.release(receipt);
    }

    /// The clock of the wall is set, by up to two days.
    fn set_clock(&mut self) {
        self.counts.clock_jumps += 1;
        let hours = i64::try_from(self.random.below(96)).unwrap() - 48;
        let by = SignedDuration::from_hours(hours);
        self.ahead += by;
        self.broker.clock_changed(by);
        self.commit_all();
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.broker.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.broker.tick(self.now);
            self.turn();
        }
        self.now = end;
    }

    /// The process ends at any moment, and begins anew with what is on the disk.
    fn kill(&mut self) {
        self.counts.kills += 1;
        self.unwritten.clear();
        self.heard = self.kept.clone();
        for client in &mut self.clients {
            client.forget_connection();
        }
        self.half_open.clear();
        self.awaited_will = None;
        self.now += Duration::from_millis(self.random.below(8000) as u64);
        // The steady clock begins anew, with that of the wall; or where it was, if that was set back meanwhile.
        self.now += self.ahead;
        self.ahead = if self.random.one_in(4) { SignedDuration::from_hours(-5) } else { SignedDuration::ZERO };
        self.began_at = self.now;
        let (broker, unreadable) = Broker::restore(self.now, self.settings.clone(), self.disk.clone());
        assert!(unreadable.is_empty());
        self.broker = broker;
        self.broker.clock_changed(self.ahead);
        self.check_retained();
    }

    fn turn(&mut self) {
        while let Some(happening) = self.broker.poll(self.now) {
            self.take(happening);
            if self.random.one_in(20_000) {
                self.kill();
            }
        }
        let receipt = self.broker.receipt();
        if self.disk_works {
            self.commit();
            if self.random.one_in(5000) {
                self.kill();
                return;
            }
            self.release(receipt);
        }
    }

    fn commit(&mut self) {
        for happening in self.unwritten.drain(..) {
            let Happening::Keep { key, value } = happening else { continue };
            match value {
                Some(value) => drop(self.disk.insert(key, value)),
                None => drop(self.disk.remove(&key)),
            }
        }
        self.kept = self.heard.clone();
    }

    fn release(&mut self, receipt: Receipt) {
        self.broker.release(self.now, receipt);
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Keep { .. } => self.unwritten.push(happening),
            Happening::Admit(conn, credentials) => {
                self.broker.admit(self.now, conn, Verdict::Accepted(credentials.user));
            }
            Happening::Published(Published { message, client, is_will, .. }) => {
                if let Some(awaited) = self.awaited_will.take() {
                    assert!(is_will && client == awaited, "the will of {awaited} comes with the end of its connection");
                } else {
                    assert!(
                        !is_will || message.topic.as_str() != "will" || self.is_after_start(),
                        "a will of {client} that isn't due"
                    );
                }
                let payload = message.payload.text().unwrap().to_owned();
                if message.retain {
                    self.heard.retained.insert(message.topic.to_string(), payload.clone());
                    self.counts.retained += 1;
                }
                self.heard.payloads.push(payload);
            }
            Happening::Close(conn) => {
                // What it was told last is lost with it, sometimes.
                if let Some(one) = self.clients.iter().position(|client| client.conn == Some(conn)) {
                    if self.random.one_in(2) {
                        self.carry_to_client(one);
                    }
                    self.clients[one].forget_connection();
                }
                self.half_open.retain(|other| *other != conn);
                self.broker.closed(self.now, conn);
            }
            Happening::Disconnected(gone) => {
                self.awaited_will = (gone.reason != End::Goodbye).then_some(gone.client);
            }
            Happening::Connected(_)
            | Happening::Refused(_)
            | Happening::Dropped(_)
            | Happening::Held { .. }
            | Happening::HeldExpired { .. } => {}
        }
    }

    /// Lets all come, and carries all that is on its way.
    fn rest(&mut self) {
        self.disk_works = true;
        for round in 0..2000 {
            for one in 0..self.clients.len() {
                if self.clients[one].conn.is_none() {
                    self.act(one);
                }
                self.carry_to_broker(one);
                self.turn();
                self.carry_to_client(one);
                self.turn();
            }
            let is_quiet = self.clients.iter().all(Client::is_quiet);
            let is_sent = self.broker.clients().all(|view| view.queued == 0);
            if round > 10 && is_quiet && is_sent {
                return;
            }
        }
        panic!("it doesn't come to rest: {:?}", self.clients);
    }
}
