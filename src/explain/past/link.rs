//! One part of a chain of causes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{Cause, CauseKind, RunId, Step, StepKind, StepResult, Trace};
use crate::model::{Origin, Payload, RuleId, Topic};

use super::heard::{HeardMessage, History, Speaker};

/// A run is traced at the time at which it was due, and its messages are recorded when they left.
const LATE: SignedDuration = SignedDuration::from_secs(2);

/// A message that came less than this before a time came just then: recordings have no shorter parts of a second.
const AT_ONCE: SignedDuration = SignedDuration::from_millis(1);

/// Finds the trace of a run, if it's remembered.
pub(super) type FindRun<'a> = dyn Fn(RunId) -> Option<Arc<Trace>> + 'a;

/// One part of a chain of causes.
#[derive(Debug)]
pub enum Link {
    /// A run, with the message from outside that set it off, if that's known.
    Run(Arc<Trace>, Option<HeardMessage>),
    /// A publication of a rule whose run is no longer remembered, with the message from outside as above.
    Rule(Published, RuleId, Cause, Option<HeardMessage>),
    /// A client's own publication, and the client, if that's known.
    Client(Published, Option<Arc<str>>),
}

/// What was published, and when.
#[derive(Debug, Clone)]
pub struct Published {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub topic: Topic,
    /// What; `None`: it's no longer known.
    pub payload: Option<Payload>,
}

/// A message to be found.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) topic: Topic,
    /// When it came, or the last time at which it may have.
    pub(super) at: Timestamp,
    pub(super) whose: Whose,
}

/// Who published a message that is to be found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// Whoever was the last.
    Last,
    /// A client.
    Client,
    /// A rule, with fewer publications of rules than this between it and the outside.
    Rule(u32),
    /// Whoever did just then.
    Then,
}

impl Link {
    /// Returns the link of what was published; `None` if a rule published it and its cause isn't known.
    pub(super) fn of(published: Published, speaker: Speaker, find_run: &FindRun<'_>) -> Option<Link> {
        Some(match speaker {
            Speaker::Client(client) => Link::Client(published, client),
            Speaker::Rule(rule, cause) => {
                let cause = cause?;
                match cause.run.and_then(find_run) {
                    Some(trace) => Link::Run(trace, None),
                    // Its run is the one that published, and that's no longer remembered.
                    None => Link::Rule(published, rule, Cause { run: None, ..cause }, None),
                }
            }
        })
    }

    pub(super) fn of_heard(heard: HeardMessage, find_run: &FindRun<'_>) -> Option<Link> {
        let HeardMessage { at, message, speaker } = heard;
        Link::of(Published { at, topic: message.topic, payload: Some(message.payload) }, speaker, find_run)
    }

    /// Looks for the message that led to it: one of a client is told with it, one of a rule is the next link. Returns that,
    /// or else where to look further.
    pub(super) fn follow(&mut self, history: &dyn History, find_run: &FindRun<'_>) -> (Option<Link>, Option<Source>) {
        let Some(source) = self.source() else { return (None, None) };
        let Some(found) = source.find(history) else { return (None, Some(source)) };
        if matches!(found.speaker, Speaker::Rule(..)) {
            return (Link::of_heard(found, find_run), None);
        }
        if let Link::Run(_, message) | Link::Rule(_, _, _, message) = self {
            *message = Some(found);
        }
        (None, None)
    }

    /// Returns what led to it; `None` if a client published it.
    pub(super) fn cause(&self) -> Option<&Cause> {
        match self {
            Link::Run(trace, _) => Some(&trace.cause),
            Link::Rule(_, _, cause, _) => Some(cause),
            Link::Client(..) => None,
        }
    }

    /// Returns the steps of its run; none if that's no longer remembered.
    pub(super) fn steps(&self) -> &[Step] {
        match self {
            Link::Run(trace, _) => &trace.steps,
            Link::Rule(..) | Link::Client(..) => &[],
        }
    }

    /// Returns when it was: its cause was not later.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Link::Run(trace, _) => trace.at,
            Link::Rule(published, ..) | Link::Client(published, _) => published.at,
        }
    }

    /// Returns when what led to it began.
    pub(super) fn began_at(&self) -> Timestamp {
        let cause = self.cause();
        let armed = cause.and_then(|cause| cause.armed.as_ref());
        let before = cause.and_then(Cause::message).and_then(|(_, at)| at);
        armed.map(|armed| armed.at).into_iter().chain(before).fold(self.at(), Timestamp::min)
    }

    /// Returns the rule of a link, and those that its run called.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleId> {
        match self {
            Link::Run(trace, _) => [trace.rule.clone()].into_iter().chain(called(trace)).collect(),
            Link::Rule(_, rule, ..) => vec![rule.clone()],
            Link::Client(..) => Vec::new(),
        }
    }

    /// Returns the run whose message, or change, set this off.
    pub(super) fn run_before(&self) -> Option<RunId> {
        self.cause()?.run
    }

    /// Returns the message that led to it, if one did.
    pub(super) fn source(&self) -> Option<Source> {
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

    pub(super) fn is_complete(&self) -> bool {
        match self {
            Link::Run(..) => true,
            Link::Rule(published, ..) | Link::Client(published, _) => published.payload.is_some(),
        }
    }

    pub(super) fn complete(&mut self, history: &dyn History) {
        if let Link::Rule(published, ..) | Link::Client(published, _) = self {
            published.complete(history);
        }
    }
}

impl Published {
    pub(super) fn complete(&mut self, history: &dyn History) {
        if self.payload.is_none() {
            let found = history.last(&self.topic, self.at, &|_| true);
            self.payload = found.map(|heard| heard.message.payload);
        }
    }
}

impl Source {
    pub(super) fn find(&self, history: &dyn History) -> Option<HeardMessage> {
        let find = |topic: &Topic, at: Timestamp, is_wanted: &dyn Fn(&HeardMessage) -> bool| {
            history.last(topic, at, &|heard| heard.has_origin() && is_wanted(heard))
        };
        let is_client = |heard: &HeardMessage| matches!(heard.speaker, Speaker::Client(_));
        let late = self.at.checked_add(LATE).unwrap_or(Timestamp::MAX);
        match self.whose {
            Whose::Last => find(&self.topic, self.at, &|_| true),
            Whose::Client => find(&self.topic, self.at, &is_client),
            Whose::Rule(depth) => find(&self.topic, late, &|heard| match &heard.speaker {
                Speaker::Rule(_, Some(cause)) => cause.depth < depth,
                Speaker::Rule(_, None) | Speaker::Client(_) => false,
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

/// Returns the rules that a run called.
fn called(trace: &Trace) -> impl Iterator<Item = RuleId> {
    trace.steps.iter().filter(|step| step.kind == StepKind::Run).filter_map(|step| match &step.result {
        StepResult::Rule(rule) => Some(rule.clone()),
        _ => None,
    })
}
