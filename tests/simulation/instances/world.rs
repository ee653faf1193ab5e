//! The world of these simulations: a broker that keeps what is retained, and instances with clocks, disks and connections of their
//! own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use homerule::instance::{
    Changes, Decision, Election, Followed, Follower, Heard, Lease, Part, Role, Saved, StepDown, Stream, Unhandled, mark,
};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use jiff::{SignedDuration, Timestamp};

use crate::simulation::random::Random;

const LEASE: Duration = Duration::from_secs(15);

/// How long a message is on its way at most. An old leader is silent after twice this time: until it hears of the new one, and
/// until what it had sent has come.
pub(super) const LONGEST_WAY: u64 = 1000;

/// After so much silence a broker gives a client up: one and a half times the keep alive, which is a third of the lease.
const GIVEN_UP: u64 = 7500;

#[derive(Debug, Clone)]
enum Said {
    Input(u64),
    Lease(Lease),
    Alive(usize, bool),
    Ask,
    Saved(Saved),
    Action { input: u64, epoch: u64 },
}

/// The time in the world, in milliseconds.
pub(super) type Time = u64;

pub(super) struct Instance {
    name: String,
    pub(super) election: Election,
    /// How many parts in a thousand its clock is fast.
    drift: i64,
    ahead: i64,
    /// It sleeps until then.
    asleep: Time,
    is_connected: bool,
    /// When it connects again.
    reconnect: Option<Time>,
    settle: Option<Time>,
    /// When the broker last heard it; `None`: it isn't there.
    heard_at: Option<Time>,
    to_broker: VecDeque<(Time, Said, bool)>,
    to_us: VecDeque<(Time, Said)>,
    /// What must be acknowledged, in order, with whether it was sent.
    outbox: VecDeque<(Said, bool)>,
    is_paused: bool,
    stream: Stream,
    follower: Follower,
    /// What it has on its own disk while it leads.
    state: BTreeMap<String, String>,
    unhandled: Unhandled,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) leads: usize,
    pub(super) step_downs: usize,
    pub(super) again: usize,
    pub(super) late: usize,
    pub(super) told: usize,
    pub(super) inputs: usize,
    pub(super) cuts: usize,
    pub(super) kills: usize,
    pub(super) sleeps: usize,
}

pub(super) struct World {
    random: Random,
    now: Time,
    pub(super) instances: Vec<Instance>,
    lease: Option<Lease>,
    alive: BTreeMap<usize, bool>,
    pub(super) inputs: u64,
    /// Which inputs were acted upon, by whom, as the broker got it.
    pub(super) actions: Vec<(Time, u64, usize, u64)>,
    pub(super) dropped: BTreeSet<u64>,
    pub(super) counts: Counts,
}

fn message(input: u64) -> Message {
    Message {
        topic: Topic::parse("home/motion").unwrap(),
        payload: Payload::from_bytes(input.to_string()),
        qos: Qos::AtLeastOnce,
        retain: false,
        origin: Origin::Live,
        expires_at: None,
    }
}

impl World {
    pub(super) fn new(seed: u64, count: usize) -> World {
        let mut random = Random::new(seed);
        let instances = (0..count).map(|one| {
            let [drift, ahead] = [60, 1_000_000_000].map(|bound| i64::try_from(random.below(bound)).unwrap());
            let drift = drift - 30;
            let name = ["a", "b", "c"][one].to_owned();
            let mut instance = Instance {
                election: Election::new(Timestamp::UNIX_EPOCH, &name, LEASE, "rules", false),
                name,
                drift,
                ahead,
                asleep: 0,
                is_connected: false,
                reconnect: Some(random.below(500) as Time),
                settle: None,
                heard_at: None,
                to_broker: VecDeque::new(),
                to_us: VecDeque::new(),
                outbox: VecDeque::new(),
                is_paused: true,
                stream: Stream::new(0),
                follower: Follower::default(),
                state: BTreeMap::new(),
                unhandled: Unhandled::default(),
            };
            instance.election = Election::new(clock(&instance, 0), &instance.name, LEASE, "rules", false);
            instance
        });
        World {
            instances: instances.collect(),
            random,
            now: 0,
            lease: None,
            alive: BTreeMap::new(),
            inputs: 0,
            actions: Vec::new(),
            dropped: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn live(&mut self, milliseconds: u64, with_faults: bool) {
        let end = self.now + milliseconds;
        let mut next_input = self.now + 100;
        while self.now < end {
            self.now += 10 + self.random.below(40) as Time;
            if self.now >= next_input {
                next_input = self.now + 200 + self.random.below(1500) as Time;
                self.inputs += 1;
                self.tell_all(&Said::Input(self.inputs));
            }
            if with_faults {
                self.go_wrong();
            }
            for one in 0..self.instances.len() {
                self.broker_reads(one);
                self.run(one);
            }
        }
    }

    fn go_wrong(&mut self) {
        let one = self.random.below(self.instances.len());
        match self.random.below(4000) {
            0..6 => {
                self.counts.cuts += 1;
                let is_noticed = self.random.one_in(2);
                self.cut(one, is_noticed);
            }
            6..9 => {
                self.counts.sleeps += 1;
                self.instances[one].asleep = self.now + self.random.below(40_000) as Time;
            }
            9..12 => self.kill(one),
            _ => {}
        }
    }

    /// The connection breaks. The broker learns of it at once, or once it has heard nothing for too long.
    fn cut(&mut self, one: usize, is_noticed: bool) {
        let back = self.now + 500 + self.random.below(20_000) as Time;
        let instance = &mut self.instances[one];
        instance.to_broker.clear();
        instance.outbox.iter_mut().for_each(|(_, is_sent)| *is_sent = false);
        instance.settle = None;
        if instance.is_connected {
            instance.is_connected = false;
            instance.reconnect = Some(back);
            self.decide(one, Some(Heard::Disconnected));
        }
        if is_noticed {
            self.give_up(one);
        }
    }

    fn give_up(&mut self, one: usize) {
        if self.instances[one].heard_at.take().is_some() {
            self.alive.insert(one, false);
            self.tell_all(&Said::Alive(one, false));
        }
    }

    fn kill(&mut self, one: usize) {
        self.counts.kills += 1;
        self.cut(one, true);
        let now = self.now;
        let instance = &mut self.instances[one];
        let at = clock(instance, now);
        instance.election = Election::new(at, &instance.name, LEASE, "rules", false);
        // What it had saved is on its disk, as is its outbox.
        if instance.state.is_empty() {
            instance.follower = Follower::new(instance.follower.values().clone(), None);
        } else {
            instance.follower = Follower::new(std::mem::take(&mut instance.state), None);
        }
        // What it had only heard isn't on its disk: it is lost if the leader is away just then. Two at a time is one too many.
        let heard = std::mem::take(&mut instance.unhandled).take();
        self.dropped.extend(heard.iter().map(|message| message.payload.text().unwrap().parse::<u64>().unwrap()));
        instance.is_paused = true;
        instance.reconnect = Some(now + 1000 + self.random.below(20_000) as Time);
    }

    fn tell_all(&mut self, said: &Said) {
        for one in 0..self.instances.len() {
            self.tell(one, said.clone());
        }
    }

    /// The broker tells an instance, or its session if it isn't there.
    fn tell(&mut self, one: usize, said: Said) {
        let at = self.now + self.way();
        let instance = &mut self.instances[one];
        let at = instance.to_us.back().map_or(at, |(last, _)| at.max(*last));
        instance.to_us.push_back((at, said));
    }

    fn way(&mut self) -> Time {
        if self.random.one_in(20) { self.random.below(LONGEST_WAY.try_into().unwrap()) as Time } else { 5 }
    }

    fn say(&mut self, one: usize, said: Said, is_of_outbox: bool) {
        let at = self.now + self.way();
        let instance = &mut self.instances[one];
        if instance.is_connected {
            let at = instance.to_broker.back().map_or(at, |(last, ..)| at.max(*last));
            instance.to_broker.push_back((at, said, is_of_outbox));
        }
    }

    fn broker_reads(&mut self, one: usize) {
        let now = self.now;
        while let Some((_, said, is_of_outbox)) = self.instances[one].to_broker.pop_front_if(|(at, ..)| *at <= now) {
            if self.instances[one].heard_at.is_none() {
                // The broker has given this connection up.
                self.instances[one].to_broker.clear();
                return;
            }
            self.instances[one].heard_at = Some(now);
            if is_of_outbox {
                self.instances[one].outbox.pop_front();
            }
            match &said {
                Said::Lease(lease) => self.lease = Some(lease.clone()),
                Said::Alive(..) => drop(self.alive.insert(one, true)),
                Said::Action { input, epoch } => self.actions.push((now, *epoch, one, *input)),
                Said::Input(_) | Said::Saved(_) | Said::Ask => {}
            }
            if !matches!(said, Said::Action { .. }) {
                self.tell_all(&said);
            }
        }
        if self.instances[one].heard_at.is_some_and(|heard| now - heard > GIVEN_UP) {
            self.give_up(one);
            self.cut(one, true);
        }
    }

    fn run(&mut self, one: usize) {
        let now = self.now;
        if self.instances[one].asleep > now {
            return;
        }
        if self.instances[one].is_connected && !self.instances[one].asleep.eq(&0) {
            self.instances[one].asleep = 0;
        }
        if self.instances[one].reconnect.is_some_and(|at| at <= now) {
            self.connect(one);
        }
        let is_there = self.instances[one].is_connected;
        if self.instances[one].settle.is_some_and(|at| at <= now) {
            self.instances[one].settle = None;
            self.decide(one, Some(Heard::Settled));
        }
        while is_there && let Some((_, said)) = self.instances[one].to_us.pop_front_if(|(at, _)| *at <= now) {
            self.hear(one, said);
        }
        let local = clock(&self.instances[one], now);
        if self.instances[one].election.next_deadline().is_some_and(|due| due <= local) {
            self.decide(one, None);
        }
        // A ping keeps the connection.
        if is_there && self.instances[one].heard_at.is_some_and(|heard| now - heard > 2500) {
            self.say(one, Said::Ask, false);
        }
        self.send_outbox(one);
    }

    fn connect(&mut self, one: usize) {
        let now = self.now;
        // An old connection of the same client ends, with its will.
        self.give_up(one);
        self.instances[one].reconnect = None;
        self.instances[one].is_connected = true;
        self.instances[one].heard_at = Some(now);
        for (at, _) in &mut self.instances[one].to_us {
            *at = (*at).max(now + 5);
        }
        if let Some(lease) = self.lease.clone() {
            self.tell(one, Said::Lease(lease));
        }
        for (other, is_alive) in self.alive.clone() {
            self.tell(one, Said::Alive(other, is_alive));
        }
        self.decide(one, None);
        let last = self.instances[one].to_us.back().map_or(now, |(at, _)| *at);
        self.instances[one].settle = Some(last + 300);
    }

    fn hear(&mut self, one: usize, said: Said) {
        match said {
            Said::Lease(lease) => {
                self.decide(one, Some(Heard::Lease(lease)));
            }
            Said::Alive(who, is_alive) => {
                let name = self.instances[who].name.clone();
                self.decide(one, Some(Heard::Alive { name, is_alive }));
            }
            Said::Saved(saved) => self.follow(one, saved),
            Said::Ask => self.give_snapshot(one),
            Said::Input(input) => self.act_or_note(one, input),
            Said::Action { .. } => {}
        }
    }

    fn act_or_note(&mut self, one: usize, input: u64) {
        let local = clock(&self.instances[one], self.now);
        if self.instances[one].election.may_act(local) {
            self.act(one, input);
        } else {
            self.instances[one].unhandled.heard(message(input));
        }
    }

    /// What the engine does: it acts upon what it hasn't acted upon, as it knows.
    fn act(&mut self, one: usize, input: u64) {
        let instance = &mut self.instances[one];
        let key = format!("done/{input}");
        if instance.state.insert(key.clone(), "1".to_owned()).is_some() {
            return;
        }
        let epoch = instance.election.epoch();
        let handled = Some(mark(&message(input)));
        let saved = instance.stream.changes(0, handled, Changes::from([(key, Some("1".to_owned()))]));
        // First what is done, then what is saved of it: what a takeover finds undone is done once more.
        instance.outbox.push_back((Said::Action { input, epoch }, false));
        instance.outbox.push_back((Said::Saved(saved), false));
    }

    fn follow(&mut self, one: usize, saved: Saved) {
        let instance = &mut self.instances[one];
        if instance.election.role() == Role::Leader {
            return;
        }
        let (handled, is_changes) = (saved.handled, matches!(saved.part, Part::Changes(_)));
        let followed = instance.follower.take(saved);
        let is_whole = instance.follower.is_whole();
        instance.election.note_whole(is_whole);
        if let (Some(handled), true, true) = (handled, is_changes, is_whole) {
            instance.unhandled.handled(handled);
        }
        if followed == Followed::Ask {
            self.say(one, Said::Ask, false);
        }
    }

    fn give_snapshot(&mut self, one: usize) {
        let local = clock(&self.instances[one], self.now);
        let instance = &mut self.instances[one];
        if instance.election.may_act(local) {
            let all = instance.state.clone();
            for piece in instance.stream.snapshot(0, None, all) {
                instance.outbox.push_back((Said::Saved(piece), false));
            }
        }
    }

    fn decide(&mut self, one: usize, heard: Option<Heard>) {
        let local = clock(&self.instances[one], self.now);
        for decision in self.instances[one].election.handle(local, heard) {
            match decision {
                Decision::Publish(lease) => self.say(one, Said::Lease(lease), false),
                Decision::SayAlive => {
                    self.say(one, Said::Alive(one, true), false);
                    self.say(one, Said::Ask, false);
                }
                Decision::Pause => self.instances[one].is_paused = true,
                Decision::Resume => self.instances[one].is_paused = false,
                Decision::Lead { epoch, continues } => self.lead(one, epoch, continues),
                Decision::StepDown(why) => {
                    self.counts.step_downs += 1;
                    if why != StepDown::Expired {
                        self.drop_outbox(one);
                    }
                    let instance = &mut self.instances[one];
                    instance.outbox.iter_mut().for_each(|(_, is_sent)| *is_sent = false);
                    instance.to_broker.retain(|(.., is_of_outbox)| !is_of_outbox);
                    instance.follower = Follower::new(std::mem::take(&mut instance.state), None);
                    instance.election.note_whole(false);
                    instance.is_paused = true;
                    self.say(one, Said::Ask, false);
                }
                Decision::Tell(notice) => panic!("{notice:?}"),
            }
        }
    }

    /// What one that lost its lease would have done is forgotten, counted and told: the new leader does it, unless it ends too
    /// before anybody has its snapshot.
    fn drop_outbox(&mut self, one: usize) {
        for (said, _) in self.instances[one].outbox.drain(..) {
            if let Said::Action { input, .. } = said {
                self.dropped.insert(input);
            }
        }
    }

    fn lead(&mut self, one: usize, epoch: u64, continues: bool) {
        self.counts.leads += 1;
        if !continues {
            self.drop_outbox(one);
        }
        let instance = &mut self.instances[one];
        for (said, _) in &mut instance.outbox {
            if let Said::Action { epoch: old, .. } = said {
                *old = epoch;
            }
        }
        instance.state = instance.follower.values().clone();
        instance.stream = Stream::new(epoch);
        instance.is_paused = false;
        let unhandled = instance.unhandled.take();
        self.give_snapshot(one);
        for message in unhandled {
            self.act(one, message.payload.text().unwrap().parse().unwrap());
        }
    }

    fn send_outbox(&mut self, one: usize) {
        let local = clock(&self.instances[one], self.now);
        let instance = &self.instances[one];
        if !instance.is_connected || instance.is_paused || !instance.election.may_act(local) {
            return;
        }
        for place in 0..self.instances[one].outbox.len() {
            let (said, is_sent) = &mut self.instances[one].outbox[place];
            if !std::mem::replace(is_sent, true) {
                let said = said.clone();
                self.say(one, said, true);
            }
        }
    }
}

/// Returns what an instance's own clock shows.
fn clock(instance: &Instance, now: Time) -> Timestamp {
    let now = i64::try_from(now).unwrap();
    let local = instance.ahead + now + now * instance.drift / 1000;
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(local)
}
