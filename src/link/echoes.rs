//! Our own messages that a broker of 3.1.1 sends back: each is recognized once, by topic and payload.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::model::Topic;

/// How long one is awaited.
const WITHIN: Duration = Duration::from_secs(10);

/// How many of one topic are awaited at most.
const MOST: usize = 1000;

/// The messages that are awaited back.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    awaited: BTreeMap<Topic, VecDeque<(Timestamp, Bytes)>>,
    /// How many came back.
    pub(super) matched: u64,
}

impl Echoes {
    /// Awaits the message that was sent at `now`.
    pub(super) fn await_back(&mut self, now: Timestamp, topic: &Topic, payload: &Bytes) {
        let awaited = self.awaited.entry(topic.clone()).or_default();
        if awaited.len() < MOST {
            awaited.push_back((now, payload.clone()));
        }
    }

    /// Returns whether a message that came is the oldest of those awaited that are like it, and awaits that no more.
    pub(super) fn is_echo(&mut self, now: Timestamp, topic: &Topic, payload: &Bytes) -> bool {
        let Some(awaited) = self.awaited.get_mut(topic) else { return false };
        while awaited.pop_front_if(|(sent, _)| is_over(*sent, now)).is_some() {}
        let place = awaited.iter().position(|(_, sent)| sent == payload);
        if let Some(place) = place {
            awaited.remove(place);
            self.matched += 1;
        }
        if awaited.is_empty() {
            self.awaited.remove(topic);
        }
        place.is_some()
    }

    /// While the broker was away nothing could come back: what was awaited then is awaited from now on.
    pub(super) fn reconnected(&mut self, now: Timestamp, is_session_kept: bool) {
        if !is_session_kept {
            self.awaited.clear();
        }
        for (sent, _) in self.awaited.values_mut().flatten() {
            *sent = now;
        }
    }

    /// Forgets what isn't awaited any more.
    pub(super) fn clean(&mut self, now: Timestamp) {
        self.awaited.retain(|_, awaited| {
            awaited.retain(|(sent, _)| !is_over(*sent, now));
            !awaited.is_empty()
        });
    }
}

fn is_over(sent: Timestamp, now: Timestamp) -> bool {
    sent.checked_add(WITHIN).is_ok_and(|until| until < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_counts_once_and_a_strangers_twin_is_live() {
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let (topic, on, off) = (Topic::parse("a").unwrap(), Bytes::from_static(b"ON"), Bytes::from_static(b"OFF"));
        let mut echoes = Echoes::default();
        echoes.await_back(at(0), &topic, &on);
        echoes.await_back(at(0), &topic, &off);
        assert!(!echoes.is_echo(at(1), &Topic::parse("b").unwrap(), &on));
        assert!(echoes.is_echo(at(1), &topic, &off), "in any order");
        assert!(echoes.is_echo(at(1), &topic, &on));
        assert!(!echoes.is_echo(at(1), &topic, &on), "the second is somebody else's");
        echoes.await_back(at(2), &topic, &on);
        assert!(!echoes.is_echo(at(13), &topic, &on), "too late");
        echoes.await_back(at(20), &topic, &on);
        echoes.reconnected(at(60), true);
        assert!(echoes.is_echo(at(61), &topic, &on));
        assert!(echoes.awaited.is_empty());
    }
}
