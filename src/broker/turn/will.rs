//! Wills: what is published when a client goes without a word (MQTT 5.0, 3.1.2.5).

use std::sync::Arc;
use std::time::Duration;

use crate::broker::{Broker, Event, Happening};

use crate::broker::access::Identity;
use crate::broker::happening::Drop;
use crate::broker::packet::Will;
use crate::broker::routing::Posted;
use crate::broker::session::SessionSlot;

impl Broker {
    /// Lets the will of a session come, if it has one: behind what happened before.
    pub(super) fn publish_will(&mut self, slot: SessionSlot) {
        let Some(session) = self.sessions.get_mut(slot) else { return };
        if let Some(will) = session.will.take() {
            let who = session.who.clone();
            self.events.push_back(Event::Will(who, will));
        }
    }

    /// Publishes a will whose turn it is. `None`: it may not be sent. Below `$` it is accepted and never is.
    pub(in crate::broker) fn route_will(&mut self, who: &Identity, will: Will) -> Option<Happening> {
        let slot = self.sessions.find(&who.client);
        if let Some((why, _)) = self.fault_of_topic(who, &will.topic) {
            if why != Drop::Reserved {
                self.dropped(slot, &who.client, will.topic.text(), why);
            }
            return None;
        }
        self.stats.wills += 1;
        let posted = Arc::new(self.posted_will(will));
        if posted.retain && !self.retain(&posted, Some(&who.client)) {
            self.dropped(slot, &who.client, posted.topic.text(), Drop::RetainedFull);
        }
        self.route(&posted, None);
        Some(self.published(&posted, Arc::clone(&who.client), true))
    }

    fn posted_will(&self, will: Will) -> Posted {
        let Will { topic, payload, qos, retain, expiry, properties, .. } = will;
        let expires_at = expiry.and_then(|seconds| self.now.checked_add(Duration::from_secs(seconds.into())).ok());
        Posted { topic, payload, qos, retain, expires_at, properties, rule: None }
    }
}
