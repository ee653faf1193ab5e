//! Connections and sessions end.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::connection::{Conn, Link, Stage};
use crate::broker::happening::{Disconnected, End, Fault};
use crate::broker::keep::Key;
use crate::broker::packet::{Disconnect, Packet, PacketId, Version};
use crate::broker::reason::Reason;
use crate::broker::routing::Entry;
use crate::broker::routing::Readiness;
use crate::broker::session::{Flight, Outgoing, SessionSlot};
use crate::broker::timers::Timer;
use crate::broker::{Broker, Happening};

impl Broker {
    /// Ends the connection of a client, by its identifier. Returns whether it was here.
    pub fn dismiss(&mut self, now: Timestamp, client: &str, reason: Reason) -> bool {
        self.tell_time(now);
        let session = self.sessions.find(client).and_then(|slot| self.sessions.get(slot));
        let Some(conn) = session.and_then(|session| session.conn) else { return false };
        self.say_goodbye(conn, reason, None);
        self.end(conn, End::Dismissed(reason));
        true
    }

    /// Ends all connections. Sessions stay as they are: after a restart, their clients count as having been here.
    pub fn stop(&mut self, now: Timestamp) {
        self.tell_time(now);
        for conn in self.connections.all() {
            self.say_goodbye(conn, Reason::ServerShuttingDown, None);
            let link = self.stop_reading(conn);
            if let Some(session) = link.and_then(|link| self.sessions.get_mut(link.session)) {
                let client = Arc::clone(&session.who.client);
                self.happened(Happening::Disconnected(Disconnected { client, reason: End::Stopping }));
            }
            self.dismiss_connection(conn);
        }
    }

    /// Ends a connection whose peer did something wrong.
    pub(super) fn fail(&mut self, conn: Conn, fault: Fault) {
        let Some(connection) = self.connections.get(conn) else { return };
        match &connection.stage {
            Stage::Closing => {}
            Stage::Opening => self.refused(conn, None, Some(fault)),
            Stage::Admitting(connect) => {
                let client = Arc::clone(&connect.client_id);
                self.refused(conn, Some(client), Some(fault));
            }
            Stage::Open(_) => {
                self.stats.faults += 1;
                self.say_goodbye(conn, fault.reason, Some(fault.words));
                self.end(conn, End::Fault(fault));
            }
        }
    }

    /// Tells a client of MQTT 5.0 why its connection ends. The older versions have no word for it.
    pub(super) fn say_goodbye(&mut self, conn: Conn, reason: Reason, words: Option<&'static str>) {
        let Some(link) = self.connections.get(conn).and_then(|connection| connection.link()) else { return };
        if link.version == Version::V5 {
            let reason_string = words.filter(|_| link.wants_words).map(Arc::from);
            self.send(conn, &Packet::Disconnect(Disconnect { reason, session_expiry: None, reason_string }));
        }
    }

    /// Ends a connection; what the peer was told last may still leave.
    pub(super) fn end(&mut self, conn: Conn, end: End) {
        let Some(connection) = self.connections.get(conn) else { return };
        match &connection.stage {
            Stage::Closing => return,
            Stage::Opening => return self.refused(conn, None, None),
            Stage::Admitting(connect) => {
                let client = Arc::clone(&connect.client_id);
                return self.refused(conn, Some(client), None);
            }
            Stage::Open(_) => {}
        }
        if let Some(link) = self.stop_reading(conn) {
            self.connected -= 1;
            self.stats.timeouts += u64::from(end == End::Silent);
            self.leave(link.session, end);
        }
        self.dismiss_connection(conn);
    }

    /// Takes nothing more from a connection. Returns the link of a client that was in.
    pub(super) fn stop_reading(&mut self, conn: Conn) -> Option<Box<Link>> {
        let connection = self.connections.get_mut(conn)?;
        self.buffered = self.buffered.saturating_sub(connection.input.len());
        connection.input.clear();
        self.stop_waiting(conn);
        let connection = self.connections.get_mut(conn)?;
        let stage = std::mem::replace(&mut connection.stage, Stage::Closing);
        for timer in [Timer::Connect(conn), Timer::KeepAlive(conn), Timer::Rate(conn)] {
            self.timers.stop(timer);
        }
        match stage {
            Stage::Open(link) => Some(link),
            Stage::Opening | Stage::Admitting(_) | Stage::Closing => None,
        }
    }

    /// Notes that a client is gone: its will may be due, and others get what it shared.
    fn leave(&mut self, slot: SessionSlot, end: End) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.conn = None;
        session.read_at = None;
        session.since = self.now;
        session.incoming.disconnect();
        session.last_error = end.error().or(session.last_error);
        let client = Arc::clone(&session.who.client);
        self.sessions.change(slot, Outgoing::disconnect);
        self.end_crowd(slot);
        self.happened(Happening::Disconnected(Disconnected { client, reason: end }));
        if self.sessions.get(slot).is_some_and(|session| !session.is_kept()) {
            self.end_session(slot);
            return;
        }
        self.share_again(slot, Readiness::Later);
        self.time_absence(slot, self.now);
        self.keep_session(slot);
    }

    /// Sets the timers of a session whose client is away since `since`.
    pub(super) fn time_absence(&mut self, slot: SessionSlot, since: Timestamp) {
        let Some(session) = self.sessions.get(slot) else { return };
        let ends_at = since.checked_add(session.expiry).unwrap_or(Timestamp::MAX);
        let delay = session.will.as_ref().map(|will| Duration::from_secs(will.delay.into()));
        self.timers.set(Timer::Expiry(slot), ends_at);
        match delay {
            Some(Duration::ZERO) => self.publish_will(slot),
            Some(delay) => {
                let due = since.checked_add(delay).unwrap_or(Timestamp::MAX);
                self.timers.set(Timer::Will(slot), due.min(ends_at));
            }
            None => {}
        }
    }

    /// Ends a session: its will is due at the latest now, and nothing of it is kept.
    pub(super) fn end_session(&mut self, slot: SessionSlot) {
        self.publish_will(slot);
        self.timers.stop(Timer::Will(slot));
        self.timers.stop(Timer::Expiry(slot));
        let Some(session) = self.sessions.get(slot) else { return };
        let filters: Vec<_> = session.subscriptions.keys().cloned().collect();
        // Before it leaves its groups: what came by them goes to others.
        self.share_again(slot, Readiness::Away);
        for filter in &filters {
            self.drop_subscription(slot, filter);
        }
        self.forget_waiting(slot);
        let Some(session) = self.sessions.remove(slot) else { return };
        let number = session.number;
        for filter in filters {
            self.keep(&Key::Subscription(number, Arc::clone(filter.text())), None);
        }
        self.keep(&Key::Session(number), None);
    }

    /// Forgets what is kept beside a session, but for its subscriptions.
    pub(super) fn forget_waiting(&mut self, slot: SessionSlot) {
        let Some(session) = self.sessions.get(slot) else { return };
        let number = session.number;
        let incoming: Vec<PacketId> = session.incoming.received().collect();
        let is_kept_apart = |flight: &Flight| flight.is_kept_apart;
        let waiting: Vec<(Entry, bool)> =
            session.outgoing.iter().map(|(entry, flight)| (entry.clone(), flight.is_some_and(is_kept_apart))).collect();
        for (entry, is_kept_apart) in waiting {
            self.forget_message(number, &entry, is_kept_apart);
        }
        for id in incoming {
            self.keep(&Key::Incoming(number, id), None);
        }
    }

    /// Forgets what is kept of a session that isn't there.
    pub(super) fn forget_kept_session(&mut self, number: u64, filters: impl IntoIterator<Item = Arc<str>>) {
        for filter in filters {
            self.keep(&Key::Subscription(number, filter), None);
        }
        self.keep(&Key::Session(number), None);
    }
}
