//! The world of a simulation: one broker, the rules beside it, their disk, the clients and the network between them.

mod checks;
mod counts;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::{Broker, Conn, End, Happening, Peer, Published, Receipt, Settings, Verdict};
use homerule::engine::{Event, Snapshot};
use jiff::{SignedDuration, Timestamp};

use super::client::Client;
use super::disk::{Disk, Row};
use super::home::Home;
use super::random::Random;

pub(super) use counts::Counts;

/// What rules heard, what they published later, and what is retained by that.
#[derive(Debug, Clone, Default)]
struct Heard {
    payloads: Vec<String>,
    late: Vec<String>,
    /// Which of them a run waits for, as one would expect, and how many there were.
    delayed: usize,
    retained: BTreeMap<String, String>,
    /// What the rule that counts told last.
    count: usize,
}

/// How much of what was heard is on the disk.
#[derive(Debug, Clone, Default)]
struct Mark {
    payloads: usize,
    late: usize,
    delayed: usize,
    count: usize,
    retained: BTreeMap<String, String>,
}

impl Heard {
    fn mark(&self) -> Mark {
        Mark {
            payloads: self.payloads.len(),
            late: self.late.len(),
            delayed: self.delayed,
            count: self.count,
            retained: self.retained.clone(),
        }
    }

    /// Forgets what isn't on the disk.
    fn go_back(&mut self, to: &Mark) {
        self.payloads.truncate(to.payloads);
        self.late.truncate(to.late);
        (self.delayed, self.count) = (to.delayed, to.count);
        self.retained.clone_from(&to.retained);
    }
}

/// A world.
pub(super) struct World {
    random: Random,
    broker: Broker,
    settings: Settings,
    now: Timestamp,
    /// How far the clock of the wall is ahead.
    ahead: SignedDuration,
    home: Home,
    disk: Disk,
    unwritten: Vec<Row>,
    /// Whether rules decided something that must be on the disk before anything leaves.
    must_sync: bool,
    /// What was heard, the part of it that is on the disk, and the part that a power cut can't take.
    heard: Heard,
    kept: Mark,
    synced: Mark,
    synced_at: Timestamp,
    disk_works: bool,
    /// When the process began.
    began_at: Timestamp,
    clients: Vec<Client>,
    /// Connections that their clients have forgotten, and the broker hasn't.
    half_open: Vec<Conn>,
    /// Connections that the broker has given up.
    closing: Vec<Conn>,
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
        let (home, effects) = Home::start(now, Snapshot::default(), Vec::new());
        let mut world = World {
            broker: Broker::new(now, settings.clone()),
            home,
            random,
            settings,
            now,
            ahead: SignedDuration::ZERO,
            disk: Disk::default(),
            unwritten: Vec::new(),
            must_sync: false,
            heard: Heard::default(),
            kept: Mark::default(),
            synced: Mark::default(),
            synced_at: now,
            disk_works: true,
            began_at: now,
            clients,
            half_open: Vec::new(),
            closing: Vec::new(),
            published: BTreeMap::new(),
            shared: BTreeMap::new(),
            created: 0,
            awaited_will: None,
            digest: 0,
            counts: Counts::default(),
        };
        world.take_effects(effects);
        world
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
        if self.random.one_in(4) {
            self.cut_power();
            return;
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
            8 if self.random.one_in(3) => self.keep_late(),
            9 if self.random.one_in(20) => self.reload(),
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
        if self.random.one_in(6) {
            client.publish(&format!("d/{}", self.random.below(3)), qos, false);
        } else if self.random.one_in(5) {
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
        self.disk.replace();
        self.home.engine.keep_all();
        self.keep_late();
        self.broker.keep_all(self.now);
        self.commit_all();
        self.sync();
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
        let forward = i64::try_from(by.as_millis()).unwrap();
        self.decide(Event::ClockChanged { forward });
        self.commit_all();
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        let began_at = self.began_at;
        while let Some(due) = self.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.broker.tick(self.now);
            self.turn();
            if self.began_at != began_at {
                // A new process counts its time anew.
                return;
            }
        }
        self.now = end;
    }

    /// The process ends at any moment, and begins anew with what is on the disk.
    fn kill(&mut self) {
        self.counts.kills += 1;
        let kept = self.kept.clone();
        self.begin_again(&kept);
        self.check_retained();
    }

    /// Begins a new process with what is on the disk.
    fn begin_again(&mut self, on_disk: &Mark) {
        self.unwritten.clear();
        self.must_sync = false;
        self.heard.go_back(on_disk);
        self.kept.clone_from(on_disk);
        for client in &mut self.clients {
            client.forget_connection();
        }
        self.half_open.clear();
        self.closing.clear();
        self.awaited_will = None;
        self.now += Duration::from_millis(self.random.below(8000) as u64);
        // The steady clock begins anew, with that of the wall; or where it was, if that was set back meanwhile.
        self.now += self.ahead;
        self.ahead = if self.random.one_in(4) { SignedDuration::from_hours(-5) } else { SignedDuration::ZERO };
        (self.began_at, self.synced_at) = (self.now, self.now);
        let (broker, unreadable) = Broker::restore(self.now, self.settings.clone(), self.disk.broker.clone());
        assert!(unreadable.is_empty());
        self.broker = broker;
        self.broker.clock_changed(self.ahead);
        self.start_home();
        // What the start led to leaves once it is on the disk.
        self.commit_all();
        self.close();
    }

    fn turn(&mut self) {
        self.look_at_time();
        while let Some(happening) = self.broker.poll(self.now) {
            self.take(happening);
            if self.random.one_in(20_000) {
                self.kill();
            }
        }
        // What rules decided leaves once it is on the disk, and the loop waits for that; or is killed meanwhile.
        if self.must_sync && !self.disk_works {
            if self.random.one_in(3) {
                self.kill();
                return;
            }
            self.disk_works = true;
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
        self.close();
    }

    /// Ends the connections that the broker has given up.
    fn close(&mut self) {
        for conn in std::mem::take(&mut self.closing) {
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
    }

    fn commit(&mut self) {
        for row in self.unwritten.drain(..) {
            self.disk.write(row);
        }
        self.disk.rules.alive_at = Some(self.wall());
        self.kept = self.heard.mark();
        let is_late = self.now >= self.synced_at + Duration::from_secs(1);
        if std::mem::take(&mut self.must_sync) || is_late {
            self.sync();
        }
    }

    fn sync(&mut self) {
        self.disk.sync();
        self.synced.clone_from(&self.kept);
        self.synced_at = self.now;
    }

    fn release(&mut self, receipt: Receipt) {
        self.broker.release(self.now, receipt);
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Keep { key, value } => self.unwritten.push(Row::Broker(key, value)),
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
                self.hear(message, client);
            }
            Happening::Close(conn) => self.closing.push(conn),
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
                if self.home.engine.next_deadline().is_none() {
                    return;
                }
                self.pass(Duration::from_secs(1));
            }
        }
        panic!("it doesn't come to rest: {:?}", self.clients);
    }
}
