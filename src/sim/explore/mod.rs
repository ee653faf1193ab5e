//! A home tried many times: devices say what they may, time passes, the daemon stops and starts, and whatever no home should do
//! is found, made short, and written as a test.
//!
//! All follows from a seed: the same seed, steps and version find the same on every machine.

mod bounded;
mod draw;
mod expected;
mod finding;
pub(in crate::sim) mod journal;
pub(in crate::sim) mod obey;
pub(in crate::sim) mod pool;
pub(in crate::sim) mod random;
pub(in crate::sim) mod saved;
pub(in crate::sim) mod script;
pub(in crate::sim) mod shrink;
mod story;
pub(in crate::sim) mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::analysis::{Graph, Known};
use crate::engine::Options;
use crate::model::Topic;
use crate::rules::Ruleset;

pub use expected::Expected;
pub use finding::Finding;
pub use journal::{Act, Entry, Journal};

use obey::Obey;
use pool::{Pool, Wanted};
use random::Random;
use world::{Home, Outcome, World};

/// How many different things are looked for; then it's enough.
const MOST_FOUND: usize = 10;

/// A search through what may happen in a home.
pub struct Explore {
    home: Home,
    pool: Pool,
    seed: u64,
    /// How many events were handled.
    events: u64,
    /// How many journals were played.
    journals: u64,
    found: Vec<Found>,
    /// Of all ways up to a depth: whether they were tried.
    is_complete: bool,
}

/// Something that was found, with the shortest way there.
#[derive(Debug, Clone)]
pub struct Found {
    /// What.
    pub finding: Finding,
    /// How it comes to that.
    pub journal: Journal,
    /// How many events had been handled when it was found.
    pub at_event: u64,
}

/// How a search goes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What all follows from.
    pub seed: u64,
    /// How many commands a topic may get in a minute, beyond one for each message from outside.
    pub at_most: usize,
    /// Whether devices may say what is of another type than all that was seen.
    pub is_hostile: bool,
    /// Whether a kill loses what may be kept late: the last second.
    pub is_lossy: bool,
    /// What the home's own tests say is meant.
    pub expected: Expected,
}

impl Explore {
    /// Returns a search in a home with these rules, of whose topics this is known.
    #[must_use]
    pub fn new(rules: &Ruleset, options: &Options, known: &Arc<Known>, settings: &Settings) -> Explore {
        let graph = Graph::new(rules, known);
        let commands: Vec<Topic> =
            graph.rules.iter().flat_map(|node| &node.writes).filter_map(|writing| writing.pattern.as_topic()).collect();
        let obey = Obey::new(known, &commands);
        let wanted = Wanted { is_hostile: settings.is_hostile };
        let pool = Pool::new((rules, &graph), known, &options.calendar, &|topic| obey.is_answer(topic), wanted);
        let home = Home {
            rules: rules.clone(),
            options: world::lean(options, settings.is_lossy),
            obey,
            at_most: settings.at_most,
            is_lossy: settings.is_lossy,
            expected: settings.expected.clone(),
        };
        Explore { home, pool, seed: settings.seed, events: 0, journals: 0, found: Vec::new(), is_complete: false }
    }

    /// Returns how many events were handled.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Returns how many journals were played.
    #[must_use]
    pub fn journals(&self) -> u64 {
        self.journals
    }

    /// Returns what was found, in order.
    #[must_use]
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// Returns whether there is nothing that could happen, or enough was found.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.found.len() >= MOST_FOUND
    }

    /// Plays one more journal.
    pub fn step(&mut self) {
        let mut random = Random::new(self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(self.journals));
        // Neighbouring seeds shall begin differently.
        random.next();
        self.journals += 1;
        let mut journal = draw::begin(&self.pool, &mut random);
        let length = draw::length(&mut random);
        let cast = draw::cast(&self.pool, &mut random);
        let (home, pool) = (&self.home, &self.pool);
        let mut events = 0;
        let played = catch_unwind(AssertUnwindSafe(|| {
            let mut world = World::start(home, journal.start);
            for _ in 0..length {
                let entry = draw::next(pool, &cast, &world, &mut random);
                journal.entries.push(entry.clone());
                world.apply(&entry);
                events = world.events;
                if let Some(finding) = world.found.first() {
                    return Some(finding.clone());
                }
            }
            None
        }));
        self.events += events;
        let finding = match played {
            Ok(finding) => finding,
            Err(panic) => Some(Finding::Panic(message(&*panic))),
        };
        match finding {
            Some(finding) => self.note(finding, journal),
            None if random.is_one_in(8) && !self.pool.hears_starts => self.try_restart(journal, &mut random),
            None => {}
        }
    }

    /// Notes what was found, unless something like it is known, made short.
    fn note(&mut self, finding: Finding, journal: Journal) {
        if self.found.iter().any(|known| known.finding.is_like(&finding)) {
            return;
        }
        let home = &self.home;
        let is_it = |found: Finding| found.is_like(&finding);
        let journal = shrink::shrink(journal, &mut |journal| attempt(home, journal).is_some_and(is_it));
        let finding = attempt(home, &journal).unwrap_or(finding);
        // A rule that fails on a value of which nothing is known may never see it.
        if matches!(finding, Finding::Failed { .. }) && self.is_guess(&journal) {
            return;
        }
        self.found.push(Found { finding, journal, at_event: self.events });
    }

    /// Returns whether a journal says values of which nothing is known.
    fn is_guess(&self, journal: &Journal) -> bool {
        let is_guessed = |topic: &Topic| self.pool.topics.iter().any(|voice| voice.is_guessed && voice.topic == *topic);
        journal.entries.iter().any(|entry| matches!(&entry.act, Act::Say { topic, .. } if is_guessed(topic)))
    }

    /// Compares what rules do after a restart in the middle of a journal with what they do without.
    fn try_restart(&mut self, journal: Journal, random: &mut Random) {
        let at = random.below(journal.entries.len());
        self.events += u64::try_from(journal.entries.len()).unwrap_or(0);
        let Some(how) = difference(&self.home, &journal, at) else { return };
        let finding = Finding::Differs { how, at };
        if self.found.iter().any(|known| known.finding.is_like(&finding)) {
            return;
        }
        let home = &self.home;
        let mut last = (at, journal.clone());
        let mut differs = |journal: &Journal| {
            let at = (0..journal.entries.len()).find(|at| difference(home, journal, *at).is_some());
            last = at.map_or_else(|| last.clone(), |at| (at, journal.clone()));
            at.is_some()
        };
        shrink::shrink(journal, &mut differs);
        let (at, mut journal) = last;
        let how = difference(home, &journal, at).unwrap_or_default();
        journal
            .entries
            .insert(at, Entry { after: std::time::Duration::ZERO, act: Act::Kill(std::time::Duration::ZERO) });
        self.found.push(Found { finding: Finding::Differs { how, at }, journal, at_event: self.events });
    }

    /// Tells how it comes to what was found, as lines.
    #[must_use]
    pub fn story(&self, found: &Found) -> Vec<String> {
        story::tell(&self.home, found)
    }
}

/// Returns what is found when a journal happens to a home.
fn attempt(home: &Home, journal: &Journal) -> Option<Finding> {
    let played = catch_unwind(AssertUnwindSafe(|| World::play(home, journal).found.into_iter().next()));
    played.unwrap_or_else(|panic| Some(Finding::Panic(message(&*panic))))
}

/// Returns how what rules publish differs where the home is restored from what it saved before the entry `at`.
fn difference(home: &Home, journal: &Journal, at: usize) -> Option<String> {
    let play = |restarts: bool| {
        let mut world = World::start(home, journal.start);
        for (index, entry) in journal.entries.iter().enumerate() {
            if index == at {
                world.note_outcomes();
                if restarts {
                    world.restart_at_once();
                }
            }
            world.apply(entry);
        }
        let mut outcomes = world.outcomes.unwrap_or_default();
        for outcome in &mut outcomes {
            if let Outcome::Published(published) = outcome {
                published.event = 0;
            }
        }
        outcomes
    };
    let (without, with) = (play(false), play(true));
    let place = (0..without.len().max(with.len())).find(|place| without.get(*place) != with.get(*place))?;
    let say = |outcome: Option<&Outcome>| outcome.map_or("nothing".to_owned(), story::outcome);
    Some(format!("without it {}, with it {}", say(without.get(place)), say(with.get(place))))
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}
