//! What published a topic last, back to what came from outside.
//!
//! What memory holds is found in the loop; where it doesn't reach back, the recorder goes on, beside the loop: it knows who
//! published which message and what led to that, not what the runs did.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::daemon::answer::{TraceAnswer, cause as cause_answer};
use crate::daemon::event_loop::EventLoop;
use crate::daemon::heard::{HeardMessage, Speaker};
use crate::daemon::recorder::Past;
use crate::engine::{Cause, CauseKind, RunId, Trace};
use crate::model::{Origin, Payload, RuleId, Topic};

/// A chain is never longer: the engine stops those that are.
const LONGEST: usize = 1000;

/// A run is told at the time at which it was due, and its messages are recorded when they left.
const LATE: SignedDuration = SignedDuration::from_secs(2);

/// What published a topic last and what caused that, the innermost first.
#[derive(Debug)]
pub(in crate::daemon) struct Chain {
    topic: Topic,
    /// What was published last; `None`: memory doesn't know.
    published: Option<Published>,
    links: Vec<Link>,
    loose: Option<Loose>,
}

/// Where memory ends: who published to `topic`, up to `until`, is to be found elsewhere.
#[derive(Debug)]
struct Loose {
    topic: Topic,
    until: Timestamp,
    /// Fewer publications of rules than this lay between it and the outside; `None`: whoever published last is meant.
    below: Option<u32>,
}

/// One part of a chain of causes.
#[derive(Debug)]
pub(in crate::daemon) enum Link {
    /// A run, with the message from outside that set it off, where that is known.
    Run(Arc<Trace>, Option<HeardMessage>),
    /// A publication of a rule whose run is remembered no more, with the message from outside as above.
    Rule(Published, RuleId, Cause, Option<HeardMessage>),
    /// A client's own publication, and the client, where that is known.
    Client(Published, Option<Arc<str>>),
}

/// What was published, and when.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Published {
    pub(in crate::daemon) at: Timestamp,
    pub(in crate::daemon) topic: Topic,
    /// `None`: it isn't known any more.
    pub(in crate::daemon) payload: Option<Payload>,
}

/// Returns what published `topic` last and what caused that, as far as memory reaches.
pub(in crate::daemon) fn chain(home: &EventLoop, topic: &Topic) -> Chain {
    let mut chain = Chain { topic: topic.clone(), published: None, links: Vec::new(), loose: None };
    let Some(spoke) = home.heard.last(topic) else {
        chain.loose = Some(Loose { topic: topic.clone(), until: home.now(), below: None });
        return chain;
    };
    let heard = home.heard.before(topic, spoke.at);
    let payload = heard.map(|heard| heard.message.payload.clone());
    let published = Published { at: spoke.at, topic: topic.clone(), payload };
    chain.published = Some(published.clone());
    let (rule, cause) = match &spoke.speaker {
        Speaker::Client(client) => {
            chain.links.push(Link::Client(published, client.clone()));
            return chain;
        }
        Speaker::Rule(rule, cause) => (rule, cause),
    };
    let under_way = home.engine.runs_under_way();
    let find = |run: RunId| {
        let running = under_way.iter().find(|trace| trace.run == Some(run));
        running.map(|trace| Arc::new(trace.clone())).or_else(|| home.traces.of_run(run).cloned())
    };
    let run = |trace: Arc<Trace>| {
        let message = outside_topic(&trace.cause).and_then(|topic| home.heard.before(topic, trace.at)).cloned();
        Link::Run(trace, message)
    };
    let mut next = Some(match cause.run.and_then(find) {
        Some(trace) => run(trace),
        None => {
            Link::of_rule(published, rule.clone(), cause.clone(), |topic, at| home.heard.before(topic, at).cloned())
        }
    });
    while let Some(link) = next.take().filter(|_| chain.links.len() < LONGEST) {
        let found = link.run_before().and_then(find);
        chain.loose = if found.is_none() { link.loose() } else { None };
        chain.links.push(link);
        next = found.map(run);
    }
    chain
}

/// Returns the topic of the message from outside that a cause is.
fn outside_topic(cause: &Cause) -> Option<&Topic> {
    match &cause.kind {
        CauseKind::Message { topic, origin: Origin::Live, .. } => Some(topic),
        _ => None,
    }
}

impl Chain {
    /// Returns whether memory held all of it.
    pub(in crate::daemon) fn is_complete(&self) -> bool {
        let is_known = self.published.as_ref().is_some_and(|published| published.payload.is_some());
        is_known && self.loose.is_none() && self.links.iter().all(Link::is_complete)
    }

    /// Returns its parts, the innermost first.
    pub(in crate::daemon) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Returns when what was published last; `None` where nobody did, or it isn't known any more.
    pub(in crate::daemon) fn published(&self) -> Option<(Timestamp, &Payload)> {
        let published = self.published.as_ref()?;
        Some((published.at, published.payload.as_ref()?))
    }

    /// Looks in the recorder for what memory didn't hold.
    pub(in crate::daemon) fn complete(&mut self, past: &Past) {
        if let Some(published) = &mut self.published {
            published.complete(past);
        }
        for link in &mut self.links {
            link.complete(past);
        }
        while let Some(loose) = self.loose.take().filter(|_| self.links.len() < LONGEST) {
            let Some(link) = loose.find(past) else { break };
            if let (None, Link::Rule(published, ..) | Link::Client(published, _)) = (&self.published, &link) {
                self.published = Some(published.clone());
            }
            self.loose = link.loose();
            self.links.push(link);
        }
    }

    /// Returns it as programs read it, the outermost cause first; empty where nobody published to the topic.
    pub(in crate::daemon) fn to_json(&self) -> Vec<Value> {
        self.links.iter().rev().map(Link::to_json).collect()
    }

    /// Returns the topic that is asked about.
    pub(in crate::daemon) fn topic(&self) -> &Topic {
        &self.topic
    }
}

impl Loose {
    fn find(&self, past: &Past) -> Option<Link> {
        let found = past.before(&self.topic, self.until, |recorded| {
            let heard = HeardMessage::of_recorded(recorded.clone());
            heard.is_some_and(|heard| match heard.speaker {
                Speaker::Rule(_, cause) => self.below.is_none_or(|below| cause.depth < below),
                Speaker::Client(_) => self.below.is_none(),
            })
        })?;
        let HeardMessage { at, message, speaker } = HeardMessage::of_recorded(found)?;
        let published = Published { at, topic: message.topic, payload: Some(message.payload) };
        Some(match speaker {
            Speaker::Client(client) => Link::Client(published, client),
            Speaker::Rule(rule, cause) => Link::of_rule(published, rule, cause, |topic, at| recorded(past, topic, at)),
        })
    }
}

/// Returns the last message of a topic as it was recorded.
fn recorded(past: &Past, topic: &Topic, until: Timestamp) -> Option<HeardMessage> {
    past.before(topic, until, |recorded| recorded.rule.is_none()).and_then(HeardMessage::of_recorded)
}

impl Link {
    fn of_rule(
        published: Published,
        rule: RuleId,
        cause: Cause,
        find: impl Fn(&Topic, Timestamp) -> Option<HeardMessage>,
    ) -> Link {
        let message = outside_topic(&cause).and_then(|topic| find(topic, published.at));
        // Its run is the one that published, and that is remembered no more.
        Link::Rule(published, rule, Cause { run: None, ..cause }, message)
    }

    fn cause(&self) -> Option<&Cause> {
        match self {
            Link::Run(trace, _) => Some(&trace.cause),
            Link::Rule(_, _, cause, _) => Some(cause),
            Link::Client(..) => None,
        }
    }

    /// Returns when it was: its cause was not later.
    pub(in crate::daemon) fn at(&self) -> Timestamp {
        match self {
            Link::Run(trace, _) => trace.at,
            Link::Rule(published, ..) | Link::Client(published, _) => published.at,
        }
    }

    /// Returns the run whose message, or change, set this off.
    fn run_before(&self) -> Option<RunId> {
        self.cause()?.run
    }

    /// Returns where it goes on, if a rule's message set it off.
    fn loose(&self) -> Option<Loose> {
        let cause = self.cause()?;
        let CauseKind::Message { topic, origin: Origin::Own, .. } = &cause.kind else { return None };
        let until = self.at().checked_add(LATE).unwrap_or(Timestamp::MAX);
        Some(Loose { topic: topic.clone(), until, below: Some(cause.depth) })
    }

    fn is_complete(&self) -> bool {
        let knows_message =
            |message: &Option<HeardMessage>| message.is_some() || self.cause().and_then(outside_topic).is_none();
        match self {
            Link::Run(_, message) => knows_message(message),
            Link::Rule(published, _, _, message) => published.payload.is_some() && knows_message(message),
            Link::Client(published, _) => published.payload.is_some(),
        }
    }

    fn complete(&mut self, past: &Past) {
        if let Link::Run(_, message) | Link::Rule(_, _, _, message) = self
            && message.is_none()
        {
            let at = self.at();
            let found = self.cause().and_then(outside_topic).and_then(|topic| recorded(past, topic, at));
            if let Link::Run(_, message) | Link::Rule(_, _, _, message) = self {
                *message = found;
            }
        }
        if let Link::Rule(published, ..) | Link::Client(published, _) = self {
            published.complete(past);
        }
    }

    /// Returns it as programs read it: as `trace` has it (spec 11). A message from outside is told with its client,
    /// time and payload. Where the run isn't known, or a client published itself, the outcome is `published`.
    fn to_json(&self) -> Value {
        match self {
            Link::Run(trace, message) => {
                let mut answer = serde_json::to_value(TraceAnswer::new(trace)).unwrap_or_default();
                if let (Some(message), Some(cause)) = (message, answer.get_mut("cause").and_then(Value::as_object_mut))
                {
                    cause.extend(told(message));
                }
                answer
            }
            Link::Rule(published, rule, cause, message) => {
                let mut cause = cause_answer(cause);
                if let (Some(message), Some(cause)) = (message, cause.as_object_mut()) {
                    cause.extend(told(message));
                }
                let payload = published
                    .payload
                    .as_ref()
                    .map_or(String::new(), |payload| format!(" {}", payload.text().unwrap_or("(binary)")));
                let what = format!("{}{payload}", published.topic);
                let step = json!({ "path": "", "at": published.at, "what": "publish", "result": what, "values": {} });
                published.to_json(Some(rule), cause, vec![step])
            }
            Link::Client(published, client) => {
                let topic = published.topic.as_str();
                let mut cause =
                    json!({ "kind": "message", "topic": topic, "origin": "live", "depth": 0, "client": client });
                if let (Some(payload), Some(cause)) = (&published.payload, cause.as_object_mut()) {
                    cause.insert("at".to_owned(), json!(published.at));
                    cause.insert("value".to_owned(), payload.value().to_json());
                }
                published.to_json(None, cause, Vec::new())
            }
        }
    }
}

impl Published {
    fn complete(&mut self, past: &Past) {
        if self.payload.is_none() {
            let found = past.before(&self.topic, self.at, |_| true);
            self.payload = found.map(|recorded| recorded.message.payload);
        }
    }

    fn to_json(&self, rule: Option<&RuleId>, cause: Value, steps: Vec<Value>) -> Value {
        let rule = rule.map(RuleId::as_str);
        json!({ "rule": rule, "run": null, "at": self.at, "ended_at": self.at, "outcome": "published", "cause": cause, "steps": steps })
    }
}

fn told(heard: &HeardMessage) -> serde_json::Map<String, Value> {
    let client = match &heard.speaker {
        Speaker::Client(client) => client.as_deref(),
        Speaker::Rule(..) => None,
    };
    let told = json!({ "client": client, "at": heard.at, "value": heard.message.payload.value().to_json() });
    told.as_object().cloned().unwrap_or_default()
}
