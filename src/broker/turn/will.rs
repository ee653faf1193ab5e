//! Wills: what is published when a client goes without a word (MQTT 5.0, 3.1.2.5).

use std::sync::Arc;
use std::time::Duration;

use crate::broker::Broker;
use crate::broker::access::Identity;
use crate::broker::happening::Drop;
use crate::broker::packet::Will;
use crate::broker::routing::Posted;
use crate::broker::session::SessionSlot;

impl Broker {
    /// Publishes the will of a session, if it has one. Below `$` it is accepted and never sent.
    pub(super) fn publish_will(&mut self, slot: SessionSlot) {
        let Some(will) = self.sessions.get_mut(slot).and_then(|session| session.will.take()) else { return };
        match self.fault_of_topic(slot, &will.topic) {
            Some((Drop::Reserved, _)) => {}
            Some((why, _)) => self.dropped(slot, will.topic.text(), why),
            None => {
                self.stats.wills += 1;
                let posted = self.posted_will(will);
                self.take_message(slot, posted, true);
            }
        }
    }

    /// Publishes the will of a client whose session ended with us.
    pub(super) fn publish_expected_will(&mut self, who: &Identity, will: Will) {
        let is_reserved = will.topic.as_str().starts_with('$');
        let is_deep = will.topic.as_str().split('/').count() > self.settings.limits.topic_levels;
        if is_reserved || is_deep || !self.acl.may_publish(who, &will.topic) {
            return;
        }
        self.stats.wills += 1;
        let posted = Arc::new(self.posted_will(will));
        if posted.retain && !self.retain(&posted, Some(&who.client)) {
            *self.stats.dropped.entry(Drop::RetainedFull).or_default() += 1;
        }
        self.route(&posted, None);
        self.tell_published(&posted, Arc::clone(&who.client), true);
    }

    fn posted_will(&self, will: Will) -> Posted {
        let Will { topic, payload, qos, retain, expiry, properties, .. } = will;
        let expires_at = expiry.and_then(|seconds| self.now.checked_add(Duration::from_secs(seconds.into())).ok());
        Posted { topic, payload, qos, retain, expires_at, properties }
    }
}
