//! Instances that share a home, under a seeded simulator: they read the order of the broker each at its own pace, while nobody comes or
//! goes: whatever rules ask for is done, and once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use homerule::instance::Share;
use jiff::Timestamp;

use crate::simulation::random::Random;

const NAMES: [&str; 3] = ["a", "b", "c"];
const RULES: u64 = 12;
const LEASE: Duration = Duration::from_secs(3);

/// What the broker tells everybody, in one order.
#[derive(Debug, Clone)]
enum Told {
    Input(u64),
    Alive(usize, bool),
    Done(usize, Vec<u64>),
}

struct Member {
    share: Share<u64>,
    /// How much of the broker's order it has read.
    read: usize,
    is_running: bool,
    is_connected: bool,
    /// What it has done and not told: the broker hears it in this order, or not at all.
    unsaid: VecDeque<u64>,
}

struct World {
    random: Random,
    now: i64,
    order: Vec<Told>,
    members: Vec<Member>,
    inputs: u64,
    done: BTreeMap<u64, usize>,
}

fn mark(input: u64, rule: u64) -> u64 {
    input * 100 + rule
}

impl World {
    fn new(seed: u64) -> World {
        let mut world = World {
            random: Random::new(seed),
            now: 0,
            order: Vec::new(),
            members: Vec::new(),
            inputs: 0,
            done: BTreeMap::new(),
        };
        for number in 0..NAMES.len() {
            let share = world.share(number);
            world.members.push(Member {
                share,
                read: 0,
                is_running: true,
                is_connected: true,
                unsaid: VecDeque::new(),
            });
            world.order.push(Told::Alive(number, true));
        }
        world
    }

    fn share(&self, number: usize) -> Share<u64> {
        Share::new(self.at(), NAMES[number], &NAMES.map(str::to_owned), LEASE)
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + self.now).unwrap()
    }

    /// One member reads one thing, or tells what it has done.
    fn step(&mut self, number: usize) {
        let at = self.at();
        let member = &mut self.members[number];
        if !member.is_running {
            return;
        }
        for mark in member.share.take_due(at) {
            *self.done.entry(mark).or_default() += 1;
            member.unsaid.push_back(mark);
        }
        if !member.is_connected {
            return;
        }
        if !member.unsaid.is_empty() && self.random.one_in(2) {
            self.order.push(Told::Done(number, member.unsaid.drain(..).collect()));
        }
        let Some(told) = self.order.get(member.read).cloned() else { return };
        member.read += 1;
        match told {
            Told::Input(input) => {
                for rule in 0..RULES {
                    let (name, mark) = (format!("r:{rule}"), mark(input, rule));
                    if member.share.acts_for(&name) {
                        *self.done.entry(mark).or_default() += 1;
                        member.unsaid.push_back(mark);
                    } else {
                        member.share.leave_to_others(at, &name, mark, mark);
                    }
                }
            }
            Told::Alive(who, is_alive) => member.share.heard(at, NAMES[who], is_alive),
            Told::Done(who, marks) if who != number => {
                for mark in marks {
                    member.share.done(at, mark);
                }
            }
            Told::Done(..) => {}
        }
    }

    /// A member ends, or is cut off; or comes back.
    fn fault(&mut self) {
        let number = self.random.below(3);
        let others = (0..3).filter(|other| *other != number);
        let whole = others.filter(|other| self.members[*other].is_running && self.members[*other].is_connected);
        let Some(teacher) = whole.max_by_key(|other| self.members[*other].read) else { return };
        let is_killed = self.random.one_in(2);
        let (at, share) = (self.at(), self.share(number));
        let member = &mut self.members[number];
        if !member.is_running {
            // It learns all that another knows, and does its part from then on.
            member.share = share;
            member.is_running = true;
            member.read = 0;
            let known = self.members[teacher].read;
            let alive: BTreeSet<usize> = self.order[..known].iter().fold(BTreeSet::new(), |mut alive, told| {
                match told {
                    Told::Alive(who, true) => drop(alive.insert(*who)),
                    Told::Alive(who, false) => drop(alive.remove(who)),
                    Told::Input(_) | Told::Done(..) => {}
                }
                alive
            });
            let member = &mut self.members[number];
            member.read = known;
            alive.into_iter().filter(|who| *who != number).for_each(|who| member.share.heard(at, NAMES[who], true));
            member.is_connected = true;
            self.order.push(Told::Alive(number, true));
        } else if !member.is_connected {
            member.is_connected = true;
            self.order.push(Told::Alive(number, true));
        } else {
            member.share.leave();
            member.is_connected = false;
            if is_killed {
                member.is_running = false;
                member.unsaid.clear();
            }
            self.order.push(Told::Alive(number, false));
        }
    }

    fn live(&mut self, milliseconds: i64, faults: usize) {
        let end = self.now + milliseconds;
        while self.now < end {
            self.now += 10;
            // All say again that they are there.
            if self.now % 1000 == 0 {
                for number in 0..3 {
                    if self.members[number].is_running && self.members[number].is_connected {
                        self.order.push(Told::Alive(number, true));
                    }
                }
            }
            if self.random.one_in(5) {
                self.inputs += 1;
                self.order.push(Told::Input(self.inputs));
            }
            if faults > 0 && self.random.one_in(faults) {
                self.fault();
            }
            for number in 0..3 {
                for _ in 0..self.random.below(4) {
                    self.step(number);
                }
            }
        }
    }

    /// Returns what wasn't done, and how much was done more than once.
    fn outcome(&self, inputs: u64) -> (Vec<u64>, usize) {
        let all = (1..=inputs).flat_map(|input| (0..RULES).map(move |rule| mark(input, rule)));
        let missing = all.filter(|mark| !self.done.contains_key(mark)).collect();
        (missing, self.done.values().filter(|times| **times > 1).count())
    }
}

#[test]
fn while_nobody_comes_or_goes_all_is_done_once() {
    for seed in 1..=20 {
        let mut world = World::new(seed);
        world.live(30_000, 0);
        let inputs = world.inputs;
        world.live(10_000, 0);
        assert_eq!(world.outcome(inputs), (Vec::new(), 0), "seed {seed}");
    }
}
