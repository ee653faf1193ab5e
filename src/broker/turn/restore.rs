//! The broker begins where it ended, by what was kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::expected::{ExpectedClient, WILL_AFTER};
use crate::broker::filter::Filter;
use crate::broker::keep::{KeptFlight, KeptMessage, KeptRetained, KeptSession, KeptSubscription, Key};
use crate::broker::limits::Settings;
use crate::broker::packet::PacketId;
use crate::broker::routing::{Posted, RetainedMessage};
use crate::broker::session::{Counts, Incoming, Outgoing, Phase, Session, SessionSlot, Subscription};
use crate::broker::timers::Timer;
use crate::broker::{Broker, RetainedView};

/// What was kept of one session.
#[derive(Default)]
struct Parts {
    session: Option<KeptSession>,
    subscriptions: BTreeMap<Filter, Subscription>,
    messages: BTreeMap<u64, KeptMessage>,
    flights: BTreeMap<u64, KeptFlight>,
    incoming: Vec<PacketId>,
    keys: Vec<Key>,
}

impl Broker {
    /// Begins with what was kept; also returns the keys whose values can't be read.
    #[must_use]
    pub fn restore(
        now: Timestamp,
        settings: Settings,
        kept: impl IntoIterator<Item = (Arc<str>, Vec<u8>)>,
    ) -> (Broker, Vec<Arc<str>>) {
        let mut broker = Broker::new(now, settings);
        let mut sessions: BTreeMap<u64, Parts> = BTreeMap::new();
        let mut unreadable = Vec::new();
        for (text, value) in kept {
            let is_read = Key::parse(&text).and_then(|key| broker.take_kept(key, &value, &mut sessions));
            if is_read.is_none() {
                unreadable.push(text);
            }
        }
        broker.restore_sessions(sessions);
        broker.forget_expired();
        (broker, unreadable)
    }

    /// Takes over what another program retained, unless something is retained there already: it counts as kept from now on.
    pub fn take_over_retained(&mut self, now: Timestamp, message: &RetainedView) {
        self.tell_time(now);
        if self.retained.get(message.topic.as_str()).is_some() {
            return;
        }
        let RetainedView { topic, payload, qos, at, client, expires_at, properties } = message.clone();
        let (at, expires_at) = (self.told_of(at), expires_at.map(|at| self.told_of(at)));
        let posted = Posted { topic, payload, qos, retain: true, expires_at, properties, rule: None };
        let message = RetainedMessage { posted: Arc::new(posted), at, client };
        let key = Key::Retained(message.posted.topic.text());
        self.keep(&key, Some(KeptRetained::write(&message, self.skew)));
        self.retained.insert(message);
    }

    fn take_kept(&mut self, key: Key, value: &[u8], sessions: &mut BTreeMap<u64, Parts>) -> Option<()> {
        if let Key::Retained(topic) = &key {
            self.retained.insert(KeptRetained::read(topic, value)?);
            return Some(());
        }
        let number = key.session()?;
        self.sessions.reserve(number);
        let parts = sessions.entry(number).or_default();
        match &key {
            Key::Session(_) => parts.session = Some(KeptSession::read(value)?),
            Key::Subscription(_, filter) => {
                let subscription = KeptSubscription::read(value)?;
                parts.subscriptions.insert(Filter::parse(filter).ok()?, subscription);
            }
            Key::Message(_, sequence) => {
                parts.messages.insert(*sequence, KeptMessage::read(*sequence, value)?);
            }
            Key::Flight(_, sequence) => {
                parts.flights.insert(*sequence, KeptFlight::read(value)?);
            }
            Key::Incoming(_, id) => parts.incoming.push(*id),
            Key::Retained(_) => {}
        }
        parts.keys.push(key);
        Some(())
    }

    fn restore_sessions(&mut self, sessions: BTreeMap<u64, Parts>) {
        // Of two sessions of one client the later one counts: the other had ended with us.
        let number = |(number, parts): (&u64, &Parts)| Some((Arc::clone(&parts.session.as_ref()?.who.client), *number));
        let latest: BTreeMap<Arc<str>, u64> = sessions.iter().filter_map(number).collect();
        let mut expected = Vec::new();
        let mut restored = Vec::new();
        for (number, mut parts) in sessions {
            let session = parts.session.take().filter(|session| latest.get(&session.who.client) == Some(&number));
            match session {
                Some(session) if !session.expiry.is_zero() => {
                    restored.push((self.restore_session(number, session, &mut parts), parts));
                }
                Some(session) if session.away_since.is_none() => {
                    let beside = |key: &&Key| !matches!(key, Key::Session(_) | Key::Subscription(..));
                    for key in parts.keys.iter().filter(beside) {
                        self.keep(key, None);
                    }
                    let filters = parts.subscriptions.into_keys();
                    expected.push(ExpectedClient::new(number, session, filters));
                }
                _ => {
                    for key in parts.keys {
                        self.keep(&key, None);
                    }
                }
            }
        }
        // Once all groups are known.
        for (slot, parts) in restored {
            self.restore_messages(slot, parts);
        }
        self.expected.begin(self.now, expected.into_iter());
        if let Some(due) = self.expected.due() {
            self.timers.set(Timer::Held, due);
        }
    }

    fn restore_session(&mut self, number: u64, kept: KeptSession, parts: &mut Parts) -> SessionSlot {
        let KeptSession { who, version, is_bridge, expiry, away_since, will } = kept;
        let mut incoming = Incoming::default();
        for id in &parts.incoming {
            incoming.receive(*id);
        }
        let since = away_since.unwrap_or(self.now).min(self.now);
        let will_delay = will.as_ref().map(|will| Duration::from_secs(will.delay.into()));
        let slot = self.sessions.insert(Session {
            number,
            who,
            version,
            is_bridge,
            conn: None,
            read_at: None,
            since,
            expiry,
            will,
            subscriptions: BTreeMap::new(),
            filter_bytes: 0,
            outgoing: Outgoing::default(),
            incoming,
            counts: Counts::default(),
            last_error: None,
        });
        for (filter, subscription) in std::mem::take(&mut parts.subscriptions) {
            self.add_subscription(slot, &filter, subscription);
        }
        let later = |delay: Duration| since.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.timers.set(Timer::Expiry(slot), later(expiry));
        match will_delay {
            Some(delay) if away_since.is_some() => {
                // Its client couldn't be back while we weren't here.
                let first = self.now.checked_add(WILL_AFTER).unwrap_or(Timestamp::MAX);
                self.timers.set(Timer::Will(slot), later(delay.min(expiry)).max(first));
            }
            Some(delay) => self.timers.set(Timer::Will(slot), later(delay.max(WILL_AFTER).min(expiry.max(WILL_AFTER)))),
            // From now on it counts as away. One with a will does once that is published.
            None if away_since.is_none() => self.keep_session(slot),
            None => {}
        }
        slot
    }

    fn restore_messages(&mut self, slot: SessionSlot, parts: Parts) {
        let Parts { messages, flights, .. } = parts;
        for (sequence, kept) in messages {
            let KeptMessage { mut entry, group, id } = kept;
            entry.copy.group = group.and_then(|group| self.groups.find(&group));
            let first = id.map(|id| KeptFlight { id, phase: Phase::Sent });
            let flight = flights.get(&sequence).copied().or(first).map(|flight| (flight.id, flight.phase));
            self.sessions.change(slot, |outgoing| outgoing.restore(entry, flight));
        }
    }
}
