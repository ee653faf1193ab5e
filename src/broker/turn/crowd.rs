//! A client's queue fills faster than the client reads: whoever publishes for it waits a moment, so that a burst is no loss.
//!
//! Only a client that does read is waited for, and each publisher waits only so long: a slow reader doesn't slow down a house.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::broker::Broker;
use crate::broker::connection::Conn;
use crate::broker::session::SessionSlot;
use crate::broker::timers::Timer;

/// A client that hasn't acknowledged anything for so long isn't waited for.
const READS: SignedDuration = SignedDuration::from_millis(200);

/// A publisher waits so long at a stretch.
pub(in crate::broker) const PATIENCE: Duration = Duration::from_secs(1);

/// And, over time, so little of it: one twentieth.
const REGAINED: u32 = 20;

/// With less than this left, it doesn't wait any more.
const LEAST: Duration = Duration::from_millis(5);

/// What a publisher waits for, and how long it still may.
#[derive(Debug, Clone, Copy)]
pub(in crate::broker) struct Waiting {
    /// Whose queue, and since when; `None`: it doesn't wait.
    pub(in crate::broker) crowd: Option<(SessionSlot, Timestamp)>,
    left: Duration,
    /// When that was true.
    at: Timestamp,
}

impl Waiting {
    pub(in crate::broker) fn new(now: Timestamp) -> Waiting {
        Waiting { crowd: None, left: PATIENCE, at: now }
    }

    /// Regains what comes with time.
    fn regain(&mut self, now: Timestamp) {
        let passed = Duration::try_from(now.duration_since(self.at)).unwrap_or_default();
        self.left = (self.left + passed / REGAINED).min(PATIENCE);
        self.at = now;
    }
}

impl Broker {
    /// Takes note that a message was put into a client's queue: whoever is speaking may have to wait.
    pub(super) fn note_crowd(&mut self, slot: SessionSlot) {
        let most = self.settings.limits.queued_messages;
        let now = self.now;
        let Some(session) = self.sessions.get(slot) else { return };
        let reads = session.read_at.is_some_and(|at| now.duration_since(at) <= READS);
        let is_crowded = most > 0 && session.outgoing.len() >= most.div_ceil(2);
        let reader = session.conn;
        let Some(speaker) = self.speaker.filter(|speaker| is_crowded && reads && reader != Some(*speaker)) else {
            return;
        };
        let Some(link) = self.connections.get_mut(speaker).and_then(|connection| connection.link_mut()) else { return };
        if link.waiting.crowd.is_some() {
            return;
        }
        link.waiting.regain(now);
        if link.waiting.left < LEAST {
            return;
        }
        link.waiting.crowd = Some((slot, now));
        let due = now.checked_add(link.waiting.left).unwrap_or(Timestamp::MAX);
        self.timers.set(Timer::Crowd(speaker), due);
        self.crowds.entry(slot).or_default().push(speaker);
    }

    /// Takes note that a client has acknowledged something: those who wait for it may go on.
    pub(super) fn note_reading(&mut self, slot: SessionSlot) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.read_at = Some(now);
        let most = self.settings.limits.queued_messages;
        if session.outgoing.len() <= most / 4 {
            self.end_crowd(slot);
        }
    }

    /// Lets all who wait for a client go on.
    pub(super) fn end_crowd(&mut self, slot: SessionSlot) {
        for speaker in self.crowds.remove(&slot).unwrap_or_default() {
            self.stop_waiting(speaker);
        }
    }

    /// Lets a publisher go on.
    pub(super) fn stop_waiting(&mut self, conn: Conn) {
        let now = self.now;
        self.timers.stop(Timer::Crowd(conn));
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let Some(link) = connection.link_mut() else { return };
        let Some((slot, since)) = link.waiting.crowd.take() else { return };
        let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        link.waiting.left = link.waiting.left.saturating_sub(waited);
        link.waiting.at = now;
        // Meanwhile it couldn't be heard.
        connection.heard_at = now;
        if let Some(waiting) = self.crowds.get_mut(&slot) {
            waiting.retain(|other| *other != conn);
            if waiting.is_empty() {
                self.crowds.remove(&slot);
            }
        }
        self.make_ready(conn);
        self.mark_dirty(conn);
    }
}
