//! `homerule.yaml`: the settings of a home. Each has a default.

mod broker_limits;
pub(super) mod decoder;
mod folder_name;
pub(super) mod secrets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::schedule::Location;
use crate::model::{Topic, TopicFilter, matches_star};
use crate::script;

pub use secrets::Secret;

/// The settings of a home.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the sun is seen from.
    pub location: Option<Location>,
    /// The IANA name of the home's zone; `None`: the system's.
    pub zone: Option<String>,
    /// The folder of the daemon's data, relative to the home.
    pub data: String,
    /// The folder of the rules, relative to the home.
    pub rules: String,
    /// The broker.
    pub broker: BrokerSettings,
    /// The HTTP interface.
    pub web: WebSettings,
    /// Filters whose named wildcards name a device.
    pub devices: Vec<TopicFilter>,
    /// What an evaluation may use.
    pub limits: script::Limits,
    /// How many publications may follow one another without a message from outside.
    pub chain: u32,
    /// How often rules' own publications may trigger one rule in ten seconds.
    pub storm: usize,
    /// How many runs there may be at once.
    pub runs: usize,
    /// What rules may do outside the broker.
    pub allow: Allow,
    /// What is kept of the messages; `None`: nothing.
    pub recorder: Option<RecorderSettings>,
    /// How many bytes the traces, and the messages that led to them, may take.
    pub trace_memory: usize,
    /// Home Assistant's discovery.
    pub discovery: DiscoverySettings,
}

/// What is kept of the messages that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderSettings {
    /// How long.
    pub keep: Duration,
    /// How many bytes.
    pub max_size: u64,
    /// Of which topics.
    pub include: Vec<TopicFilter>,
    /// Of which topics not.
    pub exclude: Vec<TopicFilter>,
}

/// Home Assistant's discovery messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// The first levels of their topics.
    pub prefix: String,
    /// Whether our own rules are announced there.
    pub announce: bool,
}

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
    /// Whether clients may connect without a password; `None`: on loopback addresses only.
    pub anonymous: Option<bool>,
    /// The password file, relative to the home.
    pub users: Option<String>,
    /// The ACL file, relative to the home.
    pub acl: Option<String>,
    /// How much clients may use.
    pub limits: BrokerLimits,
}

/// An address that the broker listens on.
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    /// The address.
    pub address: SocketAddr,
    /// Whether it speaks MQTT over WebSocket.
    pub websocket: bool,
    /// The certificates; `None`: without TLS.
    pub tls: Option<Tls>,
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
}

/// How much clients may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Clients at once.
    pub connections: usize,
    /// Bytes of a packet.
    pub packet: usize,
    /// Messages that wait for one client.
    pub queued_messages: usize,
    /// Unacknowledged messages of one client.
    pub inflight: u16,
    /// Retained messages.
    pub retained: usize,
}

/// A broker elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalBroker {
    /// `mqtt://host:1883`, `mqtts://user@host:8883`.
    pub url: String,
    /// The file with the password, relative to the home.
    pub password_file: Option<String>,
    /// How it knows us; `None`: `homerule` and something random.
    pub client_id: Option<String>,
    /// The file with the authority that signed its certificate, relative to the home; `None`: the system's.
    pub ca: Option<String>,
    /// The file with our own certificate, relative to the home.
    pub certificate: Option<String>,
    /// The file with that certificate's key, relative to the home.
    pub key: Option<String>,
}

/// The HTTP interface.
#[derive(Debug, Clone, PartialEq)]
pub struct WebSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The file with the token, relative to the home.
    pub token_file: Option<String>,
}

/// What rules may do outside the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Programs that `exec` may run.
    pub exec: Vec<Arc<str>>,
    /// Patterns (`*` stands for any text) of URLs that `http` may ask.
    pub http: Vec<Arc<str>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            location: None,
            zone: None,
            data: ".homerule".to_owned(),
            rules: "rules".to_owned(),
            broker: BrokerSettings::Embedded(EmbeddedBroker::default()),
            web: WebSettings::default(),
            devices: Vec::new(),
            limits: script::Limits { evaluation: Duration::from_millis(100), ..script::Limits::default() },
            chain: 16,
            storm: 100,
            runs: 1000,
            allow: Allow { exec: Vec::new(), http: vec!["*".into()] },
            recorder: Some(RecorderSettings::default()),
            trace_memory: 16 << 20,
            discovery: DiscoverySettings { prefix: "homeassistant".to_owned(), announce: false },
        }
    }
}

impl Settings {
    /// Returns how many bytes the traces may take: three quarters of `traces.memory`.
    #[must_use]
    pub fn memory_of_traces(&self) -> usize {
        self.trace_memory - self.memory_of_messages()
    }

    /// Returns how many bytes the messages beside them may take.
    #[must_use]
    pub fn memory_of_messages(&self) -> usize {
        self.trace_memory / 4
    }
}

impl RecorderSettings {
    /// Returns whether messages of `topic` are kept.
    #[must_use]
    pub fn includes(&self, topic: &Topic) -> bool {
        let matches = |filter: &TopicFilter| filter.matches(topic);
        self.include.iter().any(matches) && !self.exclude.iter().any(matches)
    }
}

impl Default for RecorderSettings {
    fn default() -> RecorderSettings {
        RecorderSettings {
            keep: Duration::from_hours(7 * 24),
            max_size: 500 << 20,
            include: TopicFilter::parse("#").into_iter().collect(),
            exclude: Vec::new(),
        }
    }
}

impl Default for EmbeddedBroker {
    fn default() -> EmbeddedBroker {
        EmbeddedBroker {
            listen: vec![Listener { address: SocketAddr::from(([127, 0, 0, 1], 1883)), websocket: false, tls: None }],
            anonymous: None,
            users: None,
            acl: None,
            limits: BrokerLimits::default(),
        }
    }
}

impl Default for BrokerLimits {
    fn default() -> BrokerLimits {
        BrokerLimits { connections: 1000, packet: 1 << 20, queued_messages: 1000, inflight: 20, retained: 100_000 }
    }
}

impl Default for WebSettings {
    fn default() -> WebSettings {
        WebSettings { listen: SocketAddr::from(([127, 0, 0, 1], 8330)), token_file: None }
    }
}

impl Allow {
    /// Returns whether a rule may ask `url`.
    #[must_use]
    pub fn allows_url(&self, url: &str) -> bool {
        self.http.iter().any(|pattern| matches_star(pattern, url))
    }
}
