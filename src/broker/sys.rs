//! What the broker says of itself below `$SYS/broker/`, by mosquitto's names.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Qos, Topic};

use super::routing::Posted;
use super::stats::Stats;

/// The first level of all of it.
pub(super) const SYS: &str = "$SYS";

/// How often it is told.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// What is remembered to know how much happens in a minute.
#[derive(Debug, Default)]
pub(super) struct Sys {
    before: Option<(Timestamp, [u64; 6])>,
    loads: [f64; 6],
}

/// The names of the loads, in their order.
const LOADS: [&str; 6] =
    ["messages/received", "messages/sent", "publish/received", "publish/sent", "bytes/received", "connections"];

/// What is true now.
pub(super) struct Counts<'a> {
    pub(super) version: &'a str,
    pub(super) uptime: SignedDuration,
    pub(super) connected: usize,
    pub(super) total: usize,
    pub(super) stored: usize,
    pub(super) retained: usize,
    pub(super) subscriptions: usize,
}

impl Sys {
    /// Returns all of it, as messages.
    pub(super) fn messages(&mut self, now: Timestamp, counts: &Counts<'_>, stats: &Stats) -> Vec<Posted> {
        self.weigh(now, stats);
        let loads =
            LOADS.iter().zip(self.loads).map(|(name, load)| (format!("load/{name}/1min"), format!("{load:.2}")));
        let number = |name: &str, count: u64| (name.to_owned(), count.to_string());
        let size = |name: &str, count: usize| (name.to_owned(), count.to_string());
        let told = [
            ("version".to_owned(), counts.version.to_owned()),
            ("uptime".to_owned(), format!("{} seconds", counts.uptime.as_secs())),
            size("clients/connected", counts.connected),
            size("clients/disconnected", counts.total.saturating_sub(counts.connected)),
            size("clients/total", counts.total),
            size("clients/maximum", stats.most_connected),
            number("messages/received", stats.packets_received),
            number("messages/sent", stats.packets_sent),
            size("messages/stored", counts.stored),
            number("publish/messages/received", stats.messages_received),
            number("publish/messages/sent", stats.messages_sent),
            number("publish/messages/dropped", stats.all_dropped()),
            number("bytes/received", stats.bytes_received),
            number("bytes/sent", stats.bytes_sent),
            size("retained messages/count", counts.retained),
            size("subscriptions/count", counts.subscriptions),
        ];
        let message = |(name, value): (String, String)| {
            let topic = Topic::parse(&format!("{SYS}/broker/{name}")).ok()?;
            let (qos, retain) = (Qos::AtMostOnce, false);
            Some(Posted { topic, payload: value.into(), qos, retain, expires_at: None, properties: None, rule: None })
        };
        told.into_iter().chain(loads).filter_map(message).collect()
    }

    /// Moves the loads towards what happened since the last time: a moving average over a minute.
    fn weigh(&mut self, now: Timestamp, stats: &Stats) {
        let counted = [
            stats.packets_received,
            stats.packets_sent,
            stats.messages_received,
            stats.messages_sent,
            stats.bytes_received,
            stats.connects,
        ];
        if let Some((at, before)) = self.before {
            let minutes = now.duration_since(at).as_secs_f64() / 60.0;
            if minutes <= 0.0 {
                return;
            }
            let keeps = (-minutes).exp();
            for ((load, before), counted) in self.loads.iter_mut().zip(before).zip(counted) {
                #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
                let rate = counted.saturating_sub(before) as f64 / minutes;
                *load = *load * keeps + rate * (1.0 - keeps);
            }
        }
        self.before = Some((now, counted));
    }
}
