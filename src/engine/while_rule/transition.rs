//! What an answer of its condition does to a `while`: decided from what it remembers, and nothing else.

use std::time::Duration;

use jiff::Timestamp;

use crate::engine::instant::later;
use crate::rules::WhileRule;

use super::state::{Edge, WhileState};

/// What an answer does to a `while`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Nothing.
    Stay,
    /// It begins or ends at `due`, unless the answer changes before.
    Turn { edge: Edge, due: Timestamp },
    /// It was about to end, and goes on.
    GoOn,
    /// It was about to begin, and doesn't.
    Break,
}

impl WhileState {
    /// Decides what the answer `holds` at `now` leads to.
    pub(crate) fn transition(
        &self,
        holds: bool,
        start: &WhileRule,
        cooldown: Option<Duration>,
        now: Timestamp,
    ) -> Transition {
        let has_begun = self.begun_at.is_some();
        match (holds, self.pending.as_ref().map(|pending| pending.what)) {
            (true, Some(Edge::End)) => Transition::GoOn,
            (false, Some(Edge::Begin)) => Transition::Break,
            (true, Some(Edge::Begin)) | (false, Some(Edge::End)) => Transition::Stay,
            (true, None) if has_begun || self.was_refused => Transition::Stay,
            (false, None) if !has_begun => Transition::Stay,
            (true, None) => Transition::Turn { edge: Edge::Begin, due: self.due(start.hold, cooldown, now) },
            (false, None) => Transition::Turn { edge: Edge::End, due: self.due(start.linger, cooldown, now) },
        }
    }

    /// Returns when a change that must last `delay` is due: not before the cooldown since the last one is over.
    fn due(&self, delay: Duration, cooldown: Option<Duration>, now: Timestamp) -> Timestamp {
        let lasted = later(now, delay);
        let cooled = cooldown.zip(self.changed_at).map(|(cooldown, at)| later(at, cooldown));
        cooled.map_or(lasted, |cooled| cooled.max(lasted))
    }
}
