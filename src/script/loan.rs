//! The world while it is lent to an evaluation.
//!
//! Rhai keeps the functions it may call for as long as the engine lives, so they can't borrow the world: for the
//! time of an evaluation it is moved to where they find it, and moved back afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Map, RuleId};

use super::compiled_script::Script;
use super::failure::{Refusal, refuse};
use super::{Asked, Reads, World};

/// What the functions of an evaluation read and note.
pub(super) struct Lent {
    /// The home.
    pub(super) world: World,
    /// What was read.
    pub(super) reads: Reads,
    /// The rule that asks.
    pub(super) rule: RuleId,
    /// What `random()` depends on.
    pub(super) entropy: u64,
    /// How often `random()` was asked.
    pub(super) draws: u64,
    /// The closure that is called; `None`: an expression.
    pub(super) call: Option<Call>,
}

/// A closure that is being called.
pub(super) struct Call {
    /// The script whose closure it is.
    pub(super) script: Arc<Script>,
    /// What the rule remembers, with what the closure has added.
    pub(super) memory: Arc<Map>,
    /// What it has asked to be done.
    pub(super) commands: Vec<Asked>,
    /// About how many bytes these hold.
    pub(super) bytes: usize,
    /// Whether `()` was put into a text since it last asked for something: Rhai doesn't let a text refuse it.
    pub(super) has_gap: bool,
}

/// Where the functions find what is lent.
#[derive(Clone, Default)]
pub(super) struct Loan(Arc<Mutex<Option<Lent>>>);

impl Loan {
    /// Lends.
    pub(super) fn give(&self, lent: Lent) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(lent);
    }

    /// Takes back what was lent.
    pub(super) fn take(&self) -> Option<Lent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs `read` on what is lent.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut Lent) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(lent) => read(lent),
            None => Err(refuse("there is no home to read here")),
        }
    }

    /// Runs `act` on the closure that is being called.
    pub(super) fn with_call<T>(&self, act: impl FnOnce(&mut Call) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut().and_then(|lent| lent.call.as_mut()) {
            Some(call) => act(call),
            None => Err(refuse("this works only in a closure of a rule (`then: |e| …`), when the rule runs")),
        }
    }
}
