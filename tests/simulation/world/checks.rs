//! What must hold whenever the world rests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::World;
use crate::simulation::client::Client;

impl World {
    pub(super) fn check(&mut self) {
        self.check_retained();
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for payload in &self.heard.payloads {
            *times.entry(payload).or_default() += 1;
        }
        for client in &self.clients {
            for (payload, qos) in &client.acknowledged {
                let count = times.get(&**payload).copied().unwrap_or(0);
                assert!(count >= 1, "rules didn't hear {payload}, which was acknowledged");
                assert!(*qos < 2 || count == 1, "rules heard {payload} {count} times");
                self.counts.again += usize::from(count > 1);
            }
            World::check_wills(client, &times);
        }
        self.check_late();
        for client in self.clients.iter().filter(|client| client.is_lasting) {
            self.check_deliveries(client);
        }
        self.check_shared();
        self.counts.wills += self.heard.payloads.iter().filter(|payload| payload.matches('.').count() == 1).count();
        check_order("rules", self.heard.payloads.iter());
    }

    /// Checks that what clients share came to one of them.
    fn check_shared(&mut self) {
        let members = self.clients.iter().filter(|client| client.is_lasting);
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for payload in members.clone().flat_map(|member| &member.got) {
            *times.entry(payload).or_default() += 1;
        }
        let Some(since) = members.filter_map(|member| member.subscribed_at).min() else { return };
        let acknowledged = self.clients.iter().flat_map(|publisher| &publisher.acknowledged);
        for (payload, qos) in
            acknowledged.filter(|(payload, _)| self.shared.get(payload).is_some_and(|place| *place >= since))
        {
            let count = times.get(&**payload).copied().unwrap_or(0);
            assert!(count >= 1, "{payload} was acknowledged, and came to none of those who share it");
            assert!(*qos < 2 || count == 1, "{payload} came to {count} of those who share it");
            self.counts.shared += 1;
        }
    }

    /// Checks that each run that waited went on, whatever happened meanwhile, once.
    pub(super) fn check_late(&mut self) {
        let (late, delayed) = (self.heard.late.len(), self.heard.delayed);
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for payload in &self.heard.late {
            *times.entry(payload).or_default() += 1;
        }
        let twice = times.iter().find(|(payload, count)| payload.ends_with(".2") && **count > 1);
        assert_eq!(twice, None, "a run went on twice");
        assert_eq!(late, delayed, "{delayed} runs waited, and {late} went on");
        assert_eq!(self.heard.count, delayed, "{delayed} messages came, and the rule counted {}", self.heard.count);
        self.counts.late += late;
    }

    /// Checks that wills come once.
    fn check_wills(client: &Client, times: &BTreeMap<&str, usize>) {
        for visit in 1..=client.visits {
            let will = format!("{}.{visit}", client.name);
            let count = times.get(&*will).copied().unwrap_or(0);
            assert!(count <= 1, "the will {will} came {count} times");
        }
    }

    fn check_deliveries(&self, client: &Client) {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for payload in &client.got {
            *times.entry(payload).or_default() += 1;
        }
        let twice = times.iter().find(|(payload, count)| payload.ends_with(".2") && **count > 1);
        assert_eq!(twice, None, "{} got a message with QoS 2 twice", client.name);
        let Some(since) = client.subscribed_at else { return };
        // What was published before may come again, as new.
        let is_later = |payload: &&String| self.published.get(*payload).is_some_and(|place| *place >= since);
        check_order(&client.name, client.got.iter().filter(is_later));
        let acknowledged =
            self.clients.iter().flat_map(|publisher| &publisher.acknowledged).map(|(payload, _)| payload);
        for payload in acknowledged.chain(&self.heard.late) {
            if self.published.get(payload).is_some_and(|place| *place >= since) {
                assert!(
                    times.contains_key(payload.as_str()),
                    "{payload} was acknowledged, and {} didn't get it",
                    client.name
                );
            }
        }
    }

    /// Returns whether wills of clients that were here before the process began may come.
    pub(super) fn is_after_start(&self) -> bool {
        self.counts.kills > 0 && self.now >= self.began_at + Duration::from_secs(5)
    }

    /// Checks whether what is retained is what was accepted last.
    pub(super) fn check_retained(&self) {
        let retained = self.broker.retained();
        let found: BTreeMap<String, String> = retained
            .iter()
            .map(|view| (view.topic.to_string(), String::from_utf8(view.payload.to_vec()).unwrap()))
            .collect();
        assert_eq!(found, self.heard.retained);
    }
}

/// Checks that the messages of each publisher came in their order, leaving aside those that came again.
fn check_order<'a>(who: &str, payloads: impl Iterator<Item = &'a String>) {
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for payload in payloads {
        let parts: Vec<&str> = payload.split('.').collect();
        let [publisher, number, _] = parts[..] else { continue };
        if !seen.insert(payload) {
            continue;
        }
        let number: u32 = number.parse().unwrap();
        let before = last.insert(publisher, number).unwrap_or(0);
        assert!(before < number, "{who} got {payload} after {before}");
    }
}
