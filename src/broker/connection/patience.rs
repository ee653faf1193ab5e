//! How long a publisher waits for a client whose queue fills faster than it reads.

use std::time::Duration;

use jiff::Timestamp;

use crate::broker::session::SessionSlot;

/// A publisher waits so long at a stretch.
pub(in crate::broker) const PATIENCE: Duration = Duration::from_secs(1);

/// And, over time, so little of it: one twentieth.
const REGAINED: u32 = 20;

/// With less than this left, it doesn't wait any more.
const LEAST: Duration = Duration::from_millis(5);

/// What a publisher waits for, and how long it still may.
#[derive(Debug, Clone, Copy)]
pub(in crate::broker) struct Patience {
    /// Whose queue, and since when; `None`: it doesn't wait.
    crowd: Option<(SessionSlot, Timestamp)>,
    left: Duration,
    /// When that was true.
    at: Timestamp,
}

impl Patience {
    pub(in crate::broker) fn new(now: Timestamp) -> Patience {
        Patience { crowd: None, left: PATIENCE, at: now }
    }

    pub(in crate::broker) fn is_waiting(&self) -> bool {
        self.crowd.is_some()
    }

    /// Begins to wait for a client, if it isn't waiting and has patience left. Returns until when at most.
    pub(in crate::broker) fn start(&mut self, now: Timestamp, slot: SessionSlot) -> Option<Timestamp> {
        if self.is_waiting() {
            return None;
        }
        let passed = Duration::try_from(now.duration_since(self.at)).unwrap_or_default();
        self.left = (self.left + passed / REGAINED).min(PATIENCE);
        self.at = now;
        if self.left < LEAST {
            return None;
        }
        self.crowd = Some((slot, now));
        Some(now.checked_add(self.left).unwrap_or(Timestamp::MAX))
    }

    /// Ends the wait. Returns for whom it was.
    pub(in crate::broker) fn stop(&mut self, now: Timestamp) -> Option<SessionSlot> {
        let (slot, since) = self.crowd.take()?;
        let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        self.left = self.left.saturating_sub(waited);
        self.at = now;
        Some(slot)
    }
}
