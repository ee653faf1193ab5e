//! What a publication depended on, cut out of what's remembered and recorded: what a test of it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::{Cause, CauseKind};
use crate::model::{Payload, RuleId, States, Topic, is_inner, spoken};
use crate::rules::{ClientChange, Condition, ConditionKind, DeviceTrigger, Rule, Start, Trigger, TriggerKind};

use super::chain::Chain;
use super::heard::{HeardMessage, History, Speaker};
use super::link::Link;

/// The most topics that are given, and messages that are told, if everything that might matter is asked for.
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
    /// What a test can't tell, in words.
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
    /// A client that connected or disconnected.
    Client {
        /// Its id.
        id: String,
        /// Which of both.
        is_connected: bool,
    },
}

/// What's missing from an incident if memory doesn't reach back to its start.
#[derive(Debug)]
pub struct Gaps {
    topics: BTreeSet<Topic>,
    /// Topics of which it isn't known what they were at the start.
    unknown: Vec<Topic>,
    start: Timestamp,
    /// Up to then, messages are to be found elsewhere; `None`: memory has them all.
    until: Option<Timestamp>,
}

/// What's in memory of an incident.
pub struct Scene<'a> {
    /// What's known of topics.
    pub states: &'a States,
    /// The last messages.
    pub heard: &'a dyn History,
    /// All messages after this are among them.
    pub heard_since: Timestamp,
    /// The topics of the broker on which is said what a device or an input is.
    pub said_on: &'a dyn Fn(&Topic) -> Vec<Topic>,
}

impl Incident {
    /// Returns what the publication at the end of `chain` depended on, as far as memory reaches, and what's missing then;
    /// with [`Extent::Everything`], whatever might have mattered. `find_rule` gives the rules in force.
    ///
    /// # Errors
    /// If no rule published it, or the rule is gone; in words.
    pub fn of(
        chain: &Chain,
        extent: Extent,
        scene: &Scene<'_>,
        find_rule: &dyn Fn(&RuleId) -> Option<Arc<Rule>>,
    ) -> Result<(Incident, Gaps), String> {
        let topic = chain.topic();
        let nobody = || format!("no rule published `{topic}`, as far back as the daemon remembers and records");
        let (end, payload) = chain.published().ok_or_else(nobody)?;
        let mut rules: Vec<(RuleId, Arc<Rule>)> = Vec::new();
        let mut start = end;
        // The outermost first.
        for link in chain.links().iter().rev() {
            for id in link.rules() {
                let Some(rule) = find_rule(&id) else { continue };
                start = start.min(link.at() - lookback(&rule)).min(link.began_at());
                if rules.iter().all(|(known, _)| *known != id) {
                    rules.push((id, rule));
                }
            }
        }
        if rules.is_empty() {
            let gone = chain.links().first().and_then(|link| link.rules().into_iter().next());
            let gone = gone.map(|rule| format!("{rule} published `{topic}`, but the home no longer has that rule"));
            return Err(gone.unwrap_or_else(nobody));
        }
        // A whole second, which is what a test begins with, and one more, so that nothing happens at the start itself.
        let start = Timestamp::from_second(start.as_second() - 1).unwrap_or(start);
        let topics = topics(scene, chain, &rules);
        let mut cut = Cut { scene, start, end, topics, left_out: BTreeSet::new() };
        if extent == Extent::Everything {
            let of_the_broker = scene.states.iter().map(|(topic, _)| topic).filter(|topic| !is_inner(topic.as_str()));
            cut.topics.extend(of_the_broker.take(MOST).cloned());
        }
        let (given, unknown) = cut.given();
        let mut said = cut.messages();
        said.extend(chain.links().iter().filter_map(|link| cut.other(link, chain, &rules)));
        said.sort_by_key(|said| said.at);
        let until = Some(scene.heard_since.min(end)).filter(|since| *since >= start);
        let gaps = Gaps { topics: cut.topics, unknown, start, until };
        let incident = Incident {
            topic: topic.to_string(),
            value: payload.value().to_json(),
            start,
            end,
            rules: rules.iter().map(|(id, _)| id.to_string()).collect(),
            given,
            said,
            left_out: cut.left_out.into_iter().collect(),
        };
        Ok((incident, gaps))
    }
}

/// How much of what was known belongs to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What the decision is known to have read.
    Read,
    /// Whatever might have mattered.
    Everything,
}

impl Gaps {
    /// Returns whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.until.is_none() && self.unknown.is_empty()
    }

    /// Fills them with what was recorded.
    pub fn fill(self, incident: &mut Incident, recorded: &dyn History) {
        let mut left_out: BTreeSet<String> = incident.left_out.drain(..).collect();
        if let Some(until) = self.until.filter(|_| !self.topics.is_empty()) {
            let found = recorded.within(self.start, until, &self.topics);
            let found = found.into_iter().filter(HeardMessage::has_origin);
            let mut said: Vec<Said> = found.filter_map(|heard| told(&heard, &mut left_out)).take(MOST).collect();
            said.append(&mut incident.said);
            said.sort_by_key(|said| said.at);
            incident.said = said;
        }
        for topic in self.unknown {
            let Some(before) = recorded.last(&topic, self.start, &|_| true) else { continue };
            let payload = before.message.payload;
            if let Some(value) = json(&topic, &payload, &mut left_out).filter(|_| !payload.is_empty()) {
                incident.given.insert(topic.to_string(), value);
            }
        }
        incident.left_out = left_out.into_iter().collect();
    }
}

struct Cut<'a> {
    scene: &'a Scene<'a>,
    start: Timestamp,
    end: Timestamp,
    topics: BTreeSet<Topic>,
    left_out: BTreeSet<String>,
}

impl Cut<'_> {
    /// Returns what was known of the topics before the start, and the topics of which memory doesn't say.
    fn given(&mut self) -> (BTreeMap<String, serde_json::Value>, Vec<Topic>) {
        let (mut given, mut unknown) = (BTreeMap::new(), Vec::new());
        for topic in self.topics.clone() {
            let heard = self.scene.heard.last(&topic, self.start, &|_| true).map(|heard| heard.message.payload);
            let known = self.scene.states.get(topic.as_str());
            let known = known.filter(|state| state.changed_at <= self.start).map(|state| state.payload.clone());
            let Some(payload) = heard.or(known) else {
                unknown.push(topic);
                continue;
            };
            if let Some(value) = json(&topic, &payload, &mut self.left_out).filter(|_| !payload.is_empty()) {
                given.insert(topic.to_string(), value);
            }
        }
        (given, unknown)
    }

    /// Returns what clients published to the topics since the start.
    fn messages(&mut self) -> Vec<Said> {
        let from = self.start.max(self.scene.heard_since);
        let ours = self.scene.heard.within(from, self.end, &self.topics);
        ours.iter().filter_map(|heard| told(heard, &mut self.left_out)).take(MOST).collect()
    }

    /// Returns what came from outside and was no message.
    fn other(&mut self, link: &Link, chain: &Chain, rules: &[(RuleId, Arc<Rule>)]) -> Option<Said> {
        let (rule, cause, trace) = match link {
            Link::Run(trace, _) => (&trace.rule, &trace.cause, Some(trace)),
            Link::Rule(_, rule, cause, _) => (rule, cause, None),
            Link::Client(..) => return None,
        };
        if cause.run.is_some_and(|run| chain.has_run(run)) {
            return None;
        }
        let outermost = cause.outermost();
        // What's remembered of the run tells nothing of what led to the one that set its timer.
        let trace = trace.filter(|_| outermost == cause);
        let kind = match &outermost.kind {
            CauseKind::Webhook(name) => {
                let Some(trace) = trace else {
                    self.left_out.insert(format!("what was posted to the webhook `{name}`"));
                    return None;
                };
                let value = trace.steps.first()?.values.iter().find(|(name, _)| *name == *"msg");
                let value = value.map_or(serde_json::Value::Null, |(_, value)| value.to_json());
                SaidKind::Webhook { name: name.to_string(), value }
            }
            CauseKind::Client(id) => {
                let Some(trace) = trace else {
                    self.left_out.insert(format!("the client `{id}` connecting or disconnecting"));
                    return None;
                };
                let (_, rule) = rules.iter().find(|(known, _)| *known == trace.rule)?;
                let path = &trace.steps.first()?.path;
                let trigger = rule.triggers().iter().find(|trigger| trigger.path == *path)?;
                let TriggerKind::Client { is, .. } = &trigger.kind else { return None };
                SaidKind::Client { id: id.to_string(), is_connected: *is == ClientChange::Connected }
            }
            CauseKind::Person => {
                self.left_out.insert(format!("that a person ran {rule}, which no step of a test does"));
                return None;
            }
            CauseKind::Message { .. }
            | CauseKind::Time { .. }
            | CauseKind::Condition
            | CauseKind::Expired(_)
            | CauseKind::Event(_)
            | CauseKind::Rule(_) => return None,
        };
        Some(Said { at: link.at(), kind })
    }
}

/// Returns what a client said; `None` if a rule did, or no text tells it.
fn told(heard: &HeardMessage, left_out: &mut BTreeSet<String>) -> Option<Said> {
    let Speaker::Client(_) = &heard.speaker else { return None };
    let message = &heard.message;
    let value = json(&message.topic, &message.payload, left_out)?;
    let (topic, qos, retain) = (message.topic.to_string(), message.qos.into(), message.retain);
    Some(Said { at: heard.at, kind: SaidKind::Message { topic, value, qos, retain } })
}

fn json(topic: &Topic, payload: &Payload, left_out: &mut BTreeSet<String>) -> Option<serde_json::Value> {
    if payload.text().is_none() {
        left_out.insert(format!("a payload of `{topic}` that isn't text"));
        return None;
    }
    Some(payload.value().to_json())
}

/// Returns how long before a run of the rule something may have happened that it depended on.
fn lookback(rule: &Rule) -> Duration {
    let of_triggers = rule.triggers().iter().filter_map(|trigger| match &trigger.kind {
        TriggerKind::State(state) | TriggerKind::Device(DeviceTrigger { state, .. }) => state.hold,
        TriggerKind::Silent { hold, .. } => Some(*hold),
        TriggerKind::Topic { .. }
        | TriggerKind::Schedule { .. }
        | TriggerKind::AtExpression { .. }
        | TriggerKind::Sequence(_)
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
/// that runs waited for. What devices and inputs are stands for the topics on which they say it.
fn topics(scene: &Scene<'_>, chain: &Chain, rules: &[(RuleId, Arc<Rule>)]) -> BTreeSet<Topic> {
    let states = scene.states;
    let inner = || states.iter().map(|(topic, _)| topic).filter(|topic| is_inner(topic.as_str()));
    let mut topics = BTreeSet::new();
    for link in chain.links() {
        let Some(cause) = link.cause() else { continue };
        if let CauseKind::Message { topic, .. } = &cause.kind {
            topics.insert(topic.clone());
        }
        topics.extend(Cause::message(cause).map(|(topic, _)| topic.clone()));
        let read = link.steps().iter().flat_map(|step| &step.values).map(|(name, _)| name);
        for name in read {
            let topic = Topic::parse(name).ok().filter(|topic| states.get(topic.as_str()).is_some());
            topics.extend(topic.or_else(|| inner().find(|topic| spoken(topic.as_str()) == **name).cloned()));
        }
    }
    let waited = rules.iter().flat_map(|(_, rule)| rule.actions()).flat_map(|action| action.kind.triggers());
    let waited: Vec<_> = waited.filter_map(Trigger::filter).collect();
    let sources: Vec<&str> = rules.iter().flat_map(|(_, rule)| sources(rule)).collect();
    let mentioned = states.iter().map(|(topic, _)| topic).filter(|topic| {
        sources.iter().any(|source| source.contains(topic.as_str()))
            || waited.iter().any(|filter| filter.matches_in_rules(topic))
    });
    topics.extend(mentioned.cloned());
    let (named, mut topics): (BTreeSet<Topic>, BTreeSet<Topic>) =
        topics.into_iter().partition(|topic| is_inner(topic.as_str()));
    topics.extend(named.iter().flat_map(|topic| (scene.said_on)(topic)));
    topics
}

/// Returns the texts of the expressions in what a rule publishes.
fn sources(rule: &Rule) -> Vec<&str> {
    let messages = rule.actions().flat_map(|action| action.kind.messages());
    let templates = messages.flat_map(|message| [&message.topic, &message.payload]);
    templates.flat_map(crate::script::Template::expressions).map(|expression| expression.source().as_str()).collect()
}
