//! The threads of a run. Nearly all runs have one: a list is the smallest thing that holds them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::run::Thread;

/// Threads by their numbers, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads(Vec<(u32, Thread)>);

impl Threads {
    /// Returns the first thread of a run alone.
    pub(crate) fn first(thread: Thread) -> Threads {
        Threads(vec![(0, thread)])
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Thread> {
        self.iter().find(|(known, _)| *known == id).map(|(_, thread)| thread)
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Thread> {
        self.0.iter_mut().find(|(known, _)| *known == id).map(|(_, thread)| thread)
    }

    /// Adds a thread whose number is above all others.
    pub(crate) fn push(&mut self, id: u32, thread: Thread) {
        self.0.push((id, thread));
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Thread> {
        let index = self.0.iter().position(|(known, _)| *known == id)?;
        Some(self.0.remove(index).1)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Thread)> {
        self.0.iter().map(|(id, thread)| (*id, thread))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Thread> {
        self.0.iter().map(|(_, thread)| thread)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Thread> {
        self.0.iter_mut().map(|(_, thread)| thread)
    }
}

impl IntoIterator for Threads {
    type Item = (u32, Thread);
    type IntoIter = std::vec::IntoIter<(u32, Thread)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Threads {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Threads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Threads, D::Error> {
        let threads = std::collections::BTreeMap::deserialize(deserializer)?;
        Ok(Threads(threads.into_iter().collect()))
    }
}
