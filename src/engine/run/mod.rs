//! A run: one execution of a rule's actions, as data.
//!
//! It has one thread, and more where it goes on side by side (`parallel`). A thread's place is a stack of
//! frames, each in a list of actions of the rule; what it waits for is data too. So a run survives a
//! restart, and can be shown.

pub(crate) mod admission;
pub(crate) mod cursor;
pub(crate) mod key;
pub(crate) mod lifecycle;
pub(crate) mod made;
pub(crate) mod open_wait;
pub(crate) mod repeat;
pub(crate) mod stepper;
pub(crate) mod table;
pub(crate) mod thread;
pub(crate) mod timer;
pub(crate) mod unstarted;
pub(crate) mod unwind;
pub(crate) mod wait;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::engine::condition::scope::ThreadScope;
use crate::engine::instant::Shift;
use crate::engine::live::id::LiveId;
use crate::engine::trace::{Cause, CauseKind, RunId, Step, StepResult};
use crate::engine::trigger::firing::Firing;
use crate::model::{Map, RuleId};
use crate::rules::{BlockId, Rule};

use self::key::RunKey;
use self::made::Made;
use self::open_wait::OpenWait;
use self::thread::{Frame, Thread, Threads, Waiting};

/// The most steps of a trace that a run keeps; what comes after is counted only.
const MOST_STEPS: usize = 1000;

/// The most bytes of large steps that the trace of a run keeps.
const MOST_BYTES: usize = 1 << 20;

/// From how many bytes on a step is large.
const LARGE_STEP: usize = 4 << 10;

/// One execution of a rule's actions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) rule: RuleId,
    /// The fingerprint of the rule when it started: another one ends it.
    pub(crate) fingerprint: u64,
    /// Its rule in force; found anew after a restart and a reload. `None` where that is gone.
    #[serde(skip)]
    pub(crate) live: Option<LiveId>,
    pub(crate) key: RunKey,
    #[serde(rename = "part")]
    pub(crate) list: RunList,
    pub(crate) started_at: Timestamp,
    #[serde(alias = "occasion")]
    pub(crate) firing: Firing,
    /// Variables of `let` and `with`.
    pub(crate) variables: Map,
    pub(crate) threads: Threads,
    pub(crate) next_thread: u32,
    #[serde(alias = "next_ear")]
    pub(crate) next_wait: u64,
    /// What called it by `run`, and waits for it.
    pub(crate) caller: Option<Caller>,
    /// How many runs called one another to get here.
    pub(crate) call_depth: u32,
    /// Whether it waits for its turn, in mode `queued`.
    pub(crate) is_queued: bool,
    /// Turns of loops at one instant, and which that is: without a wait time stands still.
    pub(crate) turns: u32,
    pub(crate) turns_at: Timestamp,
    /// How much it has made without a wait.
    #[serde(skip)]
    pub(crate) made: Made,
    /// Its trace so far.
    #[serde(with = "crate::engine::trace::stored")]
    pub(crate) steps: Vec<Step>,
}

/// Which of a rule's lists a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RunList {
    Then,
    Otherwise,
    /// None: the closure of a timer.
    Timer,
}

/// The thread of a run that waits for another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) run: RunId,
    pub(crate) thread: u32,
}

impl Run {
    /// Returns it as the cause of a change that it makes and that expressions read.
    pub(crate) fn as_cause(&self) -> Cause {
        let depth = self.firing.cause.depth + 1;
        Cause { kind: CauseKind::Condition, depth, run: Some(self.id), armed: None }
    }

    /// Returns all that its expressions read of what triggered it, and its variables.
    pub(crate) fn known(&self) -> Map {
        let mut known = self.firing.to_map();
        known.retain(|_, value| !value.is_null());
        known.extend(self.variables.iter().map(|(name, value)| (Arc::clone(name), value.clone())));
        known
    }

    /// Returns the runs that it called and waits for.
    pub(crate) fn callees(&self) -> impl Iterator<Item = RunId> {
        self.threads.values().filter_map(Thread::callee)
    }

    /// Returns what the thread that has the wait `wait` has set.
    pub(crate) fn scope_of_wait(&self, wait: u64) -> ThreadScope {
        self.thread_of_wait(wait).map(|thread| self.scope(thread)).unwrap_or_default()
    }

    /// Returns what a thread has set.
    pub(crate) fn scope(&self, thread: u32) -> ThreadScope {
        self.threads.get(thread).map(Thread::scope).unwrap_or_default()
    }

    /// Adds a step to the trace.
    pub(crate) fn note(&mut self, mut step: Step) {
        let size = step.result.size();
        self.made.add(size, step.at);
        if self.steps.len() >= MOST_STEPS {
            return;
        }
        // What is small is bounded by the number of steps.
        let kept = || self.steps.iter().map(|step| step.result.size()).sum::<usize>();
        if size > LARGE_STEP && kept() + size > MOST_BYTES {
            step.result = StepResult::TooLarge(size);
        }
        self.steps.push(step);
    }

    /// Returns the thread that has the wait `wait`.
    pub(crate) fn thread_of_wait(&self, wait: u64) -> Option<u32> {
        let has_it = |thread: &Thread| thread.waits.iter().any(|other| other.id == wait);
        self.threads.iter().find(|(_, thread)| has_it(thread)).map(|(id, _)| id)
    }

    /// Returns all that it waits with.
    pub(crate) fn waits(&self) -> impl Iterator<Item = &OpenWait> {
        self.threads.values().flat_map(|thread| &thread.waits)
    }

    /// Returns the wait `wait`.
    pub(crate) fn wait(&self, wait: u64) -> Option<&OpenWait> {
        self.waits().find(|other| other.id == wait)
    }

    /// Returns the wait `wait`, to be changed.
    pub(crate) fn wait_mut(&mut self, wait: u64) -> Option<&mut OpenWait> {
        self.threads.values_mut().flat_map(|thread| &mut thread.waits).find(|other| other.id == wait)
    }

    /// Returns `thread` and all threads that it made, directly or not.
    pub(crate) fn with_descendants(&self, thread: u32) -> Vec<u32> {
        let mut found = vec![thread];
        // A thread's number is above its parent's, so one pass finds them all.
        for (id, other) in self.threads.iter() {
            if other.parent.is_some_and(|parent| found.contains(&parent)) {
                found.push(id);
            }
        }
        found
    }
}

impl RunList {
    /// Returns the list in `rule`; `None` where it has none, and for a timer.
    pub(crate) fn block(self, rule: &Rule) -> Option<BlockId> {
        match self {
            RunList::Then => rule.then,
            RunList::Otherwise => rule.otherwise,
            RunList::Timer => None,
        }
    }
}

impl Shift for Run {
    fn shift(&mut self, by: SignedDuration) {
        self.turns_at.shift(by);
        for thread in self.threads.values_mut() {
            if let Some(Waiting::Time(due)) = &mut thread.waiting {
                due.shift(by);
            }
            if let Some(confirming) = &mut thread.confirming {
                confirming.shift(by);
            }
            for wait in &mut thread.waits {
                wait.timeout.shift(by);
                wait.triggers.iter_mut().for_each(|trigger| trigger.shift(by));
            }
            for frame in &mut thread.frames {
                if let Frame::Repeat(repeat) = frame {
                    repeat.turn_due.shift(by);
                }
            }
        }
    }
}
