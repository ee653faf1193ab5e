//! Tries all that may happen, up to a depth, and says whether that was all of it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::Fingerprint;

use super::journal::{Act, Entry, Journal};
use super::pool::{Pool, Voice};
use super::world::World;
use super::{Explore, attempt};

/// How many journals are played at most.
const MOST_JOURNALS: u64 = 2_000_000;

impl Explore {
    /// Plays all journals of up to `depth` entries: each class of values of each topic, at once or when the next thing is due.
    /// Where two lead to the same state at the same time, one is followed.
    pub fn all_up_to(&mut self, depth: usize) {
        let acts = acts(&self.pool);
        self.is_complete = true;
        let starts = self.pool.starts.clone();
        for start in starts {
            let mut seen: BTreeSet<u64> = BTreeSet::new();
            let mut ways = vec![Journal { start, entries: Vec::new() }];
            for _ in 0..depth {
                let mut longer = Vec::new();
                for way in &ways {
                    for entry in self.next(way, &acts) {
                        if self.journals >= MOST_JOURNALS || self.is_over() {
                            self.is_complete = false;
                            return;
                        }
                        let mut journal = way.clone();
                        journal.entries.push(entry);
                        if self.follow(&journal, &mut seen) {
                            longer.push(journal);
                        }
                    }
                }
                ways = longer;
            }
        }
    }

    /// Plays a journal, and returns whether what comes after it is new.
    fn follow(&mut self, journal: &Journal, seen: &mut BTreeSet<u64>) -> bool {
        self.journals += 1;
        let mut world = World::play(&self.home, journal);
        self.events += world.events;
        if let Some(finding) = world.found.first().cloned() {
            if attempt(&self.home, journal).is_some() {
                self.note(finding, journal.clone());
            }
            return false;
        }
        let now = world.now;
        let mut hash = Fingerprint::new();
        hash.text(&now.to_string());
        for (key, value) in &world.state().values {
            // How many messages there were is no state of a home.
            if !key.0.starts_with("counters") && !key.0.starts_with("last_run/") {
                hash.text(&key.0);
                hash.text(&without_numbers_of_messages(value));
            }
        }
        seen.insert(hash.value())
    }

    /// Returns what may happen after a journal.
    fn next(&self, way: &Journal, acts: &[Act]) -> Vec<Entry> {
        let world = World::play(&self.home, way);
        let due = world.until_due();
        let mut found: Vec<Entry> =
            acts.iter().map(|act| Entry { after: Duration::from_secs(1), act: act.clone() }).collect();
        if let Some(due) = due.filter(|due| *due > Duration::from_secs(1)) {
            found.push(Entry { after: due, act: Act::Pass });
        }
        found
    }

    /// Returns whether all ways were tried.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// Returns the classes of what may happen.
fn acts(pool: &Pool) -> Vec<Act> {
    let say = |voice: &Voice| {
        let (topic, retain) = (voice.topic.clone(), voice.may_retain);
        voice
            .payloads
            .iter()
            .map(move |payload| Act::Say { topic: topic.clone(), payload: payload.clone(), retain })
            .collect::<Vec<_>>()
    };
    let said = pool.topics.iter().flat_map(say);
    let hooks = pool.webhooks.iter().map(|name| Act::Webhook(name.clone()));
    let clients = pool.clients.iter().flat_map(|id| [true, false].map(|is| Act::Client(id.clone(), is)));
    said.chain(hooks).chain(clients).chain([Act::Restart(Duration::from_secs(1))]).collect()
}

/// Returns what is kept without the numbers of the messages that led to it.
fn without_numbers_of_messages(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("\"sequence\":") {
        kept.push_str(before);
        rest = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
    }
    kept.push_str(rest);
    kept
}
