//! What an action asks its thread to do next.

use crate::engine::run::thread::{Repeat, Waiting};
use crate::engine::trace::Outcome;
use crate::rules::BlockId;

/// What an action asks its thread to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Go on with the next action.
    GoOn,
    /// Do a list first.
    Enter(BlockId),
    /// Begin a loop.
    Loop(Box<Repeat>),
    /// Do lists side by side.
    Fork(Vec<BlockId>),
    /// Wait.
    Wait(Waiting),
    /// End the run.
    End(Outcome),
}
