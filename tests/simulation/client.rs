//! A simulated client: it does what the standard asks of one, and remembers what it got.

use std::collections::BTreeSet;

use homerule::broker::Conn;
use homerule::broker::packet::Version;

use crate::broker::wire::{
    Connect, Got, PUBACK, PUBCOMP, PUBREC, PUBREL, Publish, Will, ack, disconnect, read, subscribe,
};

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) version: Version,
    /// Whether its session outlives its connections.
    pub(super) is_lasting: bool,
    pub(super) conn: Option<Conn>,
    pub(super) is_in: bool,
    /// Bytes on their way to the broker.
    pub(super) leaving: Vec<u8>,
    /// Bytes on their way from it.
    pub(super) arriving: Vec<u8>,
    /// How often it came: its will says so.
    pub(super) visits: u32,
    next_id: u16,
    next_message: u32,
    /// What it published and wasn't acknowledged to the end.
    under_way: Vec<UnderWay>,
    /// Identifiers of messages with `QoS` 2 that it got.
    received_ids: BTreeSet<u16>,
    /// Messages that it published and that were acknowledged: their payloads and `QoS`.
    pub(super) acknowledged: Vec<(String, u8)>,
    /// From which of all messages on its subscription counts; `None`: it isn't acknowledged.
    pub(super) subscribed_at: Option<u32>,
    asked: bool,
    /// What it got, by the payload.
    pub(super) got: Vec<String>,
}

#[derive(Debug)]
struct UnderWay {
    publish: Publish,
    /// Whether the broker has it (`QoS` 2).
    is_received: bool,
}

/// The `QoS` of all subscriptions.
pub(super) const SUBSCRIBED: u8 = 2;

impl Client {
    pub(super) fn new(name: String, version: Version, is_lasting: bool) -> Client {
        Client {
            name,
            version,
            is_lasting,
            conn: None,
            is_in: false,
            leaving: Vec::new(),
            arriving: Vec::new(),
            visits: 0,
            next_id: 0,
            next_message: 0,
            under_way: Vec::new(),
            received_ids: BTreeSet::new(),
            acknowledged: Vec::new(),
            subscribed_at: None,
            asked: false,
            got: Vec::new(),
        }
    }

    /// Begins a connection.
    pub(super) fn come(&mut self, conn: Conn) {
        self.forget_connection();
        self.conn = Some(conn);
        self.visits += 1;
        let will = Will {
            topic: "will".into(),
            payload: format!("{}.{}", self.name, self.visits),
            qos: 1,
            retain: false,
            delay: 0,
        };
        let connect = if self.is_lasting {
            Connect::lasting(self.version, &self.name)
        } else {
            Connect::new(self.version, &self.name)
        };
        self.leaving = Connect { will: Some(will), keep_alive: 20, ..connect }.bytes();
    }

    /// Loses its connection, and what was on its way.
    pub(super) fn forget_connection(&mut self) {
        self.conn = None;
        self.is_in = false;
        self.asked = false;
        self.leaving.clear();
        self.arriving.clear();
    }

    /// Says good-bye.
    pub(super) fn go(&mut self) {
        self.leaving.extend(disconnect(self.version, 0));
        self.is_in = false;
    }

    /// Returns whether it may publish one more.
    pub(super) fn may_publish(&self) -> bool {
        self.is_in && self.under_way.len() < 10
    }

    /// Publishes, and returns the payload.
    pub(super) fn publish(&mut self, topic: &str, qos: u8, retain: bool) -> String {
        self.next_message += 1;
        self.next_id = self.next_id % 1000 + 1;
        let payload = format!("{}.{}.{qos}", self.name, self.next_message);
        let id = if qos > 0 { self.next_id } else { 0 };
        let publish = Publish { retain, ..Publish::new(qos, id, topic, &payload) };
        self.leaving.extend(publish.bytes(self.version));
        if qos > 0 {
            self.under_way.push(UnderWay { publish, is_received: false });
        }
        payload
    }

    pub(super) fn ping(&mut self) {
        self.leaving.extend([0xc0, 0]);
    }

    /// Takes all whole packets that arrived. `created`: how many messages there are in the world.
    pub(super) fn hear(&mut self, created: u32) {
        while let Some((got, length)) = read(self.version, &self.arriving) {
            self.arriving.drain(..length);
            self.take(got, created);
        }
    }

    fn take(&mut self, got: Got, created: u32) {
        match got {
            Got::ConnAck { present, code, .. } => {
                assert_eq!(code, 0, "{} isn't let in", self.name);
                self.begin(present);
            }
            Got::Publish(delivery) => {
                let is_new = delivery.qos < 2 || self.received_ids.insert(delivery.id);
                if is_new {
                    self.got.push(delivery.payload);
                }
                match delivery.qos {
                    0 => {}
                    1 => self.leaving.extend(ack(PUBACK, delivery.id)),
                    _ => self.leaving.extend(ack(PUBREC, delivery.id)),
                }
            }
            Got::Ack { kind, id, .. } => self.take_ack(kind, id),
            Got::SubAck { codes, .. } => {
                assert!(codes.starts_with(&[SUBSCRIBED, 1]) && !codes.contains(&0x80), "{codes:?}");
                self.subscribed_at.get_or_insert(created);
            }
            Got::UnsubAck { .. } | Got::Pong => {}
            Got::Disconnect(code) => assert!([0x8d, 0x8e].contains(&code), "{} was told {code:#x}", self.name),
        }
    }

    fn take_ack(&mut self, kind: u8, id: u16) {
        match kind {
            PUBREL => {
                self.received_ids.remove(&id);
                self.leaving.extend(ack(PUBCOMP, id));
            }
            PUBREC => {
                let mut all = self.under_way.iter_mut();
                let is_meant = |one: &&mut UnderWay| one.publish.id == id && one.publish.qos == 2 && !one.is_received;
                if let Some(one) = all.find(is_meant) {
                    one.is_received = true;
                    self.acknowledged.push((one.publish.payload.clone(), 2));
                }
                self.leaving.extend(ack(PUBREL, id));
            }
            kind => {
                let qos = if kind == PUBACK { 1 } else { 2 };
                let place = self.under_way.iter().position(|one| one.publish.id == id && one.publish.qos == qos);
                let done = place.map(|place| self.under_way.remove(place));
                if let Some(done) = done.filter(|_| kind == PUBACK) {
                    self.acknowledged.push((done.publish.payload, 1));
                }
            }
        }
    }

    /// Begins a session, or goes on with it: what wasn't acknowledged is sent again.
    fn begin(&mut self, present: bool) {
        self.is_in = true;
        if !self.is_lasting {
            self.under_way.clear();
        }
        let is_lost = !present && self.version != Version::V31;
        assert!(!is_lost || !self.is_lasting || self.subscribed_at.is_none(), "the session of {} is lost", self.name);
        if !self.is_lasting || is_lost {
            self.received_ids.clear();
            self.subscribed_at = None;
        }
        for one in &self.under_way {
            let again = Publish { dup: true, ..one.publish.clone() };
            self.leaving.extend(if one.is_received { ack(PUBREL, one.publish.id) } else { again.bytes(self.version) });
        }
    }

    /// Subscribes, if it hasn't yet on this connection.
    pub(super) fn subscribe(&mut self) {
        if !self.asked && self.subscribed_at.is_none() {
            self.asked = true;
            let own = [("t/#", SUBSCRIBED), ("t/+", 1)];
            let shared = self.is_lasting.then_some(("$share/g/s/#", SUBSCRIBED));
            let filters: Vec<(&str, u8)> = own.into_iter().chain(shared).collect();
            self.leaving.extend(subscribe(self.version, 2000, None, &filters));
        }
    }

    /// Returns whether nothing is left to be said.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_in && self.leaving.is_empty() && self.under_way.is_empty()
    }
}
