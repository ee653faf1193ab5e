//! What published a topic last, back to what came from outside.
//!
//! What memory holds is found in the loop; where it doesn't reach back, the recorder goes on, beside the loop: it knows who
//! published which message and what led to that, not what the runs did.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::{CauseAnswer, TraceAnswer};
use crate::daemon::home::view::HomeView;
use crate::daemon::observers::heard::{HeardMessage, Speaker};
use crate::disk::recorded::Past;
use crate::engine::{Cause, CauseKind, RunId, Trace};
use crate::explain::LocalTime;
use crate::model::recording::Recorded;
use crate::model::{Origin, Payload, RuleId, Topic};

/// A chain is never longer: the engine stops those that are.
const LONGEST: usize = 1000;

/// A run is told at the time at which it was due, and its messages are recorded when they left.
const LATE: SignedDuration = SignedDuration::from_secs(2);

/// A message that came less than this before a time came just then: recordings have no shorter parts of a second.
const AT_ONCE: SignedDuration = SignedDuration::from_millis(1);

/// What published a topic last and what caused that, the innermost first.
#[derive(Debug)]
pub(in crate::daemon) struct Chain {
    topic: Topic,
    /// What was published last; `None`: memory doesn't know.
    published: Option<Published>,
    links: Vec<Link>,
    /// What led to the last link, where memory doesn't know: it is to be found elsewhere.
    loose: Option<Source>,
}

/// A message to be found.
#[derive(Debug)]
struct Source {
    topic: Topic,
    /// When it came, or the last time at which it may have.
    at: Timestamp,
    whose: Whose,
}

/// Who published a message that is to be found.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// Whoever was the last.
    Last,
    /// A client.
    Client,
    /// A rule, with fewer publications of rules than this between it and the outside.
    Rule(u32),
    /// Whoever did just then.
    Then,
}

/// Finds the last message of a topic, at or before a time, that is wanted.
type Find<'a> = dyn Fn(&Topic, Timestamp, &dyn Fn(&HeardMessage) -> bool) -> Option<HeardMessage> + 'a;

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
pub(in crate::daemon) fn chain(home: &HomeView<'_>, topic: &Topic) -> Chain {
    let mut chain = Chain { topic: topic.clone(), published: None, links: Vec::new(), loose: None };
    let Some(spoke) = home.heard.last(topic) else {
        chain.loose = Some(Source { topic: topic.clone(), at: home.now, whose: Whose::Last });
        return chain;
    };
    let heard = home.heard.before(topic, spoke.at);
    let payload = heard.map(|heard| heard.message.payload.clone());
    let published = Published { at: spoke.at, topic: topic.clone(), payload };
    chain.published = Some(published.clone());
    let under_way = home.engine.runs_under_way(home.now);
    let find_run = |run: RunId| {
        let running = under_way.iter().find(|trace| trace.run == Some(run));
        running.map(|trace| Arc::new(trace.clone())).or_else(|| home.traces.of_run(run).cloned())
    };
    let find = |topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool| {
        home.heard.find(topic, at, is_wanted).cloned()
    };
    let mut next = Some(Link::of(published, spoke.speaker.clone(), &find_run));
    while let Some(mut link) = next.take().filter(|_| chain.links.len() < LONGEST) {
        match link.run_before().and_then(find_run) {
            Some(trace) => next = Some(Link::Run(trace, None)),
            // Memory knows the runs of rules' messages, or else the recorder knows more of it.
            None if matches!(link.source(), Some(Source { whose: Whose::Rule(_), .. })) => chain.loose = link.source(),
            None => (next, chain.loose) = link.follow(&find, &find_run),
        }
        chain.links.push(link);
    }
    chain
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

    /// Returns whether this run is a part of it.
    pub(in crate::daemon) fn has_run(&self, run: RunId) -> bool {
        self.links.iter().any(|link| matches!(link, Link::Run(trace, _) if trace.run == Some(run)))
    }

    /// Returns when what was published last; `None` where nobody did, or it isn't known any more.
    pub(in crate::daemon) fn published(&self) -> Option<(Timestamp, &Payload)> {
        let published = self.published.as_ref()?;
        Some((published.at, published.payload.as_ref()?))
    }

    /// Looks in the recorder for what memory didn't hold.
    pub(in crate::daemon) fn complete(&mut self, past: &Past) {
        let find = |topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool| {
            let is_wanted = |recorded: &Recorded| {
                HeardMessage::of_recorded(recorded.clone()).is_some_and(|heard| is_wanted(&heard))
            };
            past.before(topic, at, is_wanted).and_then(HeardMessage::of_recorded)
        };
        let no_run = |_: RunId| None;
        if let Some(published) = &mut self.published {
            published.complete(past);
        }
        for link in &mut self.links {
            link.complete(past);
        }
        let mut next = None;
        if self.links.is_empty() {
            next = self.loose.take().and_then(|source| source.find(&find)).map(|found| Link::of_heard(found, &no_run));
            if let Some(Link::Rule(published, ..) | Link::Client(published, _)) = &next {
                self.published.get_or_insert_with(|| published.clone());
            }
        } else if self.loose.take().is_some()
            && let Some(last) = self.links.last_mut()
        {
            (next, _) = last.follow(&find, &no_run);
        }
        while let Some(mut link) = next.take().filter(|_| self.links.len() < LONGEST) {
            (next, _) = link.follow(&find, &no_run);
            self.links.push(link);
        }
    }

    /// Returns it as programs read it, the outermost cause first; empty where nobody published to the topic.
    pub(in crate::daemon) fn to_json(&self, time: &LocalTime) -> Vec<Value> {
        self.links.iter().rev().map(|link| link.to_json(time)).collect()
    }

    /// Returns the topic that is asked about.
    pub(in crate::daemon) fn topic(&self) -> &Topic {
        &self.topic
    }
}

impl Source {
    fn find(&self, find: &Find<'_>) -> Option<HeardMessage> {
        let is_client = |heard: &HeardMessage| matches!(heard.speaker, Speaker::Client(_));
        let late = self.at.checked_add(LATE).unwrap_or(Timestamp::MAX);
        match self.whose {
            Whose::Last => find(&self.topic, self.at, &|_| true),
            Whose::Client => find(&self.topic, self.at, &is_client),
            Whose::Rule(depth) => find(&self.topic, late, &|heard| match &heard.speaker {
                Speaker::Rule(_, cause) => cause.depth < depth,
                Speaker::Client(_) => false,
            }),
            Whose::Then => {
                let before = find(&self.topic, self.at, &|_| true);
                let is_it = |heard: &HeardMessage| self.at.duration_since(heard.at) < AT_ONCE;
                if before.as_ref().is_some_and(is_it) {
                    return before;
                }
                find(&self.topic, late, &|heard| heard.at > self.at && !is_client(heard)).or(before)
            }
        }
    }
}

impl Link {
    /// Returns the link of what was published.
    fn of(published: Published, speaker: Speaker, find_run: &dyn Fn(RunId) -> Option<Arc<Trace>>) -> Link {
        match speaker {
            Speaker::Client(client) => Link::Client(published, client),
            Speaker::Rule(rule, cause) => match cause.run.and_then(find_run) {
                Some(trace) => Link::Run(trace, None),
                // Its run is the one that published, and that is remembered no more.
                None => Link::Rule(published, rule, Cause { run: None, ..cause }, None),
            },
        }
    }

    fn of_heard(heard: HeardMessage, find_run: &dyn Fn(RunId) -> Option<Arc<Trace>>) -> Link {
        let HeardMessage { at, message, speaker } = heard;
        Link::of(Published { at, topic: message.topic, payload: Some(message.payload) }, speaker, find_run)
    }

    /// Looks for the message that led to it: one of a client is told with it, one of a rule is the next link. Returns that,
    /// or else where to look further.
    fn follow(
        &mut self,
        find: &Find<'_>,
        find_run: &dyn Fn(RunId) -> Option<Arc<Trace>>,
    ) -> (Option<Link>, Option<Source>) {
        let Some(source) = self.source() else { return (None, None) };
        let Some(found) = source.find(find) else { return (None, Some(source)) };
        if matches!(found.speaker, Speaker::Rule(..)) {
            return (Some(Link::of_heard(found, find_run)), None);
        }
        if let Link::Run(_, message) | Link::Rule(_, _, _, message) = self {
            *message = Some(found);
        }
        (None, None)
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

    /// Returns the message that led to it, where one did.
    fn source(&self) -> Option<Source> {
        let cause = self.cause()?;
        let (topic, then) = cause.message()?;
        let at = then.unwrap_or_else(|| self.at());
        let whose = match &cause.outermost().kind {
            CauseKind::Message { origin: Origin::Own, .. } => Whose::Rule(cause.outermost().depth),
            CauseKind::Message { origin: Origin::Live, .. } => Whose::Client,
            CauseKind::Message { .. } => return None,
            _ => Whose::Then,
        };
        Some(Source { topic: topic.clone(), at, whose })
    }

    fn is_complete(&self) -> bool {
        match self {
            Link::Run(..) => true,
            Link::Rule(published, ..) | Link::Client(published, _) => published.payload.is_some(),
        }
    }

    fn complete(&mut self, past: &Past) {
        if let Link::Rule(published, ..) | Link::Client(published, _) = self {
            published.complete(past);
        }
    }

    /// Returns it as programs read it: as `trace` has it (spec 11). A message from outside is told with its client,
    /// time and payload. Where the run isn't known, or a client published itself, the outcome is `published`.
    fn to_json(&self, time: &LocalTime) -> Value {
        match self {
            Link::Run(trace, message) => {
                let mut answer = serde_json::to_value(TraceAnswer::new(trace, time)).unwrap_or_default();
                if let (Some(message), Some(cause)) = (message, answer.get_mut("cause").and_then(Value::as_object_mut))
                {
                    cause.extend(told(message));
                }
                answer
            }
            Link::Rule(published, rule, cause, message) => {
                let mut cause = serde_json::to_value(CauseAnswer(cause)).unwrap_or_default();
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
    let (topic, value) = (heard.message.topic.as_str(), heard.message.payload.value().to_json());
    let told = json!({ "topic": topic, "client": client, "at": heard.at, "value": value });
    told.as_object().cloned().unwrap_or_default()
}
