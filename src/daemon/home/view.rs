//! The home as questions see it: what is known now, to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::api::{Finding, InvariantStatus, NotificationStatus, RuleCounts, Status, StoreStatus};
use crate::daemon::files::last_good::Stale;
use crate::daemon::instance::Instance;
use crate::daemon::mqtt::Mqtt;
use crate::daemon::observers::Counters;
use crate::daemon::observers::broadcast::Broadcast;
use crate::daemon::observers::heard::Heard;
use crate::daemon::observers::rule_topics::RuleTopics;
use crate::daemon::observers::traces::Traces;
use crate::daemon::recorder::Recorder;
use crate::daemon::shadow::Shadow;
use crate::daemon::store::{Health, Store};
use crate::engine::Engine;
use crate::explain::LocalTime;
use crate::lang::{Settings, Sources};
use crate::model::Place;
use crate::model::{Fingerprint, RuleId};
use crate::rules::{RuleEntry, Ruleset};

use super::switched::Switched;

/// What is known of the home.
pub(in crate::daemon) struct HomeView<'a> {
    /// The time that the loop was last told.
    pub(in crate::daemon) now: Timestamp,
    /// What decides. To see how near a rule is to running, it asks the rule's conditions, and nothing else changes.
    pub(in crate::daemon) engine: &'a mut Engine,
    /// What speaks MQTT.
    pub(in crate::daemon) mqtt: &'a Mqtt,
    /// Which of several instances this is; `None`: it is the only one.
    pub(in crate::daemon) instance: Option<&'a Instance>,
    pub(in crate::daemon) settings: &'a Settings,
    pub(in crate::daemon) traces: &'a Traces,
    pub(in crate::daemon) heard: &'a Heard,
    pub(in crate::daemon) rule_topics: &'a RuleTopics,
    pub(in crate::daemon) recorder: &'a Recorder,
    pub(in crate::daemon) broadcast: &'a Broadcast,
    pub(in crate::daemon) counters: Counters,
    /// Who switched which rule last, and when.
    pub(in crate::daemon) switches: &'a BTreeMap<RuleId, Switched>,
    /// The files in force.
    pub(in crate::daemon) sources: &'a Sources,
    /// What was found in the home's files.
    pub(in crate::daemon) findings: &'a [Finding],
    /// The files that aren't in force as they are on the disk.
    pub(in crate::daemon) stale: &'a BTreeMap<Arc<str>, Stale>,
    /// When the daemon started.
    pub(in crate::daemon) started: Instant,
    /// Rules that run beside those in force.
    pub(in crate::daemon) shadow: Option<&'a Shadow>,
    pub(super) listen: &'a [String],
    pub(super) ruleset: &'a Ruleset,
    pub(super) store: &'a Store,
}

impl HomeView<'_> {
    /// Returns how times are written for those who ask.
    pub(in crate::daemon) fn local_time(&self) -> LocalTime {
        LocalTime::new(self.engine.calendar().zone.clone())
    }

    /// Returns the rules in force as a whole, with their secrets.
    pub(in crate::daemon) fn ruleset(&self) -> Ruleset {
        self.ruleset.clone()
    }

    /// Returns the rules in force.
    pub(in crate::daemon) fn rules(&self) -> &[RuleEntry] {
        &self.ruleset.entries
    }

    /// Returns the files that don't load, so that their rules may not be in force.
    pub(in crate::daemon) fn broken_files(&self) -> BTreeSet<&str> {
        self.findings.iter().filter(|found| found.is_error()).map(|found| found.file.as_str()).collect()
    }

    /// Returns whether the rule of `entry` is switched on. What makes rules is on where it can make some.
    pub(in crate::daemon) fn is_enabled(&self, entry: &RuleEntry) -> bool {
        self.engine.is_enabled(entry.id()).unwrap_or(true)
    }

    /// Returns whether `place` is in a file that isn't in force as it is on the disk.
    pub(in crate::daemon) fn is_stale(&self, place: &Place) -> bool {
        self.stale.contains_key(&place.file)
    }

    /// Returns how the daemon is.
    pub(in crate::daemon) fn status(&self) -> Status {
        let loaded = self.engine.rule_ids().count();
        let enabled = self.engine.rule_ids().filter(|id| self.engine.is_enabled(id) == Some(true)).count();
        let failing = self.rule_topics.failing(self.engine);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: self.started.elapsed().as_secs_f64(),
            listen: self.listen.to_vec(),
            rules: RuleCounts { loaded, enabled, failed: failing.len() },
            failing,
            invariants: self.engine.invariants().iter().map(InvariantStatus::new).collect(),
            ruleset: fingerprint(self.rules()),
            stale: self.stale.keys().map(ToString::to_string).collect(),
            diagnostics: self.findings.to_vec(),
            store: self.store_status(),
            recorder: self.recorder.status(),
            notifications: NotificationStatus::of(self.engine),
            broker: self.mqtt.broker().map(|broker| broker.status()),
            link: self.mqtt.link().map(|link| link.status(self.now)),
            instance: self.instance.map(Instance::status),
            healthy: self.stale.is_empty()
                && !self.findings.iter().any(Finding::is_error)
                && self.store.health() == Health::Well
                && self.mqtt.is_well(),
        }
    }

    /// Returns whether what should survive a restart does.
    pub(in crate::daemon) fn store_status(&self) -> StoreStatus {
        let failing = match self.store.health() {
            Health::Well => None,
            Health::Failing(reason) => Some(reason),
        };
        StoreStatus { failing, lost: self.store.losses().to_vec() }
    }
}

/// Returns a short text that is equal for rules that mean the same.
pub(super) fn fingerprint(rules: &[RuleEntry]) -> String {
    let mut hash = Fingerprint::new();
    for entry in rules {
        hash.bytes(entry.id().as_str().as_bytes());
        if let RuleEntry::Rule(rule) = entry {
            hash.number(rule.fingerprint);
        }
    }
    format!("{:016x}", hash.value())
}
