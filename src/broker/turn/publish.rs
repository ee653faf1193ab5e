//! A client, or a rule, publishes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::access::Identity;
use crate::broker::connection::Conn;
use crate::broker::happening::{Drop, Fault, Published};
use crate::broker::keep::{KeptRetained, Key};
use crate::broker::limits::or_unlimited;
use crate::broker::packet::{Ack, Packet, PacketId, Properties, Publish, Version};
use crate::broker::reason::Reason;
use crate::broker::routing::{Posted, RetainedMessage};
use crate::broker::session::SessionSlot;
use crate::broker::timers::Timer;
use crate::broker::{Broker, Happening};
use crate::model::{Message, Origin, Payload, Qos, Topic};

/// What may be said of a message of our own besides what it says itself.
#[derive(Debug, Clone, Default)]
pub struct Besides {
    /// Its properties; `None`: it has none.
    pub properties: Option<Arc<Properties>>,
    /// The rule that publishes it. Only recorders are told: see [`crate::broker::RECORDERS`].
    pub rule: Option<Arc<str>>,
}

impl Broker {
    /// Routes what a rule, or homerule itself, publishes. It doesn't come back as [`Happening::Published`].
    pub fn publish(&mut self, now: Timestamp, message: &Message, besides: Besides) {
        self.tell_time(now);
        let Besides { properties, rule } = besides;
        let posted = Arc::new(Posted {
            topic: message.topic.clone(),
            payload: message.payload.bytes().clone(),
            qos: message.qos,
            retain: message.retain,
            expires_at: message.expires_at.map(|at| self.told_of(at)),
            properties,
            rule,
        });
        if posted.retain && !self.retain(&posted, None) {
            *self.stats.dropped.entry(Drop::RetainedFull).or_default() += 1;
        }
        self.hold_for_expected(&posted);
        self.route(&posted, None);
    }

    /// Publishes what a rule had published just before we ended, and may not have left: sessions that outlive their connection,
    /// and what is retained, have it by what was kept with it. Those whose session ended with us get it if they come back.
    pub fn publish_again(&mut self, now: Timestamp, message: &Message) {
        self.tell_time(now);
        self.hold_for_expected(&Arc::new(Posted {
            topic: message.topic.clone(),
            payload: message.payload.bytes().clone(),
            qos: message.qos,
            retain: message.retain,
            expires_at: message.expires_at.map(|at| self.told_of(at)),
            properties: None,
            rule: None,
        }));
    }

    /// Holds what a rule published for those who were here before the start and aren't back. What is retained needs no
    /// holding.
    fn hold_for_expected(&mut self, posted: &Arc<Posted>) {
        if self.expected.is_empty() || posted.retain {
            return;
        }
        let sessions = &self.sessions;
        let topic = posted.topic.as_str();
        let gets_it = |client: &str| {
            let session = sessions.find(client).and_then(|slot| sessions.get(slot));
            session.is_some_and(|session| session.subscriptions.keys().any(|filter| filter.matches(topic)))
        };
        for client in self.expected.hold(posted, gets_it) {
            self.happened(Happening::Held { client, topic: posted.topic.clone() });
        }
    }

    pub(super) fn receive_publish(&mut self, conn: Conn, slot: SessionSlot, publish: Publish) {
        let Publish { qos, retain, topic, id, alias, expiry, properties, payload, .. } = publish;
        let rate = self.settings.limits.messages_per_second;
        let most = usize::from(self.settings.limits.inflight);
        let now = self.now;
        let Some(link) = self.connections.get_mut(conn).and_then(|connection| connection.link_mut()) else { return };
        let version = link.version;
        let topic = match link.inbound.resolve(topic, alias) {
            Ok(topic) => topic,
            Err(fault) => return self.fail(conn, fault),
        };
        if rate > 0 {
            self.spend(conn, rate);
        }
        self.stats.messages_received += 1;
        let Some(session) = self.sessions.get_mut(slot) else { return };
        session.counts.received += 1;
        let is_known = qos == Qos::ExactlyOnce && id.is_some_and(|id| session.incoming.has(id));
        if is_known {
            if let Some(id) = id {
                self.hold(conn, slot, Packet::PubRec(Ack::success(id)));
            }
            return;
        }
        if version == Version::V5 && id.is_some() && most > 0 && session.incoming.unreleased() >= most {
            let words = "more messages are on their way than our receive maximum";
            return self.fail(conn, Fault::new(Reason::ReceiveMaximumExceeded, words));
        }
        let expires_at = expiry.and_then(|seconds| now.checked_add(Duration::from_secs(seconds.into())).ok());
        let posted = Posted { topic, payload, qos, retain, expires_at, properties, rule: None };
        let who = session.who.clone();
        let reason = match self.fault_of_topic(&who, &posted.topic) {
            Some((why, reason)) => {
                self.dropped(Some(slot), &who.client, posted.topic.text(), why);
                reason
            }
            None => self.take_message(slot, who.client, posted),
        };
        if let Some(id) = id {
            self.acknowledge(conn, slot, version, qos, Ack::new(id, reason));
        }
    }

    /// Answers a message with `QoS` 1 or 2.
    fn acknowledge(&mut self, conn: Conn, slot: SessionSlot, version: Version, qos: Qos, ack: Ack) {
        if qos != Qos::ExactlyOnce {
            self.hold(conn, slot, Packet::PubAck(ack));
            return;
        }
        // Before MQTT 5.0 nothing can be refused, and the client releases it as any other. What is retained no more was
        // delivered all the same.
        if version != Version::V5 || !ack.reason.is_error() {
            let id: PacketId = ack.id;
            if let Some(session) = self.sessions.get_mut(slot) {
                session.incoming.receive(id);
            }
            self.keep_incoming(slot, id);
        }
        self.hold(conn, slot, Packet::PubRec(ack));
    }

    /// Returns why `who` may not publish to a topic.
    pub(super) fn fault_of_topic(&self, who: &Identity, topic: &Topic) -> Option<(Drop, Reason)> {
        let text = topic.as_str();
        if text.starts_with('$') {
            return Some((Drop::Reserved, Reason::TopicNameInvalid));
        }
        let levels = 1 + text.bytes().filter(|byte| *byte == b'/').count();
        if levels > self.settings.limits.topic_levels {
            return Some((Drop::TooManyLevels, Reason::TopicNameInvalid));
        }
        let may = self.acl.may_publish(who, topic);
        (!may).then_some((Drop::PublishDenied, Reason::NotAuthorized))
    }

    /// Takes what a client published: keeps it if it is to be retained, routes it, and tells of it.
    fn take_message(&mut self, slot: SessionSlot, client: Arc<str>, posted: Posted) -> Reason {
        let posted = Arc::new(posted);
        let is_kept = !posted.retain || self.retain(&posted, Some(&client));
        if !is_kept {
            self.dropped(Some(slot), &client, posted.topic.text(), Drop::RetainedFull);
        }
        self.route(&posted, Some(slot));
        let published = self.published(&posted, client, false);
        self.happened(published);
        if is_kept { Reason::Success } else { Reason::QuotaExceeded }
    }

    /// Keeps a message as its topic's retained one; an empty one removes it (MQTT 5.0, 3.3.1-6). Returns whether it could.
    pub(super) fn retain(&mut self, posted: &Arc<Posted>, client: Option<&Arc<str>>) -> bool {
        let key = Key::Retained(posted.topic.text());
        if posted.payload.is_empty() {
            if self.retained.remove(posted.topic.as_str()) {
                self.keep(&key, None);
            }
            return true;
        }
        let (count, bytes) = self.retained.with(posted);
        let limits = &self.settings.limits;
        if count > or_unlimited(limits.retained) || bytes > or_unlimited(limits.retained_bytes) {
            return false;
        }
        let message = RetainedMessage { posted: Arc::clone(posted), at: self.now, client: client.cloned() };
        let value = KeptRetained::write(&message, self.skew);
        self.retained.insert(message);
        self.keep(&key, Some(value));
        self.time_retained();
        true
    }

    /// Sets the timer of what is retained for a time only.
    pub(super) fn time_retained(&mut self) {
        match self.retained.next_expiry() {
            Some(due) => self.timers.set(Timer::Retained, due),
            None => self.timers.stop(Timer::Retained),
        }
    }

    /// Counts a message against what a client may publish in a second. Beyond, nothing is handled until that is over.
    fn spend(&mut self, conn: Conn, rate: u32) {
        let now = self.now;
        let Some(link) = self.connections.get_mut(conn).and_then(|connection| connection.link_mut()) else { return };
        let begins_anew = now.duration_since(link.allowed_at).as_millis() >= 1000;
        if begins_anew {
            link.allowance = rate;
            link.allowed_at = now;
        }
        link.allowance = link.allowance.saturating_sub(1);
        if link.allowance == 0 {
            let due = link.allowed_at.checked_add(Duration::from_secs(1)).unwrap_or(Timestamp::MAX);
            self.timers.set(Timer::Rate(conn), due);
        }
    }

    /// Returns what rules are told of a message.
    pub(super) fn published(&self, posted: &Posted, client: Arc<str>, is_will: bool) -> Happening {
        let message = Message {
            topic: posted.topic.clone(),
            payload: Payload::from_bytes(posted.payload.clone()),
            qos: posted.qos,
            retain: posted.retain,
            origin: Origin::Live,
            expires_at: posted.expires_at.map(|at| self.by_the_clock(at)),
        };
        Happening::Published(Published { message, properties: posted.properties.clone(), client, is_will })
    }
}
