//! What a leader saves, as a stream: a standby begins with a snapshot, and takes each change in its order. Whatever is missing, it
//! notices, and asks for another snapshot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// So many bytes of keys and values go into one part of a snapshot.
const PART: usize = 200_000;

/// What is saved, by its keys; `None`: it is forgotten.
pub type Changes = BTreeMap<String, Option<String>>;

/// A piece of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The leader's epoch.
    pub epoch: u64,
    /// Its place in the stream of that epoch, from 0.
    pub place: u64,
    /// When the leader was alive, in microseconds since 1970.
    pub alive_at: i64,
    /// A mark of the last message that the leader has handled: see [`super::mark`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<u64>,
    /// What it is.
    pub part: Part,
}

/// What a piece of the stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Changes.
    Changes(Changes),
    /// A part of all that is saved.
    Snapshot {
        /// What it holds.
        values: BTreeMap<String, String>,
        /// Whether it is the first part.
        is_first: bool,
        /// Whether it is the last part.
        is_last: bool,
    },
}

/// The leader's side of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    epoch: u64,
    next: u64,
}

impl Stream {
    /// Begins the stream of an epoch.
    #[must_use]
    pub fn new(epoch: u64) -> Stream {
        Stream { epoch, next: 0 }
    }

    /// Returns the next piece, of changes.
    pub fn changes(&mut self, alive_at: i64, handled: Option<u64>, changes: Changes) -> Saved {
        self.piece(alive_at, handled, Part::Changes(changes))
    }

    /// Returns all that is saved, as pieces.
    pub fn snapshot(&mut self, alive_at: i64, handled: Option<u64>, all: BTreeMap<String, String>) -> Vec<Saved> {
        let mut parts = vec![BTreeMap::new()];
        let mut size = 0;
        for (key, value) in all {
            size += key.len() + value.len();
            if size > PART {
                size = key.len() + value.len();
                parts.push(BTreeMap::new());
            }
            if let Some(part) = parts.last_mut() {
                part.insert(key, value);
            }
        }
        let last = parts.len() - 1;
        let part = |(index, values)| Part::Snapshot { values, is_first: index == 0, is_last: index == last };
        parts.into_iter().enumerate().map(|one| self.piece(alive_at, handled, part(one))).collect()
    }

    fn piece(&mut self, alive_at: i64, handled: Option<u64>, part: Part) -> Saved {
        let place = self.next;
        self.next += 1;
        Saved { epoch: self.epoch, place, alive_at, handled, part }
    }
}

/// What came of a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// These changes are to be kept.
    Changed(Changes),
    /// All that was kept is to be replaced by what [`Follower::values`] now has.
    Replaced,
    /// Nothing yet.
    Nothing,
    /// Something is missing: ask for a snapshot.
    Ask,
}

/// A standby's side of the stream.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    values: BTreeMap<String, String>,
    /// Where we are; `None`: nowhere, until a snapshot comes.
    position: Option<(u64, u64)>,
    /// The beginning of a snapshot.
    partial: Option<BTreeMap<String, String>>,
    alive_at: Option<i64>,
}

impl Follower {
    /// Returns a follower that knows what was kept before the start.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>, alive_at: Option<i64>) -> Follower {
        Follower { values, alive_at, ..Follower::default() }
    }

    /// Returns all that is saved, as far as is known.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Returns when the leader was last known to be alive, in microseconds since 1970.
    #[must_use]
    pub fn alive_at(&self) -> Option<i64> {
        self.alive_at
    }

    /// Returns whether it has all, as far as it can know.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.position.is_some() && self.partial.is_none()
    }

    /// Takes note that the leader is alive at this time, in microseconds since 1970.
    pub fn note_alive(&mut self, at: i64) {
        self.alive_at = self.alive_at.max(Some(at));
    }

    /// Takes what a leader saves itself.
    pub fn apply(&mut self, changes: &Changes, alive_at: i64) {
        self.alive_at = self.alive_at.max(Some(alive_at));
        for (key, value) in changes {
            match value {
                Some(value) => drop(self.values.insert(key.clone(), value.clone())),
                None => drop(self.values.remove(key)),
            }
        }
    }

    /// Takes a piece.
    pub fn take(&mut self, saved: Saved) -> Followed {
        let Saved { epoch, place, alive_at, part, .. } = saved;
        if self.position.is_some_and(|(known, _)| epoch < known) {
            return Followed::Nothing;
        }
        let is_next = place.checked_sub(1).is_some_and(|before| self.position == Some((epoch, before)));
        match part {
            Part::Snapshot { values, is_first: true, is_last } => {
                self.position = Some((epoch, place));
                self.partial = Some(values);
                self.finish(is_last, alive_at)
            }
            _ if self.position == Some((epoch, place)) => Followed::Nothing,
            _ if !is_next => {
                self.position = None;
                self.partial = None;
                Followed::Ask
            }
            Part::Snapshot { values, is_last, .. } => {
                self.position = Some((epoch, place));
                self.partial.get_or_insert_default().extend(values);
                self.finish(is_last, alive_at)
            }
            Part::Changes(changes) => {
                self.position = Some((epoch, place));
                self.apply(&changes, alive_at);
                Followed::Changed(changes)
            }
        }
    }

    fn finish(&mut self, is_last: bool, alive_at: i64) -> Followed {
        if !is_last {
            return Followed::Nothing;
        }
        let Some(values) = self.partial.take() else { return Followed::Nothing };
        self.values = values;
        self.alive_at = self.alive_at.max(Some(alive_at));
        Followed::Replaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize) -> BTreeMap<String, String> {
        (0..count).map(|number| (format!("topic/{number:06}"), "x".repeat(100))).collect()
    }

    #[test]
    fn a_follower_has_what_the_leader_saved_and_notices_what_is_missing() {
        let mut stream = Stream::new(3);
        let mut follower = Follower::default();
        let changes = |key: &str, value: Option<&str>| Changes::from([(key.to_owned(), value.map(str::to_owned))]);
        assert_eq!(follower.take(stream.changes(1, None, changes("a", Some("1")))), Followed::Ask, "it hasn't begun");
        let parts = stream.snapshot(2, None, values(5000));
        assert!(parts.len() > 2);
        let last = parts.len() - 1;
        for (index, part) in parts.into_iter().enumerate() {
            let expected = if index == last { Followed::Replaced } else { Followed::Nothing };
            assert_eq!(follower.take(part), expected);
        }
        assert_eq!((follower.values(), follower.alive_at()), (&values(5000), Some(2)));
        let one = stream.changes(3, None, changes("a", Some("1")));
        assert_eq!(follower.take(one.clone()), Followed::Changed(changes("a", Some("1"))));
        assert_eq!(follower.take(one), Followed::Nothing, "the broker may say it twice");
        drop(stream.changes(4, None, changes("a", Some("2"))));
        assert_eq!(follower.take(stream.changes(5, None, changes("b", None))), Followed::Ask);
        assert!(!follower.is_whole());
        assert_eq!(follower.take(Stream::new(2).changes(9, None, changes("a", None))), Followed::Ask);
        let all = stream.snapshot(6, None, values(1)).remove(0);
        assert_eq!(follower.take(all), Followed::Replaced);
        assert!(follower.is_whole());
        assert_eq!(
            follower.take(Stream::new(2).changes(9, None, changes("x", None))),
            Followed::Nothing,
            "an old leader"
        );
    }
}
