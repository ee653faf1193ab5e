//! What the broker keeps of each rule (docs/operating.md): `homerule/rule/ID` is a retained JSON of whether it is switched on and how
//! its last run ended; on `homerule/rule/ID/set` it is asked for something.
//!
//! A busy rule is told of once in a while only: a first change at once, those that follow with the next [`RuleTopics::rest`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::engine::{Engine, Event, Outcome, Trace};
use crate::model::{Map, Message, Origin, Payload, Qos, RuleId, Topic};

use crate::api::{FailingRule, LastRun};
use crate::daemon::home::event_loop::EventLoop;
use crate::daemon::mqtt::Retained;

/// How the topics of rules begin.
const PREFIX: &str = "homerule/rule/";

/// How the topic ends on which something is asked of a rule.
const SET: &str = "/set";

/// What is told of rules.
#[derive(Debug, Default)]
pub(in crate::daemon) struct RuleTopics {
    rules: BTreeMap<RuleId, Told>,
    /// What may have changed since it was told, and is told next.
    changed: BTreeSet<RuleId>,
    /// What was told since the last rest.
    recent: BTreeSet<RuleId>,
    /// What of that may have changed again: it is told after the next rest.
    later: BTreeSet<RuleId>,
}

/// What is told of one rule.
#[derive(Debug, Default)]
struct Told {
    last_run: Option<Timestamp>,
    outcome: Option<Cow<'static, str>>,
    /// Why that failed; `None`: it didn't, or before the start.
    reason: Option<String>,
    /// What the broker keeps.
    payload: Bytes,
}

/// The payload of `homerule/rule/ID`.
#[derive(Debug, Serialize, Deserialize)]
struct RuleStatus {
    enabled: bool,
    last_run: Option<Timestamp>,
    outcome: Option<Cow<'static, str>>,
    /// Until when it yields to somebody; `null`: nobody knows. Left out where it doesn't.
    #[expect(clippy::option_option, reason = "left out isn't `null`")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overridden_until: Option<Option<Timestamp>>,
}

impl RuleTopics {
    /// Takes over what the broker kept before the start; all of it is compared with the rules as they are now.
    pub(in crate::daemon) fn restore(&mut self, retained: &[Retained]) {
        for retained in retained {
            let Some(id) = retained.topic.strip_prefix(PREFIX).filter(|id| !id.ends_with(SET)) else { continue };
            let status = serde_json::from_slice::<RuleStatus>(&retained.payload).ok();
            let (last_run, outcome) = status.map(|status| (status.last_run, status.outcome)).unwrap_or_default();
            let id = RuleId::from_text(id);
            self.changed.insert(id.clone());
            self.rules.insert(id, Told { last_run, outcome, reason: None, payload: retained.payload.clone() });
        }
    }

    /// Looks at every rule: those of before, and those that `engine` has now.
    pub(in crate::daemon) fn look_at_all(&mut self, engine: &Engine) {
        let rules: Vec<RuleId> = self.rules.keys().chain(engine.rule_ids()).cloned().collect();
        for rule in rules {
            self.look(rule);
        }
    }

    /// Looks at a rule that may have been switched, or has changed.
    pub(in crate::daemon) fn look(&mut self, rule: RuleId) {
        if self.recent.contains(&rule) {
            self.later.insert(rule);
        } else {
            self.changed.insert(rule);
        }
    }

    /// Notes how a run ended.
    pub(in crate::daemon) fn note(&mut self, trace: &Trace) {
        if matches!(trace.outcome, Outcome::Skipped(_)) {
            return;
        }
        let told = self.rules.entry(trace.rule.clone()).or_default();
        told.last_run = Some(trace.at);
        told.outcome = Some(trace.outcome.word().into());
        told.reason = match &trace.outcome {
            Outcome::Failed(fault) => Some(fault.to_string()),
            _ => None,
        };
        self.look(trace.rule.clone());
    }

    /// Returns how the last run of a rule ended; `None` where none did.
    pub(in crate::daemon) fn last_run(&self, rule: &RuleId) -> Option<LastRun> {
        let told = self.rules.get(rule)?;
        Some(LastRun { at: told.last_run?, outcome: told.outcome.clone()?.into_owned(), reason: told.reason.clone() })
    }

    /// Returns the rules whose last run failed.
    pub(in crate::daemon) fn failing(&self, engine: &Engine) -> Vec<FailingRule> {
        let is_failing = |(rule, told): &(&RuleId, &Told)| {
            told.outcome.as_deref() == Some("failed") && engine.is_enabled(rule).is_some()
        };
        let failing = self.rules.iter().filter(is_failing);
        let told = |(rule, told): (&RuleId, &Told)| FailingRule {
            rule: rule.to_string(),
            at: told.last_run,
            reason: told.reason.clone(),
        };
        failing.map(told).collect()
    }

    /// Returns whether `message` says something else on a rule's topic than what is told of it.
    pub(in crate::daemon) fn is_overwritten_by(&self, message: &Message) -> bool {
        let told = rule_of(&message.topic).and_then(|rule| self.rules.get(&rule));
        told.is_some_and(|told| told.payload != *message.payload.bytes())
    }

    /// Tells again what is told on `topic`.
    pub(in crate::daemon) fn tell_again(&mut self, topic: &Topic) {
        let Some(rule) = rule_of(topic) else { return };
        if let Some(told) = self.rules.get_mut(&rule) {
            told.payload = Bytes::new();
            self.changed.insert(rule);
        }
    }

    /// Lets the next changes tell all that changed, however recently it was told.
    pub(in crate::daemon) fn rest(&mut self) {
        self.recent.clear();
        self.changed.append(&mut self.later);
    }

    /// Returns what is to be published now.
    pub(in crate::daemon) fn changes(&mut self, engine: &Engine) -> Vec<Message> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().filter_map(|id| self.change(id, engine)).collect()
    }

    /// Returns what is to be published of one rule; `None`: the broker keeps it already.
    fn change(&mut self, id: RuleId, engine: &Engine) -> Option<Message> {
        let topic = Topic::parse(&format!("{PREFIX}{id}")).ok()?;
        let payload = if let Some(enabled) = engine.is_enabled(&id) {
            let told = self.rules.entry(id.clone()).or_default();
            let overridden = engine.overridden(&id);
            let overridden_until =
                overridden.iter().map(|it| it.until).max_by_key(|until| until.unwrap_or(Timestamp::MAX));
            let status =
                RuleStatus { enabled, last_run: told.last_run, outcome: told.outcome.clone(), overridden_until };
            let payload = Bytes::from(serde_json::to_vec(&status).ok()?);
            if payload == told.payload {
                return None;
            }
            told.payload = payload.clone();
            self.recent.insert(id);
            payload
        } else {
            // The rule is gone; an empty payload takes what the broker keeps.
            self.rules.remove(&id).filter(|told| !told.payload.is_empty())?;
            Bytes::new()
        };
        let payload = Payload::from_bytes(payload);
        Some(Message { topic, payload, qos: Qos::AtLeastOnce, retain: true, origin: Origin::Own, expires_at: None })
    }
}

/// Returns the rule of which `topic` tells.
fn rule_of(topic: &Topic) -> Option<RuleId> {
    let id = topic.as_str().strip_prefix(PREFIX).filter(|id| !id.ends_with(SET))?;
    Some(RuleId::from_text(id))
}

/// Something that was asked of a rule on its topic.
pub(in crate::daemon) struct RuleRequest {
    /// Where it was asked.
    topic: Topic,
    /// The rule, as it was named.
    rule: String,
    /// What is to be done; `None`: the payload is no word for anything.
    event: Option<fn(RuleId) -> Event>,
}

impl RuleRequest {
    /// Returns what `message` asks for; `None` where it is an ordinary message.
    pub(in crate::daemon) fn of(message: &Message) -> Option<RuleRequest> {
        let rule = message.topic.as_str().strip_prefix(PREFIX)?.strip_suffix(SET)?;
        let event: Option<fn(RuleId) -> Event> = match message.payload.text().map(str::trim) {
            Some("enable") => Some(|rule| Event::Switch { rule, is_enabled: true }),
            Some("disable") => Some(|rule| Event::Switch { rule, is_enabled: false }),
            Some("run") => Some(|rule| Event::RunRule { rule, with: Map::default() }),
            Some("resume") => Some(Event::Resume),
            _ => None,
        };
        Some(RuleRequest { topic: message.topic.clone(), rule: rule.to_owned(), event })
    }

    /// Does what is asked, or says in the log why not.
    pub(in crate::daemon) fn grant(self, home: &mut EventLoop) {
        let RuleRequest { topic, rule, event } = self;
        let Some(event) = event else {
            warn!("`{topic}` takes `enable`, `disable`, `run` or `resume`, and nothing else.");
            return;
        };
        let view = home.view();
        match view.find_one_rule(&rule) {
            Ok(rule) => home.act_on_rule(event(rule), "a client, over MQTT,"),
            Err(error) => warn!("`{topic}` asks for no rule: {}.", view.no_rule(&rule, &error)),
        }
    }
}
