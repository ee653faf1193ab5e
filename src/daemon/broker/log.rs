//! What an operator should know of clients: one line for each refusal, takeover, timeout and drop, and not one for each time that a
//! broken device tries again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::broker::{Connected, Disconnected, Drop, Dropped, End, Refused};
use crate::model::one_line;

/// The same is said of one client only so often.
const PAUSE: Duration = Duration::from_mins(1);

/// So many clients and things are remembered. Beyond, what was said longest ago is said again.
const MOST: usize = 4096;

/// What was said when.
#[derive(Debug, Default)]
pub(super) struct Log {
    said: BTreeMap<(Arc<str>, Kind), Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Refused,
    TookOver,
    Ended,
    Dropped(Drop),
}

#[derive(Debug)]
struct Said {
    at: Instant,
    /// How often it happened since, without a word.
    untold: u64,
}

impl Log {
    /// A peer wasn't let in.
    pub(super) fn refused(&mut self, refused: &Refused) {
        let Refused { peer, client, fault } = refused;
        let Some(fault) = fault else { return };
        // An attacker's names are as many as it likes; its address is one.
        let key = format!("{} {}", host(&peer.address), fault.words).into();
        if let Some(times) = self.may_say(key, Kind::Refused) {
            let client = one_line(client.as_deref().filter(|client| !client.is_empty()).unwrap_or("-"));
            info!(address = %peer.address, listener = %peer.listener, %client, "A client was refused: {}.{times}", fault.words);
        }
    }

    /// A peer didn't get as far as MQTT.
    pub(super) fn failed(&mut self, address: &str, why: &str) {
        let key = format!("{} {why}", host(address)).into();
        if let Some(times) = self.may_say(key, Kind::Refused) {
            info!(%address, "A client was refused: {why}.{times}");
        }
    }

    /// There are too many connections.
    pub(super) fn too_many(&mut self, address: &str, most: usize) {
        if let Some(times) = self.may_say("".into(), Kind::Refused) {
            warn!(%address, "A client was refused: there are {most} connections, as many as `broker.limits.connections` allows.{times}");
        }
    }

    /// A client is here.
    pub(super) fn connected(&mut self, connected: &Connected) {
        let Connected { client, user, peer, version, took_over, .. } = connected;
        let (client, user) = (one_line(client), one_line(user.as_deref().unwrap_or("-")));
        tracing::debug!(%client, %user, address = %peer.address, version = version.as_str(), "A client connected.");
        if *took_over && let Some(times) = self.may_say(client.as_str().into(), Kind::TookOver) {
            info!(%client, address = %peer.address, "A client connected again, and its old connection was closed.{times}");
        }
    }

    /// A client is gone.
    pub(super) fn disconnected(&mut self, disconnected: &Disconnected) {
        let Disconnected { client, reason } = disconnected;
        let words = match reason {
            End::Silent | End::Fault(_) | End::Dismissed(_) => reason.error(),
            // The new connection says so.
            End::TakenOver | End::Goodbye | End::Lost | End::Stopping => None,
        };
        let client = one_line(client);
        tracing::debug!(%client, ?reason, "A client is gone.");
        if let Some(words) = words
            && let Some(times) = self.may_say(client.as_str().into(), Kind::Ended)
        {
            info!(%client, "A client was disconnected: {words}.{times}");
        }
    }

    /// Something wasn't taken or delivered.
    pub(super) fn dropped(&mut self, dropped: &Dropped) {
        let Dropped { client, topic, why } = dropped;
        let client = one_line(client);
        if let Some(times) = self.may_say(client.as_str().into(), Kind::Dropped(*why)) {
            let (words, topic) = (words(*why), one_line(topic));
            info!(%client, %topic, "{words} More of the same isn't logged until the client connects again.{times}");
        }
    }

    /// Returns whether something may be said now, with how often it happened since it was last said.
    fn may_say(&mut self, about: Arc<str>, kind: Kind) -> Option<String> {
        let now = Instant::now();
        let key = (about, kind);
        if let Some(said) = self.said.get_mut(&key)
            && now.duration_since(said.at) < PAUSE
        {
            said.untold += 1;
            return None;
        }
        let untold = self.said.remove(&key).map_or(0, |said| said.untold);
        if self.said.len() >= MOST {
            self.said.retain(|_, said| now.duration_since(said.at) < PAUSE);
        }
        if self.said.len() >= MOST {
            let oldest = self.said.iter().min_by_key(|(_, said)| said.at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.said.remove(&oldest));
        }
        self.said.insert(key, Said { at: now, untold: 0 });
        Some(if untold == 0 {
            String::new()
        } else {
            format!(" The same happened {untold} more times since it was last logged.")
        })
    }
}

/// Returns an address without its port.
fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

/// Says what happened, and what to do.
fn words(why: Drop) -> &'static str {
    match why {
        Drop::PublishDenied => "A message was dropped: the client may not publish there (`broker.acl`).",
        Drop::SubscribeDenied => "A subscription was refused: the client may not read that (`broker.acl`).",
        Drop::Reserved => "A message was dropped: topics that begin with `$` are the broker's.",
        Drop::TooManyLevels => "A message was dropped: its topic has too many levels (`broker.limits.topic_levels`).",
        Drop::RetainedFull => {
            "A message was delivered and isn't retained: there is no more room (`broker.limits.retained`, `retained_bytes`)."
        }
        Drop::TooManySubscriptions => {
            "A subscription was refused: the client has too many (`broker.limits.subscriptions`)."
        }
        Drop::QueueFull => {
            "A message for the client was dropped: its queue is full (`broker.limits.queued_messages`, `queued_bytes`)."
        }
        Drop::TooLarge => "A message for the client was dropped: it is larger than the client takes.",
        Drop::Expired => "A message for the client was dropped: it expired before its turn came.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_a_while_with_how_often_it_happened() {
        let mut log = Log::default();
        let say = |log: &mut Log, who: &str| log.may_say(who.into(), Kind::TookOver);
        assert_eq!(say(&mut log, "a").as_deref(), Some(""));
        for _ in 0..3 {
            assert_eq!(say(&mut log, "a"), None);
        }
        assert!(say(&mut log, "b").is_some(), "another client");
        assert!(log.may_say("a".into(), Kind::Ended).is_some(), "another thing");
        log.said.get_mut(&("a".into(), Kind::TookOver)).unwrap().at = Instant::now().checked_sub(PAUSE).unwrap();
        assert_eq!(say(&mut log, "a").unwrap(), " The same happened 3 more times since it was last logged.");
    }

    #[test]
    fn however_many_there_are_memory_is_bounded() {
        let mut log = Log::default();
        for number in 0..MOST + 500 {
            assert!(log.may_say(number.to_string().into(), Kind::Refused).is_some());
        }
        assert_eq!(log.said.len(), MOST);
    }

    #[test]
    fn the_port_is_no_part_of_who_it_is() {
        assert_eq!((host("10.0.0.1:4711"), host("[::1]:4711")), ("10.0.0.1", "[::1]"));
    }
}
