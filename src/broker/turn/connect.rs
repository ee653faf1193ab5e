//! A client comes: it is let in or not, and finds its session.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::access::Identity;
use crate::broker::codec;
use crate::broker::connection::{Conn, InboundAliases, Link, OutboundAliases, Patience, Stage};
use crate::broker::happening::{Connected, Credentials, End, Fault, Refused, Verdict};
use crate::broker::limits::TOPIC_ALIASES;
use crate::broker::packet::{ConnAck, ConnAckProperties, Connect, Packet, Version};
use crate::broker::reason::Reason;
use crate::broker::session::{Counts, Incoming, Outgoing, Session, SessionSlot};
use crate::broker::timers::Timer;
use crate::broker::{Broker, Happening, OWN_ID, RECORDERS};

/// A session of MQTT 5.0 that lasts for ever (3.1.2.11.2).
const FOR_EVER: u32 = u32::MAX;

/// Returns how long a session outlives its connection.
pub(super) fn session_expiry(asked: u32, longest: Duration) -> Duration {
    if asked == FOR_EVER { longest } else { Duration::from_secs(asked.into()).min(longest) }
}

impl Broker {
    /// Takes the shell's answer to [`Happening::Admit`].
    pub fn admit(&mut self, now: Timestamp, conn: Conn, verdict: Verdict) {
        self.tell_time(now);
        let Some(connection) = self.connections.get_mut(conn) else { return };
        // Else it was refused meanwhile: it took too long.
        let Stage::Admitting(connect) = &mut connection.stage else { return };
        let connect = connect.clone();
        connection.stage = Stage::Opening;
        match verdict {
            Verdict::Refused(reason) => {
                self.refuse_client(conn, &connect, Fault::new(reason, refusal(reason, connect.user.is_some())));
            }
            Verdict::Accepted(user) => self.let_in(conn, *connect, user),
        }
        self.make_ready_again(conn);
    }

    pub(super) fn connect(&mut self, conn: Conn, connect: Box<Connect>) {
        if let Some(fault) = fault_of(&connect) {
            self.refuse_client(conn, &connect, fault);
            return;
        }
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let credentials = Credentials {
            peer: connection.peer.clone(),
            client: Arc::clone(&connect.client_id),
            user: connect.user.clone(),
            password: connect.password.clone(),
        };
        connection.stage = Stage::Admitting(connect);
        // From here on it waits for us.
        self.timers.stop(Timer::Connect(conn));
        self.happened(Happening::Admit(conn, credentials));
    }

    fn refuse_client(&mut self, conn: Conn, connect: &Connect, fault: Fault) {
        self.send_refusal(conn, connect.version, fault, largest_packet(connect));
        self.refused(conn, Some(Arc::clone(&connect.client_id)), Some(fault));
    }

    /// Tells a peer that it isn't let in.
    pub(super) fn refuse(&mut self, conn: Conn, version: Version, fault: Fault) {
        self.send_refusal(conn, version, fault, usize::MAX);
        self.refused(conn, None, Some(fault));
    }

    fn send_refusal(&mut self, conn: Conn, version: Version, fault: Fault, largest: usize) {
        let is_no_connect = matches!(fault.reason, Reason::MalformedPacket | Reason::ProtocolError);
        if version != Version::V5 && is_no_connect {
            // What isn't a CONNECT of theirs gets no CONNACK (MQTT 3.1.1, 3.1.4-1).
            return;
        }
        // Words are left out where they are too many, and all where nothing fits (MQTT 5.0, 3.1.2-24).
        for reason_string in [Some(fault.words.into()), None] {
            let properties = ConnAckProperties { reason_string, ..ConnAckProperties::default() };
            let answer = ConnAck { session_present: false, reason: fault.reason, properties };
            let answer = Packet::ConnAck(Box::new(answer));
            if size(&answer, version) <= largest {
                self.send_as(conn, version, &answer);
                return;
            }
        }
    }

    /// Ends the connection of a peer that isn't in.
    pub(super) fn refused(&mut self, conn: Conn, client: Option<Arc<str>>, fault: Option<Fault>) {
        let Some(connection) = self.connections.get_mut(conn) else { return };
        let peer = connection.peer.clone();
        self.stats.refused += 1;
        self.stop_reading(conn);
        self.happened(Happening::Refused(Refused { peer, client, fault }));
        self.dismiss_connection(conn);
    }

    fn let_in(&mut self, conn: Conn, mut connect: Connect, user: Option<Arc<str>>) {
        let assigned = connect.client_id.is_empty().then(|| self.take_client_id());
        if let Some(id) = &assigned {
            connect.client_id = Arc::clone(id);
        }
        if size(&self.connack(&connect, false, assigned.clone()), connect.version) > largest_packet(&connect) {
            let words = "it takes no packet that says what must be said";
            self.refuse_client(conn, &connect, Fault::new(Reason::PacketTooLarge, words));
            return;
        }
        let of_another = self.session_of_another(&connect, user.as_ref());
        if of_another.is_some_and(|old| self.sessions.get(old).is_some_and(|session| session.conn.is_some())) {
            let words = "its client identifier is in use by another user";
            self.refuse_client(conn, &connect, Fault::new(Reason::NotAuthorized, words));
            return;
        }
        let took_over = self.take_over(&connect);
        if (connect.clean_start || of_another.is_some())
            && let Some(old) = self.sessions.find(&connect.client_id)
        {
            self.end_session(old);
        }
        let known = self.sessions.find(&connect.client_id);
        if known.is_none() && self.sessions.len() >= self.settings.limits.sessions {
            self.refuse_client(conn, &connect, Fault::new(Reason::QuotaExceeded, "there are too many sessions"));
            return;
        }
        if let Some((number, filters)) = self.expected.is_back(&connect.client_id) {
            self.forget_kept_session(number, filters);
        }
        let slot = self.begin_session(conn, &connect, user, known);
        self.open_link(conn, slot, &connect);
        self.connected += 1;
        self.stats.connects += 1;
        self.stats.most_connected = self.stats.most_connected.max(self.connected);
        self.tell_connected(conn, slot, known.is_some(), took_over);
        let answer = self.connack(&connect, known.is_some(), assigned);
        self.send(conn, &answer);
        self.pump(slot);
    }

    /// Returns the session with a client's identifier that another user began: it's neither taken over nor continued by this one.
    fn session_of_another(&self, connect: &Connect, user: Option<&Arc<str>>) -> Option<SessionSlot> {
        let slot = self.sessions.find(&connect.client_id)?;
        let owner = self.sessions.get(slot)?.who.user.as_ref()?;
        (Some(owner) != user).then_some(slot)
    }

    /// Ends the connection that the client has, if it has one.
    fn take_over(&mut self, connect: &Connect) -> bool {
        let Some(slot) = self.sessions.find(&connect.client_id) else { return false };
        let Some(old) = self.sessions.get(slot).and_then(|session| session.conn) else { return false };
        self.stats.takeovers += 1;
        self.say_goodbye(old, Reason::SessionTakenOver, None);
        self.end(old, End::TakenOver);
        true
    }

    /// Returns the session of a client that is let in: the one it had, or a new one.
    fn begin_session(
        &mut self,
        conn: Conn,
        connect: &Connect,
        user: Option<Arc<str>>,
        known: Option<SessionSlot>,
    ) -> SessionSlot {
        let longest = self.settings.session_expiry;
        let expiry = match (connect.version, connect.session_expiry) {
            (Version::V5, asked) => session_expiry(asked.unwrap_or(0), longest),
            (Version::V31 | Version::V311, _) if connect.clean_start => Duration::ZERO,
            (Version::V31 | Version::V311, _) => longest,
        };
        let who = Identity { user, client: Arc::clone(&connect.client_id) };
        let slot = known.unwrap_or_else(|| {
            let number = self.sessions.take_number();
            self.sessions.insert(Session {
                number,
                who: who.clone(),
                version: connect.version,
                is_bridge: connect.is_bridge,
                conn: None,
                read_at: None,
                since: self.now,
                expiry,
                will: None,
                subscriptions: BTreeMap::new(),
                filter_bytes: 0,
                outgoing: Outgoing::default(),
                incoming: Incoming::default(),
                counts: Counts::default(),
                last_error: None,
            })
        });
        self.timers.stop(Timer::Will(slot));
        self.timers.stop(Timer::Expiry(slot));
        if expiry.is_zero() {
            // What waits goes with the connection now.
            self.forget_waiting(slot);
        }
        if let Some(session) = self.sessions.get_mut(slot) {
            session.who = who;
            session.version = connect.version;
            session.is_bridge = connect.is_bridge;
            session.conn = Some(conn);
            session.since = self.now;
            session.expiry = expiry;
            session.will.clone_from(&connect.will);
            session.counts = Counts::default();
        }
        self.keep_session(slot);
        slot
    }

    fn open_link(&mut self, conn: Conn, session: SessionSlot, connect: &Connect) {
        let limits = &self.settings.limits;
        let keep_alive = Duration::from_secs(connect.keep_alive.into());
        let silence = (!keep_alive.is_zero()).then(|| keep_alive.mul_f64(1.5));
        let wanted = connect.receive_maximum.map_or(u16::MAX, NonZeroU16::get);
        let link = Link {
            session,
            version: connect.version,
            silence,
            window: if limits.inflight == 0 { wanted } else { limits.inflight.min(wanted) },
            largest_packet: largest_packet(connect),
            is_recorder: connect.client_id.starts_with(RECORDERS) && connect.version == Version::V5,
            wants_words: connect.request_problem_information,
            inbound: InboundAliases::default(),
            outbound: OutboundAliases::new(connect.topic_alias_maximum),
            held: 0,
            patience: Patience::new(self.now),
            allowance: limits.messages_per_second,
            allowed_at: self.now,
        };
        if let Some(connection) = self.connections.get_mut(conn) {
            connection.stage = Stage::Open(Box::new(link));
            connection.heard_at = self.now;
        }
        self.timers.stop(Timer::Connect(conn));
        if let Some(due) = silence.and_then(|silence| self.now.checked_add(silence).ok()) {
            self.timers.set(Timer::KeepAlive(conn), due);
        }
    }

    /// Returns what tells a client that it's in.
    fn connack(&self, connect: &Connect, session_present: bool, assigned: Option<Arc<str>>) -> Packet {
        let limits = &self.settings.limits;
        let longest = self.settings.session_expiry;
        let given = |asked: u32| session_expiry(asked, longest).as_secs();
        let is_cut = |asked: &u32| u64::from(*asked) != given(*asked);
        let properties = ConnAckProperties {
            session_expiry: connect.session_expiry.filter(is_cut).and_then(|asked| u32::try_from(given(asked)).ok()),
            receive_maximum: NonZeroU16::new(limits.inflight),
            maximum_packet_size: u32::try_from(limits.packet).ok().and_then(NonZeroU32::new),
            assigned_client_id: assigned,
            topic_alias_maximum: TOPIC_ALIASES,
            server_keep_alive: None,
            reason_string: None,
        };
        Packet::ConnAck(Box::new(ConnAck { session_present, reason: Reason::Success, properties }))
    }

    fn tell_connected(&mut self, conn: Conn, slot: SessionSlot, session_present: bool, took_over: bool) {
        let (Some(session), Some(connection)) = (self.sessions.get(slot), self.connections.get(conn)) else { return };
        let connected = Connected {
            client: Arc::clone(&session.who.client),
            user: session.who.user.clone(),
            peer: connection.peer.clone(),
            version: session.version,
            session_present,
            took_over,
        };
        self.happened(Happening::Connected(connected));
    }

    /// Returns an identifier that no client has.
    fn take_client_id(&mut self) -> Arc<str> {
        loop {
            self.named += 1;
            // SplitMix64: the same seed names the same clients, and another start others.
            let mut bits = self.settings.seed.wrapping_add(self.named.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let id = format!("auto-{:016x}", bits ^ (bits >> 31));
            if self.sessions.find(&id).is_none() {
                return id.into();
            }
        }
    }
}

/// Returns why a client isn't let in, in words.
fn refusal(reason: Reason, has_user: bool) -> &'static str {
    match reason {
        Reason::NotAuthorized if has_user => "the user or the password is wrong",
        Reason::NotAuthorized => "a user and a password are needed here",
        Reason::ConnectionRateExceeded => "it has to wait after several wrong passwords",
        _ => "it may not connect",
    }
}

/// Returns the bytes of the largest packet that a client takes.
fn largest_packet(connect: &Connect) -> usize {
    let largest = connect.maximum_packet_size.map_or(u32::MAX, NonZeroU32::get);
    usize::try_from(largest).unwrap_or(usize::MAX)
}

/// Returns the bytes that a packet takes.
fn size(packet: &Packet, version: Version) -> usize {
    let mut bytes = Vec::new();
    codec::encode(packet, version, &mut bytes);
    bytes.len()
}

/// Returns what is wrong with a request to be let in.
fn fault_of(connect: &Connect) -> Option<Fault> {
    if connect.authentication_method.is_some() {
        return Some(Fault::new(Reason::BadAuthenticationMethod, "enhanced authentication isn't offered"));
    }
    if *connect.client_id == *OWN_ID {
        return Some(Fault::new(Reason::ClientIdentifierNotValid, "the client identifier is the broker's own"));
    }
    // MQTT 3.1.1, 3.1.3-8. In 3.1 an identifier has at least one character; its clean sessions may do without.
    if connect.client_id.is_empty() && !connect.clean_start && connect.version != Version::V5 {
        let words = "a session that outlives its connection needs a client identifier";
        return Some(Fault::new(Reason::ClientIdentifierNotValid, words));
    }
    None
}
