//! What a publication depended on, cut out of what the daemon remembers: the makings of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::daemon::event_loop::EventLoop;
use crate::daemon::heard::Speaker;
use crate::engine::{CauseKind, Trace};
use crate::model::{Payload, RuleId, Topic};
use crate::rules::{ClientChange, Condition, ConditionKind, Rule, Start, TriggerKind};

use super::{Link, chain};

/// The most topics that are given, and messages that are told, where all that might matter is asked for.
const MOST: usize = 500;

/// What a publication depended on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Incident {
    /// The topic that was published to.
    pub topic: String,
    /// What was published; as JSON.
    pub value: serde_json::Value,
    /// When a test of it begins.
    pub start: Timestamp,
    /// When it was published.
    pub end: Timestamp,
    /// The rules of the chain, outermost first.
    pub rules: Vec<String>,
    /// What was known before the start, by topic; as JSON.
    pub given: BTreeMap<String, serde_json::Value>,
    /// What came from outside, in order.
    pub said: Vec<Said>,
    /// What can't be told in a test, in words.
    pub left_out: Vec<String>,
}

/// Something that came from outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Said {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: SaidKind,
}

/// What came from outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaidKind {
    /// A message of a client.
    Message {
        /// Its topic.
        topic: String,
        /// What it said; as JSON.
        value: serde_json::Value,
        /// How surely it was delivered.
        qos: u8,
        /// Whether it was to be kept.
        retain: bool,
    },
    /// A POST to a hook.
    Webhook {
        /// The hook's name.
        name: String,
        /// What was posted; as JSON.
        value: serde_json::Value,
    },
    /// A client that came or went.
    Client {
        /// Its id.
        id: String,
        /// Which of both.
        is_connected: bool,
    },
}

/// Returns what the last publication to `topic` depended on; with `all`, whatever might have mattered. `None` where no
/// rule published it.
pub(in crate::daemon) fn incident(home: &mut EventLoop, topic: &Topic, all: bool) -> Option<Incident> {
    let end = home.heard.last(topic)?.at;
    let traces: Vec<Arc<Trace>> = chain(home, topic)
        .into_iter()
        .filter_map(|link| match link {
            Link::Run(trace, _) => Some(trace),
            Link::Client(..) => None,
        })
        .collect();
    let published = home.heard.before(topic, end)?;
    let value = published.message.payload.value().to_json();
    let mut rules: Vec<(RuleId, Arc<Rule>)> = Vec::new();
    let mut start = end;
    for trace in &traces {
        for id in [trace.rule.clone()].into_iter().chain(called(trace)) {
            let Some(view) = home.engine.view(&id) else { continue };
            start = start.min(trace.at - lookback(&view.rule));
            if rules.iter().all(|(known, _)| *known != id) {
                rules.push((id, view.rule));
            }
        }
    }
    if rules.is_empty() {
        return None;
    }
    // A whole second, which is what a test begins with, and one more, so that nothing happens at the start itself.
    let start = Timestamp::from_second(start.as_second() - 1).unwrap_or(start);
    let mut cut = Cut { home, start, end, topics: topics(home, &traces, &rules), left_out: BTreeSet::new() };
    if all {
        cut.topics.extend(home.engine.states().iter().map(|(topic, _)| topic.clone()).take(MOST));
    }
    let given = cut.given();
    let mut said = cut.messages();
    said.extend(traces.iter().filter_map(|trace| cut.other(trace, &rules)));
    said.sort_by_key(|said| said.at);
    Some(Incident {
        topic: topic.to_string(),
        value,
        start,
        end,
        rules: rules.iter().map(|(id, _)| id.to_string()).collect(),
        given,
        said,
        left_out: cut.left_out.into_iter().collect(),
    })
}

struct Cut<'a> {
    home: &'a EventLoop,
    start: Timestamp,
    end: Timestamp,
    topics: BTreeSet<Topic>,
    left_out: BTreeSet<String>,
}

impl Cut<'_> {
    /// Returns what was known of the topics before the start.
    fn given(&mut self) -> BTreeMap<String, serde_json::Value> {
        let mut given = BTreeMap::new();
        for topic in self.topics.clone() {
            let heard = self.home.heard.before(&topic, self.start).map(|heard| &heard.message.payload);
            let known = self.home.engine.states().get(topic.as_str());
            let known = known.filter(|state| state.changed_at <= self.start).map(|state| &state.payload);
            let Some(payload) = heard.or(known).filter(|payload| !payload.is_empty()).cloned() else { continue };
            if let Some(value) = self.json(&topic, &payload) {
                given.insert(topic.to_string(), value);
            }
        }
        given
    }

    /// Returns what clients published to the topics since the start.
    fn messages(&mut self) -> Vec<Said> {
        let home = self.home;
        let within = home.heard.messages().filter(|heard| heard.at > self.start && heard.at <= self.end);
        let from_outside = within.filter(|heard| matches!(heard.speaker, Speaker::Client(_)));
        let ours: Vec<_> = from_outside.filter(|heard| self.topics.contains(&heard.message.topic)).take(MOST).collect();
        let mut said = Vec::new();
        for heard in ours {
            let message = &heard.message;
            let Some(value) = self.json(&message.topic, &message.payload) else { continue };
            let (topic, qos, retain) = (message.topic.to_string(), message.qos.into(), message.retain);
            said.push(Said { at: heard.at, kind: SaidKind::Message { topic, value, qos, retain } });
        }
        said
    }

    /// Returns what came from outside and was no message.
    fn other(&mut self, trace: &Trace, rules: &[(RuleId, Arc<Rule>)]) -> Option<Said> {
        let kind = match &trace.cause.kind {
            CauseKind::Webhook(name) => {
                let value = trace.steps.first()?.values.iter().find(|(name, _)| name == "msg");
                let value = value.map_or(serde_json::Value::Null, |(_, value)| value.to_json());
                SaidKind::Webhook { name: name.to_string(), value }
            }
            CauseKind::Client(id) => {
                let (_, rule) = rules.iter().find(|(known, _)| *known == trace.rule)?;
                let path = &trace.steps.first()?.path;
                let trigger = rule.triggers().iter().find(|trigger| trigger.path == *path)?;
                let TriggerKind::Client { is, .. } = &trigger.kind else { return None };
                SaidKind::Client { id: id.to_string(), is_connected: *is == ClientChange::Connected }
            }
            CauseKind::Person => {
                self.left_out.insert(format!("a person ran {}, and no step of a test does that", trace.rule));
                return None;
            }
            CauseKind::Message { .. }
            | CauseKind::Time { .. }
            | CauseKind::Condition
            | CauseKind::Event(_)
            | CauseKind::Rule(_) => return None,
        };
        Some(Said { at: trace.at, kind })
    }

    fn json(&mut self, topic: &Topic, payload: &Payload) -> Option<serde_json::Value> {
        if payload.text().is_none() {
            self.left_out.insert(format!("a payload of `{topic}` that is no text"));
            return None;
        }
        Some(payload.value().to_json())
    }
}

/// Returns the rules that a run called.
fn called(trace: &Trace) -> Vec<RuleId> {
    let calls = trace.steps.iter().filter(|step| step.what == "run");
    calls.map(|step| RuleId::from_text(&step.result)).collect()
}

/// Returns how long before a run of the rule something may have happened that it depended on.
fn lookback(rule: &Rule) -> Duration {
    let of_triggers = rule.triggers().iter().filter_map(|trigger| match &trigger.kind {
        TriggerKind::State(state) => state.hold,
        TriggerKind::Silent { hold, .. } => Some(*hold),
        TriggerKind::Topic { .. }
        | TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => None,
    });
    let of_conditions =
        rule.conditions().flat_map(Condition::with_inner).filter_map(|condition| match &condition.kind {
            ConditionKind::State(state) => state.hold,
            _ => None,
        });
    let of_while = match &rule.start {
        Start::While(start) => Some(start.hold.max(start.linger)),
        Start::When(_) => None,
    };
    of_triggers.chain(of_conditions).chain(of_while).max().unwrap_or_default()
}

/// Returns the topics that a chain depended on: those that set its runs off, that conditions and templates read, and
/// that runs waited for.
fn topics(home: &EventLoop, traces: &[Arc<Trace>], rules: &[(RuleId, Arc<Rule>)]) -> BTreeSet<Topic> {
    let states = home.engine.states();
    let mut topics = BTreeSet::new();
    for trace in traces {
        if let CauseKind::Message { topic, .. } = &trace.cause.kind {
            topics.insert(topic.clone());
        }
        let read = trace.steps.iter().flat_map(|step| &step.values).map(|(name, _)| name);
        topics.extend(
            read.filter_map(|name| Topic::parse(name).ok()).filter(|topic| states.get(topic.as_str()).is_some()),
        );
    }
    let waited = rules.iter().flat_map(|(_, rule)| rule.actions()).flat_map(|action| action.kind.triggers());
    let waited: Vec<_> = waited.filter_map(|trigger| trigger_filter(&trigger.kind)).collect();
    let sources: Vec<&str> = rules.iter().flat_map(|(_, rule)| sources(rule)).collect();
    let mentioned = states.iter().map(|(topic, _)| topic).filter(|topic| {
        sources.iter().any(|source| source.contains(topic.as_str()))
            || waited.iter().any(|filter| filter.matches_in_rules(topic))
    });
    topics.extend(mentioned.cloned());
    topics
}

fn trigger_filter(kind: &TriggerKind) -> Option<&crate::model::TopicFilter> {
    match kind {
        TriggerKind::Topic { filter, .. } | TriggerKind::Silent { filter, .. } => Some(filter),
        TriggerKind::State(state) => Some(&state.filter),
        TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Client { .. }
        | TriggerKind::Event(_)
        | TriggerKind::Webhook(_) => None,
    }
}

/// Returns the texts of the expressions in what a rule publishes.
fn sources(rule: &Rule) -> Vec<&str> {
    let messages = rule.actions().flat_map(|action| action.kind.messages());
    let templates = messages.flat_map(|message| [&message.topic, &message.payload]);
    templates.flat_map(crate::script::Template::expressions).map(|expression| expression.source().as_str()).collect()
}
