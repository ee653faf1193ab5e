//! All that must survive is told anew: for a new disk, or by a clock that was set.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::broker::Broker;
use crate::broker::keep::{KeptFlight, KeptRetained, KeptSubscription, Key};
use crate::broker::packet::{PacketId, SubscribeOptions};
use crate::broker::routing::{Entry, RetainedMessage};
use crate::broker::session::{Flight, SessionSlot, Subscription};
use crate::model::Qos;

impl Broker {
    /// Tells all that must survive, as if all of it had changed: the disk knows nothing.
    pub fn keep_all(&mut self, now: Timestamp) {
        self.tell_time(now);
        for slot in self.sessions.slots() {
            self.keep_session(slot);
            self.keep_beside(slot);
            self.keep_waiting(slot, |_| true);
        }
        for (number, session, filters) in self.expected.kept() {
            self.keep(&Key::Session(number), Some(session.write(self.skew)));
            for filter in filters {
                // How it was subscribed doesn't matter any more.
                let plain = Subscription { options: SubscribeOptions::plain(Qos::AtMostOnce), id: None };
                self.keep(&Key::Subscription(number, filter), Some(KeptSubscription::write(plain)));
            }
        }
        self.keep_all_retained();
    }

    /// Takes note that the clock was set: what was to last a time keeps what is left of it. The times that the broker is
    /// told go on without a jump.
    pub fn clock_changed(&mut self, by: SignedDuration) {
        self.skew = self.skew.saturating_add(by);
        for slot in self.sessions.slots() {
            self.keep_session(slot);
            self.keep_waiting(slot, |entry| entry.posted.expires_at.is_some());
        }
        // All of them: their times are compared with those of what rules know.
        self.keep_all_retained();
    }

    /// Keeps the subscriptions of a session, and the identifiers that its client uses.
    fn keep_beside(&mut self, slot: SessionSlot) {
        let Some(session) = self.sessions.get(slot) else { return };
        let number = session.number;
        let subscriptions: Vec<_> = session.subscriptions.iter().map(|(filter, how)| (filter.clone(), *how)).collect();
        let is_kept = session.is_kept();
        let incoming: Vec<PacketId> = session.incoming.received().filter(|_| is_kept).collect();
        for (filter, how) in subscriptions {
            let key = Key::Subscription(number, Arc::clone(filter.text()));
            self.keep(&key, Some(KeptSubscription::write(how)));
        }
        for id in incoming {
            self.keep(&Key::Incoming(number, id), Some(vec![1]));
        }
    }

    /// Keeps those of the messages that wait for a session and are wanted.
    fn keep_waiting(&mut self, slot: SessionSlot, is_wanted: impl Fn(&Entry) -> bool) {
        let Some(session) = self.sessions.get(slot).filter(|session| session.is_kept()) else { return };
        let number = session.number;
        let is_kept = |entry: &Entry| entry.copy.qos != Qos::AtMostOnce && is_wanted(entry);
        let waiting = session.outgoing.iter().filter(|(entry, _)| is_kept(entry));
        let in_flight = |(entry, flight): (&Entry, Option<&Flight>)| {
            let apart = flight.filter(|flight| flight.is_kept_apart);
            let apart = apart.map(|flight| KeptFlight { id: flight.id, phase: flight.phase });
            (entry.clone(), flight.map(|flight| flight.id), apart)
        };
        let waiting: Vec<_> = waiting.map(in_flight).collect();
        for (entry, id, apart) in waiting {
            self.keep_message(number, &entry, id);
            if let Some(flight) = apart {
                self.keep(&Key::Flight(number, entry.sequence), Some(flight.write()));
            }
        }
    }

    fn keep_all_retained(&mut self) {
        let mut all: Vec<&RetainedMessage> = Vec::new();
        self.retained.all(&mut all);
        let kept: Vec<_> = all
            .into_iter()
            .map(|message| (message.posted.topic.text(), KeptRetained::write(message, self.skew)))
            .collect();
        for (topic, value) in kept {
            self.keep(&Key::Retained(topic), Some(value));
        }
    }
}
