//! Settings of the broker: the embedded one, or another one.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::model::{Qos, TopicFilter};

use super::ListenAddress;

/// Which broker is used.
#[derive(Debug, Clone, PartialEq)]
pub enum BrokerSettings {
    /// The one inside the daemon.
    Embedded(EmbeddedBroker),
    /// Another one.
    External(ExternalBroker),
}

/// The broker inside the daemon.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedBroker {
    /// Where it listens.
    pub listen: Vec<Listener>,
    /// Whether clients may connect without a password; `None`: see [`EmbeddedBroker::lets_anonymous_in`].
    pub anonymous: Option<bool>,
    /// The password file, relative to the home.
    pub users: Option<String>,
    /// The ACL file, relative to the home.
    pub acl: Option<String>,
    /// How much clients may use.
    pub limits: BrokerLimits,
    /// How long a session outlives its connection at most.
    pub session_expiry: Duration,
}

/// An address that the broker listens on.
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    /// The address.
    pub address: ListenAddress,
    /// Whether it speaks MQTT over WebSocket.
    pub websocket: bool,
    /// The web pages besides those of its own address that may connect by WebSocket: `https://home.example`.
    pub origins: Vec<String>,
    /// The certificates; `None`: without TLS.
    pub tls: Option<Tls>,
    /// Whether clients may connect to it without a password; `None`: as the broker says.
    pub anonymous: Option<bool>,
}

/// The files of a listener with TLS, relative to the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The server's certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The authority whose certificates clients must show; `None`: none need be shown.
    pub client_ca: Option<String>,
    /// What of a client's certificate is its user; `None`: nothing, and passwords are asked for besides.
    pub identity: Option<Identity>,
}

/// What of a client's certificate is its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The common name (CN) of its subject.
    CommonName,
}

/// How much clients may use. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Clients at once.
    pub connections: usize,
    /// Sessions, of clients that are there and of those that will come back.
    pub sessions: usize,
    /// Bytes of a packet.
    pub packet: usize,
    /// Messages that wait for one client.
    pub queued_messages: Option<NonZeroUsize>,
    /// Bytes that wait for one client.
    pub queued_bytes: Option<NonZeroUsize>,
    /// Bytes that wait for all clients.
    pub total_queued: usize,
    /// Unacknowledged messages of one client.
    pub inflight: u16,
    /// Retained messages.
    pub retained: usize,
    /// Bytes of retained messages.
    pub retained_bytes: usize,
    /// Subscriptions of one client.
    pub subscriptions: Option<NonZeroUsize>,
    /// Levels of a topic.
    pub topic_levels: usize,
    /// Messages that one client may publish in a second.
    pub messages_per_second: Option<NonZeroUsize>,
    /// How long a client has until it has said who it is.
    pub connect_timeout: Duration,
}

/// A broker elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalBroker {
    /// `mqtt://host:1883`, `mqtts://user@host:8883`.
    pub url: String,
    /// The user; `None`: the one in the URL, if it has one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Password>,
    /// The file with the password, relative to the home.
    pub password_file: Option<String>,
    /// The file with the authority that signed its certificate, relative to the home; `None`: the system's.
    pub ca: Option<String>,
    /// The files with our own certificate and its key, relative to the home.
    pub certificate: Option<ClientCertificate>,
    /// Whether any certificate of its will do.
    pub insecure: bool,
    /// How it knows us; `None`: `homerule`, the instance's name and something random that is kept.
    pub client_id: Option<String>,
    /// The `QoS` of our subscriptions.
    pub qos: Qos,
    /// How many of our messages wait while it is away.
    pub outbox: usize,
    /// What we subscribe to besides what rules need.
    pub subscribe: Vec<TopicFilter>,
}

/// The files of a client's certificate, relative to the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// A password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

impl EmbeddedBroker {
    /// Returns whether clients may connect to `listener` without a password: where nothing says so, if there are no users, and
    /// only this machine reaches it, or each client shows a certificate.
    #[must_use]
    pub fn lets_anonymous_in(&self, listener: &Listener) -> bool {
        let is_guarded = || listener.address.is_loopback() || listener.asks_for_certificates();
        let default = || self.users.is_none() && is_guarded();
        listener.anonymous.or(self.anonymous).unwrap_or_else(default)
    }
}

impl Listener {
    /// Returns a listener for plain MQTT.
    #[must_use]
    pub fn plain(address: ListenAddress) -> Listener {
        Listener { address, websocket: false, origins: Vec::new(), tls: None, anonymous: None }
    }

    /// Returns whether clients must show a certificate.
    #[must_use]
    pub fn asks_for_certificates(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
    }
}

impl Default for EmbeddedBroker {
    fn default() -> EmbeddedBroker {
        EmbeddedBroker {
            listen: vec![Listener::plain(ListenAddress::loopback(1883))],
            anonymous: None,
            users: None,
            acl: None,
            limits: BrokerLimits::default(),
            session_expiry: Duration::from_hours(30 * 24),
        }
    }
}

impl Default for BrokerLimits {
    fn default() -> BrokerLimits {
        BrokerLimits {
            connections: 1000,
            sessions: 10_000,
            packet: 16 << 20,
            queued_messages: NonZeroUsize::new(1000),
            queued_bytes: NonZeroUsize::new(10 << 20),
            total_queued: 1 << 30,
            inflight: 20,
            retained: 100_000,
            retained_bytes: 100 << 20,
            subscriptions: NonZeroUsize::new(1000),
            topic_levels: 64,
            messages_per_second: None,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl ExternalBroker {
    /// Returns the broker at `url`, with the defaults of everything else.
    #[must_use]
    pub fn at(url: String) -> ExternalBroker {
        ExternalBroker {
            url,
            user: None,
            password: None,
            password_file: None,
            ca: None,
            certificate: None,
            insecure: false,
            client_id: None,
            qos: Qos::AtLeastOnce,
            outbox: 10_000,
            subscribe: Vec::new(),
        }
    }
}
