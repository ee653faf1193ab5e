//! The world while it is lent to an evaluation.
//!
//! Rhai keeps the functions it may call for as long as the engine lives, so they can't borrow the world: for the
//! time of an evaluation it is moved to where they find it, and moved back afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Map, RuleId};

use super::reads::Reads;
use super::refusal::{Refusal, refuse};
use super::world::World;
use crate::script::scripts::command::Asked;
use crate::script::scripts::script::Script;

/// What the functions of an evaluation read and note.
pub(in crate::script) struct Lent {
    /// The home.
    pub(in crate::script) world: World,
    /// What was read.
    pub(in crate::script) reads: Reads,
    /// The rule that asks.
    pub(in crate::script) rule: RuleId,
    /// What `random()` depends on.
    pub(in crate::script) entropy: u64,
    /// How often `random()` was asked.
    pub(in crate::script) draws: u64,
    /// The closure that is called; `None`: an expression.
    pub(in crate::script) call: Option<Call>,
}

/// A closure that is being called.
pub(in crate::script) struct Call {
    /// The script whose closure it is.
    pub(in crate::script) script: Arc<Script>,
    /// What the rule remembers, with what the closure has added.
    pub(in crate::script) memory: Arc<Map>,
    /// What it has asked to be done.
    pub(in crate::script) commands: Vec<Asked>,
    /// About how many bytes these hold.
    pub(in crate::script) bytes: usize,
    /// Whether `()` was put into a text since it last asked for something: Rhai doesn't let a text refuse it.
    pub(in crate::script) has_gap: bool,
}

/// Where the functions find what is lent.
#[derive(Clone, Default)]
pub(in crate::script) struct Loan(Arc<Mutex<Option<Lent>>>);

impl Loan {
    /// Lends.
    pub(in crate::script) fn give(&self, lent: Lent) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lent);
    }

    /// Takes back what was lent.
    pub(in crate::script) fn take(&self) -> Option<Lent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs `read` on what is lent.
    pub(in crate::script) fn with<T>(&self, read: impl FnOnce(&mut Lent) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(lent) => read(lent),
            None => Err(refuse("there is no home to read here")),
        }
    }

    /// Runs `act` on the closure that is being called.
    pub(in crate::script) fn with_call<T>(
        &self,
        act: impl FnOnce(&mut Call) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut().and_then(|lent| lent.call.as_mut()) {
            Some(call) => act(call),
            None => Err(refuse("this works only in a closure of a rule (`then: |e| …`), when the rule runs")),
        }
    }
}
