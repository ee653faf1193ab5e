//! Makes what was found short: the fewest entries, the plainest times, that still lead there.

use std::time::Duration;

use super::journal::{Act, Entry, Journal};

/// How much may happen in all journals that are tried: starts and entries. A long journal is tried less often than a short one, and each
/// find takes about as long as any other.
const BUDGET: usize = 30_000;

/// What the start of a home counts for.
const START: usize = 4;

/// In a journal up to this long, any two entries are left out together.
const SHORT: usize = 16;

/// Tries a journal, and returns whether it leads there.
pub(in crate::sim) type Try<'a> = dyn FnMut(&Journal) -> bool + 'a;

/// Makes a journal short that leads somewhere.
pub(in crate::sim) fn shrink(journal: Journal, attempt: &mut Try<'_>) -> Journal {
    let mut shrinker = Shrinker { best: journal, attempt, left: BUDGET };
    loop {
        let before = shrinker.best.entries.len();
        shrinker.drop_entries();
        shrinker.join_entries();
        shrinker.drop_pairs();
        shrinker.plainer_acts();
        shrinker.plainer_times();
        if shrinker.best.entries.len() == before || shrinker.left == 0 {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a, 'b> {
    best: Journal,
    attempt: &'a mut Try<'b>,
    /// How much may happen still.
    left: usize,
}

impl Shrinker<'_, '_> {
    /// Takes `entries` if they lead there too.
    fn takes(&mut self, entries: Vec<Entry>) -> bool {
        let costs = START + entries.len();
        if costs > self.left {
            self.left = 0;
            return false;
        }
        self.left -= costs;
        let journal = Journal { start: self.best.start, entries };
        let is_it = (self.attempt)(&journal);
        if is_it {
            self.best = journal;
        }
        is_it
    }

    /// Leaves out entries, many at once at first. The time of what is left out passes all the same, or doesn't.
    fn drop_entries(&mut self) {
        let mut size = self.best.entries.len().div_ceil(2).max(1);
        loop {
            let mut from = 0;
            while from < self.best.entries.len() {
                let to = (from + size).min(self.best.entries.len());
                if !self.drops(from, to, false) && !self.drops(from, to, true) {
                    from = to;
                }
            }
            if size == 1 {
                return;
            }
            size = size.div_ceil(2);
        }
    }

    fn drops(&mut self, from: usize, to: usize, keeps_time: bool) -> bool {
        let entries = &self.best.entries;
        let time: Duration = entries.iter().take(to).skip(from).map(|entry| entry.after).sum();
        let mut left: Vec<Entry> = entries.iter().take(from).chain(entries.iter().skip(to)).cloned().collect();
        if keeps_time {
            match left.get_mut(from) {
                Some(next) => next.after += time,
                None if time.is_zero() => return false,
                None if to - from == 1 && entries.get(from).is_some_and(|entry| entry.act == Act::Pass) => {
                    return false;
                }
                None => left.push(Entry { after: time, act: Act::Pass }),
            }
        }
        self.takes(left)
    }

    /// Leaves out two entries that are only needed with each other: what is switched on and off again.
    fn drop_pairs(&mut self) {
        if self.best.entries.len() > SHORT {
            return;
        }
        let mut first = 0;
        while first < self.best.entries.len() {
            let mut second = first + 1;
            let mut is_dropped = false;
            while second < self.best.entries.len() && !is_dropped {
                let kept = self.best.entries.iter().enumerate();
                let kept = kept.filter(|(index, _)| *index != first && *index != second);
                is_dropped = self.takes(kept.map(|(_, entry)| entry.clone()).collect());
                second += 1;
            }
            first += usize::from(!is_dropped);
        }
    }

    /// Lets time pass with what comes next, not by itself.
    fn join_entries(&mut self) {
        let mut index = 0;
        while index + 1 < self.best.entries.len() {
            let is_pass = self.best.entries.get(index).is_some_and(|entry| entry.act == Act::Pass);
            if !(is_pass && self.drops(index, index + 1, true)) {
                index += 1;
            }
        }
    }

    /// A stop for a kill, no message kept, a short time down.
    fn plainer_acts(&mut self) {
        for index in 0..self.best.entries.len() {
            let plainer = match self.best.entries.get(index).map(|entry| &entry.act) {
                Some(Act::Kill(down)) => vec![Act::Restart(*down), Act::Restart(Duration::from_secs(1))],
                Some(Act::Restart(down)) if *down > Duration::from_secs(1) => {
                    vec![Act::Restart(Duration::from_secs(1))]
                }
                Some(Act::Say { topic, payload, retain: true }) => {
                    vec![Act::Say { topic: topic.clone(), payload: payload.clone(), retain: false }]
                }
                _ => Vec::new(),
            };
            for act in plainer {
                let mut entries = self.best.entries.clone();
                if let Some(entry) = entries.get_mut(index) {
                    entry.act = act;
                }
                self.takes(entries);
            }
        }
    }

    /// No time, or one that a person would write.
    fn plainer_times(&mut self) {
        for index in 0..self.best.entries.len() {
            let Some(time) = self.best.entries.get(index).map(|entry| entry.after) else { continue };
            for plainer in plainer(time) {
                let mut entries = self.best.entries.clone();
                if let Some(entry) = entries.get_mut(index) {
                    entry.after = plainer;
                }
                if self.takes(entries) {
                    break;
                }
            }
        }
    }
}

/// Returns times plainer than `time`, the plainest first.
fn plainer(time: Duration) -> Vec<Duration> {
    let mut found = vec![Duration::ZERO, Duration::from_secs(1), Duration::from_mins(1), Duration::from_hours(1)];
    for unit in [3_600_000_u64, 60_000, 1000] {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        found.push(Duration::from_millis(ms / unit * unit));
        found.push(Duration::from_millis(ms.div_ceil(unit).saturating_mul(unit)));
    }
    found.retain(|plainer| {
        *plainer < time || (time.subsec_millis() != 0 && *plainer != time && plainer.subsec_millis() == 0)
    });
    found.dedup();
    found
}
