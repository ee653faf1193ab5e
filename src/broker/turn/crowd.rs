//! A client's queue fills faster than the client reads: whoever publishes for it waits a moment, so that a burst is no loss.
//!
//! Only a client that does read is waited for, and each publisher waits only so long: a slow reader doesn't slow down a house.

use jiff::SignedDuration;

use crate::broker::Broker;
use crate::broker::connection::Conn;
use crate::broker::session::SessionSlot;
use crate::broker::timers::Timer;

/// A client that hasn't acknowledged anything for so long isn't waited for.
const READS: SignedDuration = SignedDuration::from_millis(200);

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
        let Some(due) = link.patience.start(now, slot) else { return };
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
        let Some(slot) = link.patience.stop(now) else { return };
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
