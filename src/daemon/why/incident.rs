//! What a publication depended on, cut out of what the daemon remembers: the makings of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::daemon::home::view::HomeView;
use crate::daemon::observers::heard::{HeardMessage, Speaker};
use crate::disk::recorded::{Past, Wanted};
use crate::engine::{Cause, CauseKind, Step, StepKind, StepResult, Trace};
use crate::model::{Payload, RuleId, Topic};
use crate::rules::{ClientChange, Condition, ConditionKind, Rule, Start, Trigger, TriggerKind};

use super::{Chain, Link};

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

/// What is missing of an incident where memory doesn't reach back to its start.
#[derive(Debug)]
pub(in crate::daemon) struct Gaps {
    topics: BTreeSet<Topic>,
    /// Topics of which it isn't known what they were at the start.
    unknown: Vec<Topic>,
    start: Timestamp,
    /// Up to then, messages are to be found elsewhere; `None`: memory has them all.
    until: Option<Timestamp>,
}

/// Returns what the publication at the end of `chain` depended on, as far as memory reaches, and what is missing then; with
/// `all`, whatever might have mattered.
///
/// # Errors
/// Where no rule published it, or the rule is gone; in words.
pub(in crate::daemon) fn incident(
    home: &mut HomeView<'_>,
    chain: &Chain,
    all: bool,
) -> Result<(Incident, Gaps), String> {
    let topic = chain.topic();
    let nobody = || format!("no rule published `{topic}`, as far back as the daemon remembers and records");
    let (end, payload) = chain.published().ok_or_else(nobody)?;
    let mut rules: Vec<(RuleId, Arc<Rule>)> = Vec::new();
    let mut start = end;
    // The outermost first.
    for link in chain.links().iter().rev() {
        for id in link.rules() {
            let Some(view) = home.engine.view(&id, home.now) else { continue };
            start = start.min(link.at() - lookback(&view.rule)).min(link.began_at());
            if rules.iter().all(|(known, _)| *known != id) {
                rules.push((id, view.rule));
            }
        }
    }
    if rules.is_empty() {
        let gone = chain.links().first().and_then(|link| link.rules().into_iter().next());
        return Err(
            gone.map_or_else(nobody, |rule| format!("{rule} published `{topic}`, and is no rule of the home any more"))
        );
    }
    // A whole second, which is what a test begins with, and one more, so that nothing happens at the start itself.
    let start = Timestamp::from_second(start.as_second() - 1).unwrap_or(start);
    let mut cut = Cut { home, start, end, topics: topics(home, chain, &rules), left_out: BTreeSet::new() };
    if all {
        cut.topics.extend(home.engine.states().iter().map(|(topic, _)| topic.clone()).take(MOST));
    }
    let (given, unknown) = cut.given();
    let mut said = cut.messages();
    said.extend(chain.links().iter().filter_map(|link| cut.other(link, chain, &rules)));
    said.sort_by_key(|said| said.at);
    let until = Some(home.heard.since().min(end)).filter(|since| *since >= start);
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

impl Gaps {
    /// Returns whether nothing is missing.
    pub(in crate::daemon) fn is_empty(&self) -> bool {
        self.until.is_none() && self.unknown.is_empty()
    }

    /// Fills them with what was recorded.
    pub(in crate::daemon) fn fill(self, incident: &mut Incident, past: &Past) {
        let mut left_out: BTreeSet<String> = incident.left_out.drain(..).collect();
        let wanted = Wanted::new(self.topics.iter(), std::iter::empty(), None);
        if let (Some(until), Some(wanted)) = (self.until, wanted) {
            let mut said: Vec<Said> = past
                .within(self.start, until, &wanted)
                .into_iter()
                .filter_map(HeardMessage::of_recorded)
                .filter_map(|heard| told(&heard, &mut left_out))
                .take(MOST)
                .collect();
            said.append(&mut incident.said);
            said.sort_by_key(|said| said.at);
            incident.said = said;
        }
        for topic in self.unknown {
            let Some(before) = past.before(&topic, self.start, |_| true) else { continue };
            let payload = before.message.payload;
            if let Some(value) = json(&topic, &payload, &mut left_out).filter(|_| !payload.is_empty()) {
                incident.given.insert(topic.to_string(), value);
            }
        }
        incident.left_out = left_out.into_iter().collect();
    }
}

struct Cut<'a> {
    home: &'a HomeView<'a>,
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
            let heard = self.home.heard.before(&topic, self.start).map(|heard| &heard.message.payload);
            let known = self.home.engine.states().get(topic.as_str());
            let known = known.filter(|state| state.changed_at <= self.start).map(|state| &state.payload);
            let Some(payload) = heard.or(known).cloned() else {
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
        let from = self.start.max(self.home.heard.since());
        let within = self.home.heard.messages().filter(|heard| heard.at > from && heard.at <= self.end);
        let ours: Vec<_> = within.filter(|heard| self.topics.contains(&heard.message.topic)).collect();
        ours.into_iter().filter_map(|heard| told(heard, &mut self.left_out)).take(MOST).collect()
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
        // What is remembered of the run tells nothing of what led to the one that set its timer.
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
                    self.left_out.insert(format!("the client `{id}`, that came or went"));
                    return None;
                };
                let (_, rule) = rules.iter().find(|(known, _)| *known == trace.rule)?;
                let path = &trace.steps.first()?.path;
                let trigger = rule.triggers().iter().find(|trigger| trigger.path == *path)?;
                let TriggerKind::Client { is, .. } = &trigger.kind else { return None };
                SaidKind::Client { id: id.to_string(), is_connected: *is == ClientChange::Connected }
            }
            CauseKind::Person => {
                self.left_out.insert(format!("a person ran {rule}, and no step of a test does that"));
                return None;
            }
            CauseKind::Message { .. }
            | CauseKind::Time { .. }
            | CauseKind::Condition
            | CauseKind::Event(_)
            | CauseKind::Rule(_) => return None,
        };
        Some(Said { at: link.at(), kind })
    }
}

/// Returns what a client said; `None` where a rule did, or no text tells it.
fn told(heard: &HeardMessage, left_out: &mut BTreeSet<String>) -> Option<Said> {
    let Speaker::Client(_) = &heard.speaker else { return None };
    let message = &heard.message;
    let value = json(&message.topic, &message.payload, left_out)?;
    let (topic, qos, retain) = (message.topic.to_string(), message.qos.into(), message.retain);
    Some(Said { at: heard.at, kind: SaidKind::Message { topic, value, qos, retain } })
}

fn json(topic: &Topic, payload: &Payload, left_out: &mut BTreeSet<String>) -> Option<serde_json::Value> {
    if payload.text().is_none() {
        left_out.insert(format!("a payload of `{topic}` that is no text"));
        return None;
    }
    Some(payload.value().to_json())
}

impl Link {
    /// Returns when what led to it began.
    fn began_at(&self) -> Timestamp {
        let cause = match self {
            Link::Run(trace, _) => Some(&trace.cause),
            Link::Rule(_, _, cause, _) => Some(cause),
            Link::Client(..) => None,
        };
        let armed = cause.and_then(|cause| cause.armed.as_ref());
        let before = cause.and_then(Cause::message).and_then(|(_, at)| at);
        armed.map(|armed| armed.at).into_iter().chain(before).fold(self.at(), Timestamp::min)
    }

    /// Returns the rule of a link, and those that its run called.
    fn rules(&self) -> Vec<RuleId> {
        match self {
            Link::Run(trace, _) => [trace.rule.clone()].into_iter().chain(called(trace)).collect(),
            Link::Rule(_, rule, ..) => vec![rule.clone()],
            Link::Client(..) => Vec::new(),
        }
    }
}

/// Returns the rules that a run called.
fn called(trace: &Trace) -> Vec<RuleId> {
    let calls = trace.steps.iter().filter(|step| step.kind == StepKind::Run);
    let called = |step: &Step| if let StepResult::Rule(rule) = &step.result { Some(rule.clone()) } else { None };
    calls.filter_map(called).collect()
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
fn topics(home: &HomeView<'_>, chain: &Chain, rules: &[(RuleId, Arc<Rule>)]) -> BTreeSet<Topic> {
    let states = home.engine.states();
    let mut topics = BTreeSet::new();
    for link in chain.links() {
        let (cause, steps): (&Cause, _) = match link {
            Link::Run(trace, _) => (&trace.cause, trace.steps.as_slice()),
            Link::Rule(_, _, cause, _) => (cause, [].as_slice()),
            Link::Client(..) => continue,
        };
        if let CauseKind::Message { topic, .. } = &cause.kind {
            topics.insert(topic.clone());
        }
        topics.extend(cause.message().map(|(topic, _)| topic.clone()));
        let read = steps.iter().flat_map(|step| &step.values).map(|(name, _)| name);
        topics.extend(
            read.filter_map(|name| Topic::parse(name).ok()).filter(|topic| states.get(topic.as_str()).is_some()),
        );
    }
    let waited = rules.iter().flat_map(|(_, rule)| rule.actions()).flat_map(|action| action.kind.triggers());
    let waited: Vec<_> = waited.filter_map(Trigger::filter).collect();
    let sources: Vec<&str> = rules.iter().flat_map(|(_, rule)| sources(rule)).collect();
    let mentioned = states.iter().map(|(topic, _)| topic).filter(|topic| {
        sources.iter().any(|source| source.contains(topic.as_str()))
            || waited.iter().any(|filter| filter.matches_in_rules(topic))
    });
    topics.extend(mentioned.cloned());
    topics
}

/// Returns the texts of the expressions in what a rule publishes.
fn sources(rule: &Rule) -> Vec<&str> {
    let messages = rule.actions().flat_map(|action| action.kind.messages());
    let templates = messages.flat_map(|message| [&message.topic, &message.payload]);
    templates.flat_map(crate::script::Template::expressions).map(|expression| expression.source().as_str()).collect()
}
