//! What we want to hear, and what the broker's session of ours has.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::broker::filter::Filter;
use crate::broker::packet::{
    Packet, PacketId, RetainHandling, Subscribe, SubscribeOptions, SubscribeRequest, SubscriptionId, Unsubscribe,
};
use crate::broker::reason::Reason;
use crate::model::Qos;

use super::filters::{covers, is_literal, without_covered};
use super::outbox::IDS;

/// So many filters go into one packet.
const FILTERS: usize = 200;

/// The number of all filters without wildcards: no two of them match one topic.
const LITERALS: SubscriptionId = NonZeroU32::MIN;

/// A filter, with whether our own messages are wanted too.
type Asked = (Arc<str>, bool);

/// What we want to hear, and what the broker's session of ours has.
#[derive(Debug)]
pub(super) struct Subscriptions {
    qos: Qos,
    /// What we want; with whether our own messages are wanted too.
    wanted: BTreeMap<Arc<str>, bool>,
    /// What the broker has, with the number that we gave it.
    held: BTreeMap<Arc<str>, SubscriptionId>,
    /// Those of `held` with wildcards, and those of `wanted` that don't bring our own messages.
    wild_held: Vec<(Arc<str>, SubscriptionId)>,
    wild_wanted: Vec<Arc<str>>,
    /// Those of `wanted` that do.
    read_back: Vec<Arc<str>>,
    /// What waits for an answer.
    asked: BTreeMap<PacketId, Vec<Arc<str>>>,
    refused: BTreeMap<Arc<str>, Reason>,
    /// The last packet identifier; they are above those of messages.
    last_id: u16,
}

impl Subscriptions {
    pub(super) fn new(qos: Qos) -> Subscriptions {
        Subscriptions {
            qos,
            wanted: BTreeMap::new(),
            held: BTreeMap::new(),
            wild_held: Vec::new(),
            wild_wanted: Vec::new(),
            read_back: Vec::new(),
            asked: BTreeMap::new(),
            refused: BTreeMap::new(),
            last_id: IDS,
        }
    }

    /// Takes back the row of what the broker has.
    pub(super) fn restore(&mut self, value: &[u8]) -> bool {
        let read: Option<BTreeMap<Arc<str>, u32>> = serde_json::from_slice(value).ok();
        let Some(read) = read else { return false };
        self.held = read.into_iter().map(|(filter, id)| (filter, NonZeroU32::new(id).unwrap_or(LITERALS))).collect();
        self.index();
        true
    }

    /// Returns the row of what the broker has.
    pub(super) fn row(&self) -> Vec<u8> {
        let held: BTreeMap<&Arc<str>, u32> = self.held.iter().map(|(filter, id)| (filter, id.get())).collect();
        serde_json::to_vec(&held).unwrap_or_default()
    }

    /// Notes what is wanted. Returns whether that is another thing than before.
    pub(super) fn want(&mut self, filters: &BTreeSet<Arc<str>>, read_back: &BTreeSet<Arc<str>>) -> bool {
        let mut wanted: BTreeMap<Arc<str>, bool> =
            without_covered(filters).into_iter().map(|filter| (filter, false)).collect();
        wanted.extend(read_back.iter().map(|filter| (Arc::clone(filter), true)));
        let has_changed = wanted != self.wanted;
        self.wanted = wanted;
        self.index();
        has_changed
    }

    fn index(&mut self) {
        let held = self.held.iter().filter(|(filter, _)| !is_literal(filter));
        self.wild_held = held.map(|(filter, id)| (Arc::clone(filter), *id)).collect();
        let wanted = self.wanted.iter().filter(|(filter, own)| !**own && !is_literal(filter));
        self.wild_wanted = wanted.map(|(filter, _)| Arc::clone(filter)).collect();
        let read_back = self.wanted.iter().filter(|(_, own)| **own);
        self.read_back = read_back.map(|(filter, _)| Arc::clone(filter)).collect();
    }

    pub(super) fn wanted(&self) -> usize {
        self.wanted.len()
    }

    pub(super) fn refused(&self) -> Vec<Arc<str>> {
        self.refused.keys().cloned().collect()
    }

    pub(super) fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    /// Returns a packet identifier that no message has.
    pub(super) fn next_id(&mut self) -> PacketId {
        self.last_id = self.last_id.checked_add(1).unwrap_or(IDS + 1);
        PacketId::new(self.last_id).unwrap_or(PacketId::FIRST)
    }

    /// Begins a new connection.
    pub(super) fn connected(&mut self, is_session_kept: bool) {
        self.asked.clear();
        self.refused.clear();
        if !is_session_kept {
            self.held.clear();
            self.index();
        }
    }

    /// Returns what is to be asked for: with `all` everything that is wanted, so that the broker says again what is retained, and else
    /// what it doesn't have.
    pub(super) fn ask(&mut self, all: bool, with_ids: bool, with_options: bool) -> Vec<Packet> {
        let new: Vec<Asked> = self
            .wanted
            .iter()
            .filter(|(filter, _)| all || !self.held.contains_key(*filter))
            .map(|(filter, own)| (Arc::clone(filter), *own))
            .collect();
        let mut groups: Vec<(SubscriptionId, Vec<Asked>)> = Vec::new();
        for (filter, own) in new {
            let id = self.number(&filter);
            self.held.insert(Arc::clone(&filter), id);
            match groups.last_mut() {
                Some((last, group)) if (*last == id || !with_ids) && group.len() < FILTERS => group.push((filter, own)),
                _ => groups.push((id, vec![(filter, own)])),
            }
        }
        self.index();
        groups.into_iter().filter_map(|(id, group)| self.packet(id, group, with_ids, with_options)).collect()
    }

    fn packet(
        &mut self,
        subscription: SubscriptionId,
        group: Vec<Asked>,
        with_ids: bool,
        with_options: bool,
    ) -> Option<Packet> {
        let mut requests = Vec::new();
        let mut names = Vec::new();
        for (text, own) in group {
            let Ok(filter) = Filter::parse(&text) else { continue };
            let options = SubscribeOptions {
                qos: self.qos,
                no_local: with_options && !own,
                retain_as_published: false,
                retain_handling: RetainHandling::Send,
            };
            requests.push(SubscribeRequest { filter, options });
            names.push(text);
        }
        if requests.is_empty() {
            return None;
        }
        let id = self.next_id();
        self.asked.insert(id, names);
        let subscription_id = with_ids.then_some(subscription);
        Some(Packet::Subscribe(Subscribe { id, subscription_id, requests }))
    }

    /// Returns the number of a filter: of two that match one topic the older has the smaller one.
    fn number(&self, filter: &Arc<str>) -> SubscriptionId {
        if let Some(known) = self.held.get(filter) {
            return *known;
        }
        if is_literal(filter) {
            return LITERALS;
        }
        let last = self.held.values().max().copied().unwrap_or(LITERALS);
        last.checked_add(1).unwrap_or(LITERALS)
    }

    /// Takes note of the broker's answer. Returns the filters that it refuses.
    pub(super) fn answered(&mut self, id: PacketId, reasons: &[Reason]) -> Vec<(Arc<str>, Reason)> {
        let Some(filters) = self.asked.remove(&id) else { return Vec::new() };
        let answers = filters.into_iter().zip(reasons.iter().copied());
        let refused: Vec<(Arc<str>, Reason)> = answers.filter(|(_, reason)| reason.is_error()).collect();
        for (filter, reason) in &refused {
            self.held.remove(filter);
            self.refused.insert(Arc::clone(filter), *reason);
        }
        self.index();
        refused
    }

    /// Returns what to give up, once all that is wanted is there.
    pub(super) fn give_up(&mut self) -> Option<Packet> {
        if !self.asked.is_empty() {
            return None;
        }
        let old: Vec<Arc<str>> =
            self.held.keys().filter(|filter| !self.wanted.contains_key(*filter)).cloned().collect();
        let old: Vec<Filter> = old.iter().take(FILTERS).filter_map(|filter| Filter::parse(filter).ok()).collect();
        (!old.is_empty()).then(|| Packet::Unsubscribe(Unsubscribe { id: self.next_id(), filters: old }))
    }

    /// Takes note that the broker has given up what isn't wanted.
    pub(super) fn given_up(&mut self) {
        self.held.retain(|filter, _| self.wanted.contains_key(filter));
        self.index();
    }

    /// Returns whether a message is the first copy of several that a broker may send: one for each filter that matches.
    pub(super) fn is_first_copy(&self, topic: &str, ids: &[SubscriptionId]) -> bool {
        if ids.is_empty() {
            return true;
        }
        if self.held.contains_key(topic) {
            return ids.contains(&LITERALS);
        }
        let matching = self.wild_held.iter().filter(|(filter, _)| covers(filter, topic)).map(|(_, id)| *id);
        matching.min().is_none_or(|first| ids.contains(&first))
    }

    /// Returns whether a message of ours on this topic comes back, by a filter that isn't there for that.
    pub(super) fn hears(&self, topic: &str) -> bool {
        if self.read_back.iter().any(|filter| covers(filter, topic)) {
            return false;
        }
        self.wanted.get(topic) == Some(&false) || self.wild_wanted.iter().any(|filter| covers(filter, topic))
    }
}
