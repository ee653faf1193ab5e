//! Clients subscribe and unsubscribe.

use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::connection::Conn;
use crate::broker::filter::Filter;
use crate::broker::happening::Drop;
use crate::broker::keep::{KeptSession, KeptSubscription, Key};
use crate::broker::limits::{ALL_FILTERS, FILTER, FILTERS_OF_ONE, or_unlimited};
use crate::broker::packet::{Packet, RetainHandling, SubAck, Subscribe, SubscribeRequest, Unsubscribe};
use crate::broker::reason::Reason;
use crate::broker::routing::{Copy, Entry, Hit, Posted, Target};
use crate::broker::session::{Session, SessionSlot, Subscription};
use crate::broker::sys::SYS;
use crate::model::Qos;

use super::deliver::Kind;
use super::send::Fan;

impl Broker {
    pub(super) fn receive_subscribe(&mut self, conn: Conn, slot: SessionSlot, subscribe: Subscribe) {
        let Subscribe { id, subscription_id, requests } = subscribe;
        let mut reasons = Vec::with_capacity(requests.len());
        let mut replays = Vec::new();
        for SubscribeRequest { filter, mut options } in requests {
            if self.sessions.get(slot).is_some_and(|session| session.is_bridge) {
                options.no_local = filter.group().is_none();
                options.retain_as_published = true;
            }
            let subscription = Subscription { options, id: subscription_id };
            let fault = self.fault_of_subscription(slot, &filter);
            if let Some((why, reason)) = fault {
                self.not_given(slot, Arc::clone(filter.text()), why);
                reasons.push(reason);
                continue;
            }
            let is_new = self.add_subscription(slot, &filter, subscription);
            self.keep_subscription(slot, &filter, subscription);
            reasons.push(granted(options.qos));
            let is_replayed = match options.retain_handling {
                RetainHandling::Send => true,
                RetainHandling::SendIfNew => is_new,
                RetainHandling::Skip => false,
            };
            replays.push((filter, subscription, is_replayed));
        }
        // The answer leaves once the subscriptions are on the disk, and what is retained comes behind it.
        self.bar(conn);
        self.send(conn, &Packet::SubAck(SubAck { id, reasons }));
        for (filter, subscription, is_replayed) in replays {
            if is_replayed && filter.group().is_none() {
                self.replay(slot, &filter, subscription);
            }
            self.deliver_held(slot, &filter, subscription);
            if filter.topics().starts_with(SYS) {
                self.begin_sys(slot, &filter, subscription);
            }
        }
    }

    /// Returns why a client can't subscribe to `filter`.
    fn fault_of_subscription(&self, slot: SessionSlot, filter: &Filter) -> Option<(Drop, Reason)> {
        let session = self.sessions.get(slot)?;
        let limits = &self.settings.limits;
        if filter.depth() > limits.topic_levels {
            return Some((Drop::TooManyLevels, Reason::TopicFilterInvalid));
        }
        let is_new = !session.subscriptions.contains_key(filter);
        let is_full = session.subscriptions.len() >= or_unlimited(limits.subscriptions);
        // A client that subscribes again and again without reading what it gets.
        let replays = session.outgoing.replays();
        let is_flooded = replays > 0
            && (replays + self.retained.len() > or_unlimited(limits.retained)
                || self.sessions.queued() + self.retained.len() * Entry::OVERHEAD > or_unlimited(limits.total_queued));
        if (is_new && (is_full || self.has_too_long_filters(session, filter))) || is_flooded {
            return Some((Drop::TooManySubscriptions, Reason::QuotaExceeded));
        }
        let may = self.acl.may_subscribe(&session.who, filter);
        (!may).then_some((Drop::SubscribeDenied, Reason::NotAuthorized))
    }

    /// Returns whether one more filter takes more memory than a client's filters, or those of all of them, may.
    fn has_too_long_filters(&self, session: &Session, filter: &Filter) -> bool {
        let most = or_unlimited(self.settings.limits.subscriptions.saturating_mul(FILTER)).max(FILTERS_OF_ONE);
        let size = filter.size();
        session.filter_bytes + size > most || self.filter_bytes + size > ALL_FILTERS
    }

    /// Adds a subscription, in place of the earlier one with the same filter. Returns whether it is new.
    pub(super) fn add_subscription(&mut self, slot: SessionSlot, filter: &Filter, subscription: Subscription) -> bool {
        let Some(session) = self.sessions.get_mut(slot) else { return false };
        let is_new = session.subscriptions.insert(filter.clone(), subscription).is_none();
        if is_new {
            session.filter_bytes += filter.size();
            self.filter_bytes += filter.size();
        }
        let hit = Hit::new(slot, subscription.options, subscription.id);
        if filter.group().is_none() {
            self.subscriptions.insert(filter.topics(), Target::Session(hit));
        } else {
            let (group, is_first) = self.groups.join(filter, hit);
            if is_first {
                self.subscriptions.insert(filter.topics(), Target::Group(group));
            }
        }
        is_new
    }

    /// Removes a subscription. Returns whether there was one.
    pub(super) fn drop_subscription(&mut self, slot: SessionSlot, filter: &Filter) -> bool {
        let Some(session) = self.sessions.get_mut(slot) else { return false };
        let Some(subscription) = session.subscriptions.remove(filter) else { return false };
        session.filter_bytes -= filter.size();
        self.filter_bytes -= filter.size();
        if filter.group().is_none() {
            let hit = Hit::new(slot, subscription.options, subscription.id);
            self.subscriptions.remove(filter.topics(), &Target::Session(hit));
        } else if let Some((group, true)) = self.groups.leave(filter, slot) {
            self.subscriptions.remove(filter.topics(), &Target::Group(group));
        }
        true
    }

    pub(super) fn receive_unsubscribe(&mut self, conn: Conn, slot: SessionSlot, unsubscribe: Unsubscribe) {
        let Unsubscribe { id, filters } = unsubscribe;
        let mut reasons = Vec::with_capacity(filters.len());
        for filter in filters {
            let was_there = self.drop_subscription(slot, &filter);
            if was_there && let Some(session) = self.sessions.get(slot) {
                let key = Key::Subscription(session.number, Arc::clone(filter.text()));
                self.keep(&key, None);
            }
            reasons.push(if was_there { Reason::Success } else { Reason::NoSubscriptionExisted });
        }
        self.bar(conn);
        self.send(conn, &Packet::UnsubAck(SubAck { id, reasons }));
    }

    /// Gives a client what is retained on the topics of a subscription.
    fn replay(&mut self, slot: SessionSlot, filter: &Filter, subscription: Subscription) {
        let mut found = Vec::new();
        self.retained.find(filter.topics(), &mut found);
        let found: Vec<Arc<Posted>> = found.into_iter().map(|message| Arc::clone(&message.posted)).collect();
        let now = self.now;
        for posted in found.iter().filter(|posted| !posted.is_expired(now)) {
            let copy = copy_of(posted, subscription, true);
            self.deliver(slot, &mut Fan::new(posted, now, false), copy, Kind::Replay);
        }
    }

    /// Gives a client what rules published for it since the start.
    fn deliver_held(&mut self, slot: SessionSlot, filter: &Filter, subscription: Subscription) {
        if self.expected.is_empty() {
            return;
        }
        let Some(session) = self.sessions.get(slot) else { return };
        let others = || session.subscriptions.keys().filter(|other| *other != filter);
        let gets_it = |topic: &str| others().any(|other| other.matches(topic));
        let held = self.expected.take_held(&session.who, filter, gets_it);
        let now = self.now;
        for posted in held.iter().filter(|posted| !posted.is_expired(now)) {
            let copy = copy_of(posted, subscription, false);
            self.deliver(slot, &mut Fan::new(posted, now, false), copy, Kind::Live);
        }
    }

    pub(super) fn keep_session(&mut self, slot: SessionSlot) {
        let Some(session) = self.sessions.get(slot) else { return };
        let (key, value) = (Key::Session(session.number), KeptSession::of(session).write(self.skew));
        self.keep(&key, Some(value));
    }

    fn keep_subscription(&mut self, slot: SessionSlot, filter: &Filter, subscription: Subscription) {
        let Some(session) = self.sessions.get(slot) else { return };
        let key = Key::Subscription(session.number, Arc::clone(filter.text()));
        self.keep(&key, Some(KeptSubscription::write(subscription)));
    }
}

/// Returns how a client gets a message by one subscription.
pub(super) fn copy_of(posted: &Posted, subscription: Subscription, retain: bool) -> Copy {
    let qos = posted.qos.min(subscription.options.qos);
    Copy { qos, retain, ids: subscription.id.into_iter().collect(), group: None }
}

fn granted(qos: Qos) -> Reason {
    match qos {
        Qos::AtMostOnce => Reason::Success,
        Qos::AtLeastOnce => Reason::GrantedQos1,
        Qos::ExactlyOnce => Reason::GrantedQos2,
    }
}
