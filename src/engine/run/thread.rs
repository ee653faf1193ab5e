//! The threads of a run: where each is, and what it waits for.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::condition::scope::ThreadScope;
use crate::engine::device::confirming::Confirming;
use crate::engine::effect::RequestId;
use crate::engine::trace::RunId;
use crate::model::{Map, Value};
use crate::rules::{Action, BlockId, Rule};

use super::open_wait::OpenWait;

/// One line of execution within a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Thread {
    /// The thread that waits in a `parallel` for this one; `None`: the first one.
    pub(crate) parent: Option<u32>,
    /// Where it is: the innermost frame last.
    pub(crate) frames: Vec<Frame>,
    /// What it waits for; `None`: it goes on.
    pub(crate) waiting: Option<Waiting>,
    /// What `wait` and `http` are.
    pub(crate) wait: Value,
    pub(crate) http: Value,
    /// `repeat` of the thread that made this one.
    pub(crate) outer_repeat: Value,
    /// What it waits for, while it is in a `wait` or a `repeat` with `every`.
    #[serde(alias = "ears")]
    pub(crate) waits: Vec<OpenWait>,
    /// What devices or topics must say before it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirming: Option<Box<Confirming>>,
}

/// A place in a list of actions, or a loop around the frames that follow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Frame {
    /// In a list; `next` is the action to be done next.
    Block { block: BlockId, next: usize },
    /// In a `repeat`, the action of the frame before.
    Repeat(Repeat),
}

/// How far a `repeat` has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Repeat {
    pub(crate) at: ActionPlace,
    /// Turns begun.
    pub(crate) turn: u32,
    /// How many turns there are: of `times` and `each`.
    pub(crate) times: Option<u64>,
    /// The items of `each`.
    pub(crate) items: Vec<Value>,
    /// Of `every`: the interval, and when the turn was due.
    pub(crate) interval: Option<Duration>,
    pub(crate) turn_due: Timestamp,
}

/// An action's place in its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ActionPlace {
    pub(crate) block: BlockId,
    pub(crate) index: usize,
}

/// What a thread waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Waiting {
    /// A time.
    Time(Timestamp),
    /// Its innermost open wait.
    #[serde(alias = "Ear")]
    OpenWait,
    /// The threads that it made.
    Threads,
    /// Another run.
    Run(RunId),
    /// An HTTP request or a program.
    Request(RequestId),
    /// Devices or topics that must say something.
    Confirm,
}

impl Thread {
    /// Returns the run that it called and waits for.
    pub(crate) fn callee(&self) -> Option<RunId> {
        match self.waiting {
            Some(Waiting::Run(callee)) => Some(callee),
            _ => None,
        }
    }

    /// Returns a thread that is about to do `block`.
    pub(crate) fn new(block: BlockId) -> Thread {
        Thread {
            parent: None,
            frames: vec![Frame::Block { block, next: 0 }],
            waiting: None,
            wait: Value::Null,
            http: Value::Null,
            outer_repeat: Value::Null,
            waits: Vec::new(),
            confirming: None,
        }
    }

    /// Returns the variables that the thread has set by now.
    pub(crate) fn scope(&self) -> ThreadScope {
        let innermost = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Repeat(repeat) => Some(repeat.variable()),
            Frame::Block { .. } => None,
        });
        ThreadScope {
            wait: self.wait.clone(),
            repeat: innermost.unwrap_or_else(|| self.outer_repeat.clone()),
            http: self.http.clone(),
        }
    }
}

impl Repeat {
    /// Returns the variable `repeat`: `index`, from 1, and `item`.
    pub(crate) fn variable(&self) -> Value {
        let mut map = Map::default();
        map.insert("index".into(), Value::Int(self.turn.into()));
        let index = usize::try_from(self.turn).unwrap_or(usize::MAX).wrapping_sub(1);
        if let Some(item) = self.items.get(index) {
            map.insert("item".into(), item.clone());
        }
        Value::Map(map.into())
    }
}

impl ActionPlace {
    /// Returns the action that stands here.
    pub(crate) fn action(self, rule: &Rule) -> Option<&Action> {
        rule.block(self.block).get(self.index)
    }
}

/// Threads by their numbers, in order. Nearly all runs have one: a list is the smallest thing that holds them.
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

    /// Returns what the threads wait for that commanded devices.
    pub(crate) fn confirming_mut(&mut self) -> impl Iterator<Item = (u32, &mut Confirming)> {
        self.0.iter_mut().filter_map(|(id, thread)| Some((*id, &mut **thread.confirming.as_mut()?)))
    }

    /// Adds a thread whose number is above all others.
    pub(crate) fn push(&mut self, id: u32, thread: Thread) {
        self.0.push((id, thread));
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Thread> {
        let index = self.0.iter().position(|(known, _)| *known == id)?;
        Some(self.0.remove(index).1)
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
