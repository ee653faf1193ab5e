//! `homerule.yaml`: the settings of a home. Each has a default.

mod address;
mod broker;
mod broker_decoder;
mod broker_limits;
mod calendars;
pub(super) mod decoder;
mod devices;
mod external_decoder;
mod folder_name;
mod instance;
mod instance_decoder;
mod not_offered;
mod notify;
pub(super) mod secrets;
mod shadow;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::schedule::Location;
use crate::model::{Topic, TopicFilter, Value, matches_star};
use crate::rules::Targets;
use crate::script;

pub use address::{Host, ListenAddress};
pub use broker::{
    BrokerLimits, BrokerSettings, ClientCertificate, EmbeddedBroker, ExternalBroker, Identity, Listener, Password, Tls,
};
pub use devices::{DiscoverySettings, NamedDevices};
pub use instance::{InstanceRole, InstanceSettings};
pub use secrets::Secret;
pub use shadow::{Compare, ShadowSettings};

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
    /// What several instances of one home share; `None`: there is one.
    pub instance: Option<InstanceSettings>,
    /// The first levels of our own topics, which rules call `homerule`.
    pub topic_prefix: String,
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
    /// How many bytes a payload may have to be kept as state and recorded.
    pub payload: usize,
    /// How many samples of a series of the past stay exact.
    pub samples: usize,
    /// How many commands a topic may get in a minute, beyond one for each message from outside: what `explore` looks for.
    pub at_most: usize,
    /// Payloads, and values within them, that are skipped.
    pub ignored: Vec<Value>,
    /// The iCalendar files, relative to the home, by the names that rules use.
    pub calendars: BTreeMap<Arc<str>, Arc<str>>,
    /// What rules may do outside the broker.
    pub allow: Allow,
    /// What is kept of the messages; `None`: nothing.
    pub recorder: Option<RecorderSettings>,
    /// How many bytes the traces, and the messages that led to them, may take.
    pub trace_memory: usize,
    /// Which sources of devices are read, and what Home Assistant is told.
    pub discovery: DiscoverySettings,
    /// What is said of single devices.
    pub named_devices: NamedDevices,
    /// What the home is called; `None`: as its folder.
    pub name: Option<String>,
    /// Where notifications go.
    pub targets: Targets,
    /// The texts of `notify` that nobody is shown: they came from elsewhere.
    pub secrets: Vec<Arc<str>>,
    /// Rules that run beside those in force and do nothing; `None`: there are none.
    pub shadow: Option<ShadowSettings>,
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
    /// Whether the settings say so; else it is `#`.
    pub is_include_written: bool,
    /// Of which topics not.
    pub exclude: Vec<TopicFilter>,
}

/// The HTTP interface.
#[derive(Debug, Clone, PartialEq)]
pub struct WebSettings {
    /// Where it listens.
    pub listen: ListenAddress,
    /// The file with the token, relative to the home.
    pub token_file: Option<String>,
    /// Its certificate; `None`: without TLS.
    pub tls: Option<WebTls>,
    /// How others reach it: `https://home.example`; `None`: at its address.
    pub public_url: Option<String>,
    /// Whether rules may be changed there.
    pub edit: bool,
}

/// The files of the HTTP interface with TLS, relative to the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebTls {
    /// Its certificate.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
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
            instance: None,
            topic_prefix: "homerule".to_owned(),
            web: WebSettings::default(),
            devices: Vec::new(),
            limits: script::Limits { evaluation: Duration::from_millis(100), ..script::Limits::default() },
            chain: 16,
            storm: 100,
            runs: 1000,
            payload: 256 << 10,
            samples: 2000,
            at_most: 20,
            ignored: Vec::new(),
            calendars: BTreeMap::new(),
            allow: Allow { exec: Vec::new(), http: vec!["*".into()] },
            recorder: Some(RecorderSettings::default()),
            trace_memory: 16 << 20,
            discovery: DiscoverySettings::default(),
            named_devices: NamedDevices::default(),
            name: None,
            targets: Targets::default(),
            secrets: Vec::new(),
            shadow: None,
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
            is_include_written: false,
            exclude: Vec::new(),
        }
    }
}

impl Default for WebSettings {
    fn default() -> WebSettings {
        WebSettings {
            listen: ListenAddress::loopback(8330),
            token_file: None,
            tls: None,
            public_url: None,
            edit: false,
        }
    }
}

impl Allow {
    /// Returns whether a rule may ask `url`.
    #[must_use]
    pub fn allows_url(&self, url: &str) -> bool {
        self.http.iter().any(|pattern| matches_star(pattern, url))
    }
}
