//! Clients that were here when we ended, whose session ended with us: their wills, and what rules publish for them until they
//! are back (a restart loses no command).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::access::Identity;
use super::filter::Filter;
use super::keep::KeptSession;
use super::packet::Will;
use super::routing::Posted;

/// So long after the start the will of a client that was here is published, unless it is back.
pub(super) const WILL_AFTER: Duration = Duration::from_secs(5);

/// So long after the start messages are held for a client that was here.
pub(super) const HELD_FOR: Duration = Duration::from_mins(1);

/// So many messages are held for one filter of a client.
const MOST: usize = 100;

/// Clients that are expected back.
#[derive(Debug, Default)]
pub(super) struct Expected {
    clients: BTreeMap<Arc<str>, ExpectedClient>,
    wills_due: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

/// A client that is expected back.
#[derive(Debug)]
pub(super) struct ExpectedClient {
    /// The number of its session, for as long as that is kept.
    pub(super) number: Option<u64>,
    /// What is kept of that.
    pub(super) session: KeptSession,
    /// Its filters, and how many messages each of them holds.
    filters: BTreeMap<Filter, usize>,
    /// What is held for it, in order.
    held: Vec<Arc<Posted>>,
}

impl Expected {
    /// Begins to expect clients.
    pub(super) fn begin(&mut self, now: Timestamp, clients: impl Iterator<Item = ExpectedClient>) {
        self.clients = clients.map(|client| (Arc::clone(&client.session.who.client), client)).collect();
        if !self.clients.is_empty() {
            self.wills_due = now.checked_add(WILL_AFTER).ok();
            self.ends_at = now.checked_add(HELD_FOR).ok();
        }
    }

    /// Returns when there is something to do.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.wills_due.or(self.ends_at)
    }

    /// Returns the wills that are due, each with what is to be kept of its session from now on.
    pub(super) fn take_wills(&mut self, now: Timestamp) -> Vec<(Will, KeptSession, Option<u64>)> {
        if self.wills_due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.wills_due = None;
        let will =
            |client: &mut ExpectedClient| Some((client.session.will.take()?, client.session.clone(), client.number));
        self.clients.values_mut().filter_map(will).collect()
    }

    /// Returns those who haven't come, once they are expected no longer.
    pub(super) fn take_missing(&mut self, now: Timestamp) -> Vec<ExpectedClient> {
        if self.ends_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.ends_at = None;
        std::mem::take(&mut self.clients).into_values().collect()
    }

    /// Takes the will of a client that is back. Returns the number of its session, and its filters, where that is still
    /// kept.
    pub(super) fn is_back(&mut self, client: &str) -> Option<(u64, Vec<Arc<str>>)> {
        let expected = self.clients.get_mut(client)?;
        expected.session.will = None;
        Some((expected.number.take()?, expected.filter_texts()))
    }

    /// Holds what a rule published for each client whose filter matches, unless it gets it anyway. Returns their names.
    pub(super) fn hold(&mut self, posted: &Arc<Posted>, gets_it: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let topic = posted.topic.as_str();
        let mut holding = Vec::new();
        for (name, client) in &mut self.clients {
            let mut filters = client.filters.iter_mut();
            let matching = filters.find(|(filter, held)| **held < MOST && filter.matches(topic));
            if let Some((_, count)) = matching
                && !gets_it(name)
            {
                *count += 1;
                client.held.push(Arc::clone(posted));
                holding.push(Arc::clone(name));
            }
        }
        holding
    }

    /// Returns what is held for a client that subscribes to `filter`, in order: its own, or what a client of the same user
    /// with that very filter left, but for the topics that it gets by another filter anyway.
    pub(super) fn take_held(
        &mut self,
        who: &Identity,
        filter: &Filter,
        gets_it: impl Fn(&str) -> bool,
    ) -> Vec<Arc<Posted>> {
        if let Some(own) = self.clients.get_mut(&who.client) {
            own.filters.remove(filter);
            return own.take(|topic| filter.matches(topic));
        }
        if filter.topics().split('/').all(|level| matches!(level, "+" | "#")) {
            return Vec::new();
        }
        let of_same_user = self.clients.values_mut().filter(|client| client.session.who.user == who.user);
        let is_left = |topic: &str| filter.matches(topic) && !gets_it(topic);
        let mut left =
            of_same_user.filter(|client| client.filters.contains_key(filter)).map(|client| client.take(is_left));
        left.find(|held| !held.is_empty()).unwrap_or_default()
    }

    /// Returns what is kept of those whose session is: its number, the session, and its filters.
    pub(super) fn kept(&self) -> Vec<(u64, KeptSession, Vec<Arc<str>>)> {
        let kept = |client: &ExpectedClient| Some((client.number?, client.session.clone(), client.filter_texts()));
        self.clients.values().filter_map(kept).collect()
    }

    /// Returns whether nobody is expected.
    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }
}

impl ExpectedClient {
    pub(super) fn new(number: u64, session: KeptSession, filters: impl Iterator<Item = Filter>) -> ExpectedClient {
        let filters = filters.map(|filter| (filter, 0)).collect();
        ExpectedClient { number: Some(number), session, filters, held: Vec::new() }
    }

    /// Returns the texts of its filters.
    pub(super) fn filter_texts(&self) -> Vec<Arc<str>> {
        self.filters.keys().map(|filter| Arc::clone(filter.text())).collect()
    }

    /// Returns how many messages are held for it.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn take(&mut self, is_wanted: impl Fn(&str) -> bool) -> Vec<Arc<Posted>> {
        let held = self.held.drain(..);
        let (taken, others) = held.partition(|posted| is_wanted(posted.topic.as_str()));
        self.held = others;
        taken
    }
}
