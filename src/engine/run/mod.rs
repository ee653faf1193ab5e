//! A run: one execution of a rule's actions, as data.
//!
//! It has one thread, and more where it goes on side by side (`parallel`). A thread's place is a stack of
//! frames, each in a list of actions of the rule; what it waits for is data too. So a run survives a
//! restart, and can be shown.

pub(crate) mod admission;
pub(crate) mod stepper;
pub(crate) mod threads;
pub(crate) mod timer;
pub(crate) mod wait;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, RuleId, Value};
use crate::rules::{Action, BlockId, Condition, Rule, Trigger, TriggerKind};
use crate::script::Reads;

use crate::engine::condition::scope::ThreadScope;
use crate::engine::firing::Firing;
use crate::engine::live::table::{LiveId, RunKey};
use crate::engine::run::threads::Threads;
use crate::engine::trigger::state::TriggerState;
use crate::engine::{Cause, CauseKind, RequestId, RunId, Step};

/// The most steps of a trace that a run keeps; what comes after is counted only.
const MOST_STEPS: usize = 1000;

/// One execution of a rule's actions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) rule: RuleId,
    /// The fingerprint of the rule when it started: another one ends it.
    pub(crate) fingerprint: u64,
    /// Where its rule stands now; found anew after a restart and a reload.
    #[serde(skip)]
    pub(crate) slot: Option<LiveId>,
    pub(crate) key: RunKey,
    pub(crate) part: Part,
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
    /// Its trace so far.
    #[serde(with = "crate::engine::trace::stored")]
    pub(crate) steps: Vec<Step>,
}

/// Which of a rule's lists a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
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
    /// What listens while it is in a `wait` or a `repeat` with `every`.
    #[serde(alias = "ears")]
    pub(crate) waits: Vec<OpenWait>,
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
    /// Its innermost wait.
    #[serde(alias = "Ear")]
    OpenWait,
    /// The threads that it made.
    Threads,
    /// Another run.
    Run(RunId),
    /// An HTTP request or a program.
    Request(RequestId),
}

/// What a `wait`, or the `until` of a `repeat`, listens for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OpenWait {
    pub(crate) id: u64,
    /// How many frames the thread keeps when this is heard.
    pub(crate) depth: usize,
    pub(crate) at: ActionPlace,
    /// One for each trigger.
    pub(crate) triggers: Vec<TriggerState>,
    /// The triggers, where the run has made its own.
    #[serde(default)]
    pub(crate) formed: Option<Formed>,
    /// What the condition read; asked anew after a restart.
    #[serde(skip)]
    pub(crate) reads: Reads,
    /// When the condition is to be asked again since time passes; derived from what it read.
    #[serde(skip)]
    pub(crate) recheck_at: Option<Timestamp>,
    /// When a `wait` gives up.
    pub(crate) timeout: Option<Timestamp>,
}

/// Triggers that a run made of texts which read its variables.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Formed {
    /// The values of the texts.
    pub(crate) values: Vec<Value>,
    /// What they give; made anew after a restart.
    #[serde(skip)]
    pub(crate) triggers: Arc<[Trigger]>,
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

    /// Adds a step to the trace.
    pub(crate) fn note(&mut self, step: Step) {
        if self.steps.len() < MOST_STEPS {
            self.steps.push(step);
        }
    }

    /// Returns the thread that has the wait `wait`.
    pub(crate) fn thread_of_wait(&self, wait: u64) -> Option<u32> {
        let has_it = |thread: &Thread| thread.waits.iter().any(|other| other.id == wait);
        self.threads.iter().find(|(_, thread)| has_it(thread)).map(|(id, _)| id)
    }

    /// Returns all that it listens with.
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

impl Thread {
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
        let mut map = Map::new();
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

impl OpenWait {
    /// Returns the triggers that it listens for; none where it waits for a condition.
    pub(crate) fn triggers<'a>(&'a self, rule: &'a Rule) -> &'a [Trigger] {
        match &self.formed {
            Some(formed) => &formed.triggers,
            None => self.at.action(rule).map_or(&[], |action| action.kind.triggers()),
        }
    }

    /// Returns the trigger `index` of those that it listens for.
    pub(crate) fn trigger<'a>(&self, rule: &'a Rule, index: usize) -> Option<Cow<'a, Trigger>> {
        match &self.formed {
            Some(formed) => formed.triggers.get(index).cloned().map(Cow::Owned),
            None => self.at.action(rule)?.kind.triggers().get(index).map(Cow::Borrowed),
        }
    }

    /// Makes its own triggers again, after a restart.
    pub(crate) fn form_again(&mut self, rule: &Rule) {
        let Some(formed) = &mut self.formed else { return };
        let made = self.at.action(rule).and_then(|action| action.kind.formed());
        // What could be made once can be made again.
        formed.triggers = made.and_then(|made| (made.form)(&formed.values).ok()).unwrap_or_default().into();
    }

    /// Returns whether it waits for what an expression says: a condition, or the time that one gives.
    pub(crate) fn has_expression(&self, rule: &Rule) -> bool {
        let is_at = |trigger: &Trigger| matches!(trigger.kind, TriggerKind::AtExpression { .. });
        self.condition(rule).is_some() || self.triggers(rule).iter().any(is_at)
    }

    /// Returns the condition that it waits for.
    pub(crate) fn condition<'a>(&self, rule: &'a Rule) -> Option<&'a Condition> {
        self.at.action(rule)?.kind.conditions().into_iter().next()
    }
}
