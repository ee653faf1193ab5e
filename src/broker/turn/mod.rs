//! What the broker does, a file for each subject. Here: bytes in and out.

mod acknowledge;
mod connect;
mod crowd;
mod deliver;
mod end;
mod keep_all;
mod publish;
mod receive;
mod restore;
mod send;
mod subscribe;
mod tick;
mod will;

pub use publish::Besides;

use jiff::Timestamp;

use super::connection::{Conn, Link, Peer, Stage};
use super::happening::{End, Fault};
use super::limits::{ALL_BUFFERS, BEFORE_ADMISSION, MOST_ANSWERS, MOST_HELD, OUTPUT_FULL};
use super::packet::Version;
use super::reason::Reason;
use super::releases::{Held, Receipt};
use super::timers::Timer;
use super::{Broker, Happening};

impl Broker {
    /// Takes a new connection. `None`: there are as many as there may be, and all of them have been let in.
    pub fn open(&mut self, now: Timestamp, peer: Peer) -> Option<Conn> {
        self.tell_time(now);
        if self.connections.len() >= self.settings.limits.connections && !self.make_room() {
            self.stats.too_many_connections += 1;
            return None;
        }
        let conn = self.connections.open(self.now, peer, self.settings.limits.packet);
        let due = self.now.checked_add(self.settings.limits.connect_timeout).unwrap_or(Timestamp::MAX);
        self.timers.set(Timer::Connect(conn), due);
        Some(conn)
    }

    /// Closes the peer that has been silent for longest, so that those who don't say who they are keep nobody out. Returns
    /// whether there was one.
    fn make_room(&mut self) -> bool {
        let Some(conn) = self.timers.first_opening() else { return false };
        let words = "there are too many connections, and it hadn't said who it is";
        self.fail(conn, Fault::new(Reason::ServerBusy, words));
        true
    }

    /// Takes bytes that came; [`Broker::poll`] handles them.
    pub fn read(&mut self, now: Timestamp, conn: Conn, bytes: &[u8]) {
        self.tell_time(now);
        let Some(connection) = self.connections.get_mut(conn) else { return };
        if matches!(connection.stage, Stage::Closing) {
            return;
        }
        connection.heard_at = self.now;
        connection.input.push(bytes);
        self.buffered += bytes.len();
        self.stats.bytes_received += bytes.len() as u64;
        if self.buffered > ALL_BUFFERS {
            self.end_greediest();
        }
        self.make_ready(conn);
    }

    /// Ends the connection that has sent most of what can't be handled yet: not the one that happens to send now.
    fn end_greediest(&mut self) {
        let sent = |conn: &Conn| self.connections.get(*conn).map_or(0, |connection| connection.input.len());
        if let Some(conn) = self.connections.all().into_iter().max_by_key(sent) {
            let words = "all clients together send too much, and it sends most of it";
            self.fail(conn, Fault::new(Reason::QuotaExceeded, words));
        }
    }

    /// Takes note that a connection ended. What came before that is handled first.
    pub fn closed(&mut self, now: Timestamp, conn: Conn) {
        self.tell_time(now);
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.is_ended = true;
        if matches!(connection.stage, Stage::Closing) {
            self.forget_closed(conn);
        } else {
            self.make_ready(conn);
        }
    }

    /// Returns whether more may be read from a connection. Where not, ask again after the next turn.
    #[must_use]
    pub fn wants_input(&self, conn: Conn) -> bool {
        let Some(connection) = self.connections.get(conn) else { return false };
        match connection.stage {
            Stage::Closing => false,
            Stage::Opening | Stage::Admitting(_) => connection.input.len() < BEFORE_ADMISSION,
            Stage::Open(_) => !self.is_paused(conn),
        }
    }

    /// Returns a connection that has something to write, each one once.
    pub fn next_dirty(&mut self) -> Option<Conn> {
        loop {
            let conn = self.dirty.pop_front()?;
            if let Some(connection) = self.connections.get_mut(conn) {
                connection.is_dirty = false;
                return Some(conn);
            }
        }
    }

    /// Returns what may be written to a connection.
    #[must_use]
    pub fn output(&self, conn: Conn) -> &[u8] {
        self.connections.get(conn).map_or(&[], |connection| connection.output.ready())
    }

    /// Takes note that so many bytes of the output were written.
    pub fn wrote(&mut self, now: Timestamp, conn: Conn, written: usize) {
        self.tell_time(now);
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.output.wrote(written);
        self.buffered = self.buffered.saturating_sub(written);
        self.stats.bytes_sent += written as u64;
        if let Some(session) = connection.link().map(|link| link.session) {
            self.pump(session);
            self.make_ready_again(conn);
        }
    }

    /// Lets go what was held back: all that was told to be kept up to `receipt` is on the disk.
    pub fn release(&mut self, now: Timestamp, receipt: Receipt) {
        self.tell_time(now);
        self.speaker = None;
        while let Some((conn, held)) = self.releases.take(receipt) {
            if let Some(link) = self.connections.get_mut(conn).and_then(|connection| connection.link_mut()) {
                link.held = link.held.saturating_sub(1);
            }
            self.make_ready_again(conn);
            match held {
                Held::Packet(packet) => self.send(conn, &packet),
                Held::Answer(packet) => {
                    let Some(session) = self.session_of(conn) else { continue };
                    self.send(conn, &packet);
                    if let Some(session) = self.sessions.get_mut(session) {
                        session.incoming.acknowledge();
                    }
                }
                Held::Barrier => {
                    if let Some(connection) = self.connections.get_mut(conn) {
                        connection.output.lift();
                        self.mark_dirty(conn);
                    }
                }
            }
        }
    }

    /// Handles the next packet of a connection. Returns whether there may be another.
    pub(super) fn handle_next(&mut self, conn: Conn) -> bool {
        let Some(connection) = self.connections.get_mut(conn) else { return false };
        let version = match &connection.stage {
            Stage::Opening => None,
            Stage::Open(link) => Some(link.version),
            Stage::Admitting(_) => return false,
            Stage::Closing => {
                self.forget_closed(conn);
                return false;
            }
        };
        if version.is_some() && self.is_paused(conn) {
            return false;
        }
        let Some(connection) = self.connections.get_mut(conn) else { return false };
        let before = connection.input.len();
        let packet = connection.input.next();
        self.buffered = (self.buffered + connection.input.len()).saturating_sub(before);
        match packet {
            Ok(Some(packet)) => {
                self.stats.packets_received += 1;
                self.speaker = Some(conn);
                self.receive(conn, packet);
                true
            }
            Ok(None) => {
                if connection.is_ended {
                    self.end(conn, End::Lost);
                    self.forget_closed(conn);
                }
                false
            }
            Err(error) => {
                let fault = Fault::new(error.reason, error.message);
                let spoken = connection
                    .input
                    .version()
                    .or((fault.reason == Reason::UnsupportedProtocolVersion).then_some(Version::V311));
                match spoken.filter(|_| version.is_none()) {
                    Some(spoken) => self.refuse(conn, spoken, fault),
                    None => self.fail(conn, fault),
                }
                true
            }
        }
    }

    /// Returns whether nothing more is handled from a client for now: it sends too fast, it doesn't read our answers, or the
    /// disk is too slow.
    fn is_paused(&self, conn: Conn) -> bool {
        let Some(connection) = self.connections.get(conn) else { return false };
        let waiting = connection.output.len();
        let most = self.settings.limits.packet.saturating_add(MOST_ANSWERS);
        let is_deaf = waiting >= most || (self.buffered >= ALL_BUFFERS && waiting >= OUTPUT_FULL);
        let is_held = connection.link().is_some_and(|link| link.held >= MOST_HELD || self.owes_too_much(link));
        let waits = connection.link().is_some_and(|link| link.patience.is_waiting());
        is_held || is_deaf || waits || self.timers.due(Timer::Rate(conn)).is_some()
    }

    /// Returns whether so many of a client's messages wait for our disk that, if it counts, it sends no more (MQTT 5.0, 4.9). Some
    /// libraries don't count. What they send beyond that waits: only what they leave unfinished themselves is held against them.
    fn owes_too_much(&self, link: &Link) -> bool {
        let most = usize::from(self.settings.limits.inflight);
        let session = self.sessions.get(link.session).filter(|_| link.version == Version::V5 && most > 0);
        session.is_some_and(|session| session.incoming.unacknowledged() >= most)
    }

    /// Holds something back from a client until what was told to be kept is on the disk.
    fn hold_back(&mut self, conn: Conn, held: Held) {
        if let Some(link) = self.connections.get_mut(conn).and_then(|connection| connection.link_mut()) {
            link.held += 1;
        }
        self.releases.hold(conn, held);
    }

    fn make_ready(&mut self, conn: Conn) {
        if let Some(connection) = self.connections.get_mut(conn)
            && !connection.is_ready
        {
            connection.is_ready = true;
            self.ready.push_back(conn);
        }
    }

    /// Goes on with what a connection sent while it was paused.
    fn make_ready_again(&mut self, conn: Conn) {
        if self.connections.get(conn).is_some_and(|connection| connection.input.unseen() > 0 || connection.is_ended) {
            self.make_ready(conn);
        }
    }

    fn mark_dirty(&mut self, conn: Conn) {
        if let Some(connection) = self.connections.get_mut(conn)
            && !connection.is_dirty
        {
            connection.is_dirty = true;
            self.dirty.push_back(conn);
        }
    }

    /// Makes the place of a connection free once both sides are done with it.
    fn forget_closed(&mut self, conn: Conn) {
        if self.connections.get(conn).is_some_and(|connection| connection.is_ended)
            && let Some(connection) = self.connections.close(conn)
        {
            self.buffered = self.buffered.saturating_sub(connection.input.len() + connection.output.len());
        }
    }

    fn dismiss_connection(&mut self, conn: Conn) {
        if self.connections.get(conn).is_some_and(|connection| !connection.is_ended) {
            self.happened(Happening::Close(conn));
        }
    }
}
