//! How the daemon is, as programs read it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BrokerStatus, Finding, NotificationStatus};
use crate::engine::InvariantView;

/// How the daemon is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// Seconds since its start.
    pub uptime: f64,
    /// Where it listens, as URLs.
    pub listen: Vec<String>,
    /// How many rules there are.
    pub rules: RuleCounts,
    /// The rules whose last run failed.
    #[serde(default)]
    pub failing: Vec<FailingRule>,
    /// How the invariants stand; absent: there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invariants: Vec<InvariantStatus>,
    /// What the rules in force are, in short: equal for rules that mean the same.
    pub ruleset: String,
    /// The files that aren't in force as they are on the disk: their last good versions are.
    #[serde(default)]
    pub stale: Vec<String>,
    /// What was found in the home's files when they were last read.
    pub diagnostics: Vec<Finding>,
    /// The link to another broker; absent: our own is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkStatus>,
    /// Which of several instances of the home this is; absent: it is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceStatus>,
    /// Whether all is as it should be: each file is in force, and the store keeps what it should.
    pub healthy: bool,
    /// Whether what should survive a restart does.
    pub store: StoreStatus,
    /// Whether messages are recorded.
    #[serde(default)]
    pub recorder: RecorderStatus,
    /// How notifications stand; absent: homerule.yaml names no target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<NotificationStatus>,
    /// How the embedded broker is; `None`: another one is used.
    #[serde(default)]
    pub broker: Option<BrokerStatus>,
}

/// How an invariant stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvariantStatus {
    /// Its full id.
    pub invariant: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Since when it has been broken; absent: it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_since: Option<Timestamp>,
}

impl InvariantStatus {
    /// Returns how an invariant stands.
    #[must_use]
    pub fn new(view: &InvariantView) -> InvariantStatus {
        let InvariantView { invariant, name, broken_since } = view;
        let name = name.as_ref().map(ToString::to_string);
        InvariantStatus { invariant: invariant.to_string(), name, broken_since: *broken_since }
    }
}

/// The link to another broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LinkStatus {
    /// Where the broker is: `broker.lan:1883`.
    pub broker: String,
    /// Whether it has let us in.
    pub connected: bool,
    /// Since when it is as it is; absent: nothing was heard yet.
    pub since: Option<Timestamp>,
    /// What is spoken: `5.0` or `3.1.1`; absent while there is no connection.
    pub protocol: Option<String>,
    /// What the broker can't do, in words.
    pub lacks: Vec<String>,
    /// How many filters are subscribed.
    pub subscriptions: usize,
    /// The filters that the broker refuses.
    pub refused: Vec<String>,
    /// How many messages wait to be published or acknowledged.
    pub waiting: usize,
    /// How many messages of ours were dropped since the start.
    pub dropped: u64,
    /// What went wrong last, and what to do about it.
    pub last_error: Option<String>,
    /// When it is tried again; absent: there is a connection, or one is being opened.
    pub next_try: Option<Timestamp>,
    /// How often the broker let us in since the start.
    pub connects: u64,
    /// How many messages came since the start.
    pub received: u64,
    /// How many messages were sent since the start.
    pub sent: u64,
    /// How many of our own messages a broker of 3.1.1 sent back.
    pub echoes: u64,
}

/// One of several instances of a home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceStatus {
    /// Its name.
    pub name: String,
    /// `leader`, `standby`, `taking over` or `joining`; where instances share the rules, `sharing` or `joining`.
    pub role: String,
    /// Who leads, as far as is known.
    pub leader: Option<String>,
    /// How often leadership has changed hands.
    pub epoch: u64,
    /// The other instances that are there and share the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares_with: Vec<String>,
}

/// A rule whose last run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailingRule {
    /// Its full id.
    pub rule: String,
    /// When that run began.
    pub at: Option<Timestamp>,
    /// Why it failed; `None`: it did before the daemon's start.
    pub reason: Option<String>,
}

/// Whether messages are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct RecorderStatus {
    /// Whether it is switched on.
    #[serde(rename = "on")]
    pub is_on: bool,
    /// Why nothing can be recorded now; `None`: it can.
    pub failing: Option<String>,
    /// How many messages were not recorded since the start: they came while the disk took nothing, or too fast for it.
    pub lost: u64,
}

/// Whether what should survive a restart does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// Why nothing can be kept now; `None`: all is kept.
    pub failing: Option<String>,
    /// What was lost before the start, in sentences.
    pub lost: Vec<String>,
}

/// How many rules there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct RuleCounts {
    /// In force.
    pub loaded: usize,
    /// Switched on.
    pub enabled: usize,
    /// Whose last run failed.
    pub failed: usize,
}
