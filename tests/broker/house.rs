//! A broker with its store and clients, all in memory and under a clock that the test moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use homerule::broker::packet::Version;
use homerule::broker::reason::Reason;
use homerule::broker::{Besides, Broker, Conn, Happening, Peer, Published, Settings, Verdict};
use homerule::model::{Message, Origin, Payload, Qos, Topic};
use jiff::Timestamp;

use super::wire::{Connect, Got, Publish, ack, read};

/// What the disk has.
pub(crate) type Disk = BTreeMap<Arc<str>, Vec<u8>>;

/// A broker, its disk and its clients.
pub(crate) struct House {
    pub(crate) broker: Broker,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) disk: Disk,
    /// What was told to be kept and isn't on the disk.
    pub(crate) unwritten: Vec<(Arc<str>, Option<Vec<u8>>)>,
    /// All that happened, but for what is kept.
    pub(crate) happened: Vec<Happening>,
    /// What the broker sent to each connection and nobody looked at.
    sent: BTreeMap<Conn, Vec<u8>>,
    closed: Vec<Conn>,
    /// A user that isn't let in.
    pub(crate) banned: Option<&'static str>,
    /// Whether what is kept reaches the disk, and acknowledgements leave.
    pub(crate) disk_works: bool,
}

/// A client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) conn: Conn,
    pub(crate) version: Version,
}

impl House {
    pub(crate) fn new() -> House {
        House::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> House {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        House {
            broker: Broker::new(now, settings.clone()),
            settings,
            now,
            disk: Disk::new(),
            unwritten: Vec::new(),
            happened: Vec::new(),
            sent: BTreeMap::new(),
            closed: Vec::new(),
            banned: None,
            disk_works: true,
        }
    }

    /// Handles all that came, as the shell does in one turn.
    pub(crate) fn turn(&mut self) {
        self.handle();
        self.send();
        self.close();
    }

    /// Handles all that came, while nobody takes what is for them.
    pub(crate) fn turn_but_send_nothing(&mut self) {
        self.handle();
        self.close();
    }

    fn handle(&mut self) {
        while let Some(happening) = self.broker.poll(self.now) {
            self.take(happening);
        }
        let receipt = self.broker.receipt();
        if self.disk_works {
            self.write();
            self.broker.release(self.now, receipt);
        }
    }

    fn close(&mut self) {
        for conn in std::mem::take(&mut self.closed) {
            self.broker.closed(self.now, conn);
        }
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Keep { key, value } => self.unwritten.push((key, value)),
            Happening::Admit(conn, credentials) => {
                let is_banned = self.banned.is_some() && credentials.user.as_deref() == self.banned;
                let verdict = if is_banned {
                    Verdict::Refused(Reason::NotAuthorized)
                } else {
                    Verdict::Accepted(credentials.user)
                };
                self.broker.admit(self.now, conn, verdict);
            }
            Happening::Close(conn) => {
                self.closed.push(conn);
                self.happened.push(Happening::Close(conn));
            }
            other => self.happened.push(other),
        }
    }

    pub(crate) fn write(&mut self) {
        for (key, value) in self.unwritten.drain(..) {
            match value {
                Some(value) => drop(self.disk.insert(key, value)),
                None => drop(self.disk.remove(&key)),
            }
        }
    }

    /// Writes what may be written to all connections.
    fn send(&mut self) {
        while let Some(conn) = self.broker.next_dirty() {
            self.send_to(conn, usize::MAX);
        }
    }

    /// Writes at most `most` bytes to a connection.
    pub(crate) fn send_to(&mut self, conn: Conn, most: usize) {
        loop {
            let output = self.broker.output(conn);
            let written = output.len().min(most);
            if written == 0 {
                return;
            }
            self.sent.entry(conn).or_default().extend_from_slice(&output[..written]);
            self.broker.wrote(self.now, conn, written);
            if most != usize::MAX {
                return;
            }
        }
    }

    pub(crate) fn open(&mut self) -> Conn {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&mut self) -> Option<Conn> {
        let peer = Peer { address: "192.0.2.1:5".into(), listener: "test".into() };
        self.broker.open(self.now, peer)
    }

    pub(crate) fn has_closed(&self, conn: Conn) -> bool {
        self.happened.contains(&Happening::Close(conn))
    }

    pub(crate) fn read(&mut self, conn: Conn, bytes: &[u8]) {
        self.broker.read(self.now, conn, bytes);
        self.turn();
    }

    /// Lets a client come; its CONNACK is still to be looked at.
    pub(crate) fn knock(&mut self, connect: &Connect) -> Client {
        let conn = self.open();
        self.read(conn, &connect.bytes());
        Client { conn, version: connect.version }
    }

    /// Lets a client come, and checks that it is let in.
    pub(crate) fn connect(&mut self, connect: &Connect) -> Client {
        let client = self.knock(connect);
        let got = self.next(&client);
        assert!(matches!(got, Some(Got::ConnAck { code: 0, .. })), "{got:?}");
        client
    }

    pub(crate) fn come(&mut self, version: Version, id: &str) -> Client {
        self.connect(&Connect::new(version, id))
    }

    pub(crate) fn say(&mut self, client: &Client, bytes: &[u8]) {
        self.read(client.conn, bytes);
    }

    pub(crate) fn publish(&mut self, client: &Client, publish: &Publish) {
        self.say(client, &publish.bytes(client.version));
    }

    pub(crate) fn subscribe(&mut self, client: &Client, filter: &str, options: u8) {
        self.say(client, &super::wire::subscribe(client.version, 1, None, &[(filter, options)]));
        let got = self.next(client);
        assert!(matches!(&got, Some(Got::SubAck { id: 1, codes }) if codes[0] < 3), "{got:?}");
    }

    /// Breaks a client's connection.
    pub(crate) fn lose(&mut self, client: &Client) {
        self.broker.closed(self.now, client.conn);
        self.sent.remove(&client.conn);
        self.turn();
    }

    /// Returns the next packet that a client gets.
    pub(crate) fn next(&mut self, client: &Client) -> Option<Got> {
        let bytes = self.sent.get_mut(&client.conn)?;
        let (got, length) = read(client.version, bytes)?;
        bytes.drain(..length);
        Some(got)
    }

    /// Returns all packets that a client got.
    pub(crate) fn all(&mut self, client: &Client) -> Vec<Got> {
        std::iter::from_fn(|| self.next(client)).collect()
    }

    /// Returns the messages that a client got, as `topic payload`, and acknowledges them.
    pub(crate) fn messages(&mut self, client: &Client) -> Vec<String> {
        let mut messages = Vec::new();
        loop {
            let all = self.all(client);
            if all.is_empty() {
                return messages;
            }
            for got in all {
                match got {
                    Got::Publish(delivery) => {
                        messages.push(format!("{} {}", delivery.topic, delivery.payload));
                        match delivery.qos {
                            0 => {}
                            1 => self.say(client, &ack(super::wire::PUBACK, delivery.id)),
                            _ => self.say(client, &ack(super::wire::PUBREC, delivery.id)),
                        }
                    }
                    Got::Ack { kind: super::wire::PUBREL, id, .. } => self.say(client, &ack(super::wire::PUBCOMP, id)),
                    _ => {}
                }
            }
        }
    }

    /// Lets time pass, from deadline to deadline.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.broker.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.broker.tick(self.now);
            self.turn();
        }
        self.now = end;
        self.broker.tick(self.now);
        self.turn();
    }

    /// Ends the process, with what is on the disk, and begins it anew.
    pub(crate) fn restart(&mut self) {
        self.unwritten.clear();
        self.sent.clear();
        self.closed.clear();
        let (broker, unreadable) = Broker::restore(self.now, self.settings.clone(), self.disk.clone());
        assert_eq!(unreadable, Vec::<Arc<str>>::new());
        self.broker = broker;
        self.turn();
    }

    /// Publishes as a rule does.
    pub(crate) fn rule_publishes(&mut self, topic: &str, payload: &str, retain: bool) {
        let message = Message {
            topic: Topic::parse(topic).unwrap(),
            payload: Payload::from_bytes(payload.to_owned()),
            qos: Qos::AtLeastOnce,
            retain,
            origin: Origin::Own,
            expires_at: None,
        };
        self.broker.publish(self.now, &message, Besides { rule: Some("rule".into()), ..Besides::default() });
        self.turn();
    }

    /// Returns what rules heard, as `client topic payload`, and forgets what happened.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        let heard = std::mem::take(&mut self.happened).into_iter().filter_map(|happening| match happening {
            Happening::Published(Published { message, client, .. }) => {
                Some(format!("{client} {} {}", message.topic, message.payload.text().unwrap()))
            }
            _ => None,
        });
        heard.collect()
    }

    pub(crate) fn is_closed(&self, client: &Client) -> bool {
        self.happened.contains(&Happening::Close(client.conn))
    }
}
