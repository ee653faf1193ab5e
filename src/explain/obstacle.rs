//! What kept a rule from running: what blocked it first, or the messages that came near.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::engine::{
    ArmedHold, BlockedBy, Outcome, RuleView, Step, StepKind, StepResult, Trace, TriggerSources, Verdict,
};
use crate::model::{Message, Origin, RuleId, States, is_inner, spoken};
use crate::rules::{DeviceTrigger, Rule, Start, Trigger, TriggerKind};

use super::blocked::{Blocked, blocked};
use super::near::{NearMiss, meant_topics, near_misses, nearest_topic};
use super::past::{HeardMessage, History, Speaker};
use super::words::{LocalTime, blocked_then, ended, lingering, progress, shown, step_result, step_result_with_source};

/// The most messages that came near that are listed.
const MOST_NEAR: usize = 5;

/// What's known of a home when somebody asks why a rule didn't run.
pub struct Facts<'a> {
    /// The rule as it is now.
    pub view: &'a RuleView,
    /// Where its triggers hear.
    pub sources: &'a TriggerSources,
    /// Now.
    pub now: Timestamp,
    /// The time that's asked about; `None`: now.
    pub until: Option<Timestamp>,
    /// What's known of topics.
    pub states: &'a States,
    /// The messages in memory.
    pub heard: &'a dyn History,
    /// All messages after this are in memory.
    pub heard_since: Timestamp,
    /// The rule's runs under way, newest first.
    pub running: Vec<Trace>,
    /// The rule's traces, newest first.
    pub traces: Vec<Repeated>,
    /// Who switched the rule off, if that's known.
    pub switched_off: Option<(Timestamp, Switcher)>,
    /// How times are written.
    pub time: LocalTime,
}

/// A trace of what happened once or several times in a row.
#[derive(Debug, Clone)]
pub struct Repeated {
    /// The last time it happened.
    pub trace: Arc<Trace>,
    /// How often it did.
    pub times: u64,
    /// When it first did.
    pub first_at: Timestamp,
}

/// Who switched a rule off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switcher {
    /// A person; with the way, in words.
    Person(&'static str),
    /// A rule.
    Rule(RuleId),
}

/// What kept a rule from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// No trigger fired.
    Trigger,
    /// Its run failed.
    Failed,
    /// Something blocked it.
    Blocked(BlockedBy),
}

impl By {
    /// Returns its word in answers for programs: `trigger`, `failed`, or that of what blocked it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            By::Trigger => "trigger",
            By::Failed => "failed",
            By::Blocked(by) => by.word(),
        }
    }
}

/// The answer to why a rule didn't run.
#[derive(Debug)]
pub struct Obstacle {
    /// The rule.
    pub rule: RuleId,
    /// When it last might have run; `None`: never.
    pub at: Option<Timestamp>,
    /// What kept it from running; `None`: nothing did, it ran.
    pub by: Option<By>,
    /// The same in words.
    pub message: String,
    /// Messages with a topic of one of its triggers that set none off, newest first.
    pub near: Vec<NearMiss>,
    /// The trace of it, if there is one.
    pub trace: Option<Repeated>,
    /// Where its triggers listen, if no message may have come there.
    listens: Vec<String>,
    /// Which topics were probably meant then.
    hint: String,
}

impl Obstacle {
    fn new(rule: &RuleId, at: Option<Timestamp>, by: Option<By>, message: String) -> Obstacle {
        let (near, listens) = (Vec::new(), Vec::new());
        Obstacle { rule: rule.clone(), at, by, message, near, trace: None, listens, hint: String::new() }
    }

    /// Adds what came near earlier, newest first, and when the rule itself last published.
    fn add(&mut self, earlier: Vec<NearMiss>, ran: Option<(Timestamp, String)>) {
        if self.by != Some(By::Trigger) {
            return;
        }
        self.near.extend(earlier);
        self.at = self.near.first().map(|near| near.at);
        if let Some((at, message)) = ran.filter(|_| self.trace.is_none()) {
            if self.near.is_empty() {
                (self.at, self.by, self.listens) = (Some(at), None, Vec::new());
            }
            self.message = message;
        }
    }

    /// Returns the answer once everything that's known has been searched.
    #[must_use]
    pub fn finish(mut self) -> Obstacle {
        if self.near.is_empty() && self.by == Some(By::Trigger) {
            if !self.listens.is_empty() {
                self.message = format!("{}; no message came on {}", self.message, self.listens.join(", "));
            }
            self.message.push_str(&self.hint);
        }
        self
    }
}

/// Where to look for what memory doesn't hold.
#[derive(Debug)]
pub struct Beyond {
    rule: Arc<Rule>,
    sources: TriggerSources,
    /// When the rule last ran, or might have, as memory knows; `None`: never.
    since: Option<Timestamp>,
    /// Later messages are in memory, or not asked for.
    until: Timestamp,
    /// How many are wanted.
    most: usize,
    time: LocalTime,
}

impl Beyond {
    /// Adds what came near to what was found in memory, back to the rule's own last publication.
    pub fn look(&self, history: &dyn History, found: &mut Obstacle) {
        let (mut near, mut ran) = (Vec::new(), None);
        history.walk(self.since.unwrap_or(Timestamp::MIN), self.until, &self.sources, &mut |part| {
            let own = part.iter().rposition(|heard| is_by(heard, &self.rule.id));
            ran = own.and_then(|own| part.get(own)).map(|heard| (heard.at, self.ran(heard)));
            let later = part.get(own.map_or(0, |own| own + 1)..).unwrap_or_default();
            near.extend(near_in(&self.rule, &self.sources, later, self.most - near.len(), history));
            if ran.is_some() || near.len() >= self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.add(near, ran);
    }

    /// Returns what's told of a rule whose run is no longer remembered, and that published.
    fn ran(&self, heard: &HeardMessage) -> String {
        let at = self.time.text(heard.at);
        format!("no trigger fired since it published to `{}` at {at}, as recorded", heard.message.topic)
    }
}

/// Returns what kept the rule from running when it last might have, as far as memory reaches, and where to look further.
#[must_use]
pub fn obstacle(facts: &Facts<'_>) -> (Obstacle, Option<Beyond>) {
    let last = facts.last_trace();
    let standing = match facts.until {
        None => facts.blocked(last.as_ref()),
        Some(until) => facts.held_at(until),
    };
    if let Some(found) = standing {
        return (found, None);
    }
    let since = last.as_ref().map(|last| last.trace.at);
    let near = facts.near(since);
    let beyond = facts.beyond(since, near.len());
    let found = match last {
        Some(last) => match &last.trace.outcome {
            Outcome::Skipped(_) | Outcome::Failed(_) => facts.stopped(last, near),
            _ if near.is_empty() => facts.ran(last),
            _ => {
                let ran = format!("no trigger fired since it last ran at {}", facts.time.text(last.trace.at));
                facts.missed(ran, near)
            }
        },
        None => facts.nothing(near),
    };
    let is_missing = found.by == Some(By::Trigger) && !found.listens.is_empty();
    (found, beyond.filter(|_| is_missing))
}

/// Returns the last time that one of `traces`, newest first, switched `rule` off, and whose it is.
pub fn switched_off_by<'a>(
    traces: impl IntoIterator<Item = &'a Trace>,
    rule: &RuleId,
) -> Option<(Timestamp, Switcher)> {
    let switches_off = |step: &&Step| {
        step.kind == StepKind::Disable && matches!(&step.result, StepResult::Rule(switched) if switched == rule)
    };
    traces.into_iter().find_map(|trace| {
        let step = trace.steps.iter().rev().find(switches_off)?;
        Some((step.at, Switcher::Rule(trace.rule.clone())))
    })
}

impl Facts<'_> {
    fn rule(&self) -> &RuleId {
        &self.view.rule.id
    }

    /// Returns the last trace that began by then: of a run under way, or of what ended.
    fn last_trace(&self) -> Option<Repeated> {
        let is_by_then = |at: Timestamp| self.until.is_none_or(|until| at <= until);
        let running = self.running.iter().find(|trace| is_by_then(trace.at));
        let ended = self.traces.iter().find(|ended| is_by_then(ended.first_at));
        match (running, ended) {
            // What came while it runs may have been dropped.
            (Some(running), ended) if ended.is_none_or(|ended| ended.trace.at <= running.at) => {
                Some(Repeated { trace: Arc::new(running.clone()), times: 1, first_at: running.at })
            }
            (_, ended) => ended.cloned(),
        }
    }

    /// Returns what blocks it at this moment, whatever message comes.
    fn blocked(&self, last: Option<&Repeated>) -> Option<Obstacle> {
        let Blocked { by, text, judged } = blocked(self.view, self.now, &self.time)?;
        let message = if by == BlockedBy::Disabled { self.disabled() } else { text };
        let meant = self.meant(&judged);
        let judged = judged.iter().map(|step| self.with_values(step)).collect::<Vec<_>>().join("; ");
        let message = if judged.is_empty() { message } else { format!("{message}: {judged}{meant}") };
        let trace =
            last.filter(|_| matches!(by, BlockedBy::Disabled | BlockedBy::Resting)).filter(|last| !is_running(last));
        let found = Obstacle::new(self.rule(), Some(self.now), Some(By::Blocked(by)), message);
        Some(Obstacle { trace: trace.cloned(), ..found })
    }

    /// Returns what held at `then` and had to hold longer, and what became of it.
    fn held_at(&self, then: Timestamp) -> Option<Obstacle> {
        if let Some(hold) = self.view.holds.iter().find(|hold| hold.since <= then) {
            let held = progress(hold.since, then, hold.due);
            let message = format!("{} had held for {held} by then, and still does", name_of(hold));
            return Some(Obstacle::new(self.rule(), Some(then), Some(By::Blocked(BlockedBy::Hold)), message));
        }
        let later = self.traces.iter().rev().filter(|later| later.trace.at > then);
        later.filter(|later| later.trace.rule == *self.rule()).find_map(|later| self.held_before(later, then))
    }

    fn held_before(&self, ended: &Repeated, then: Timestamp) -> Option<Obstacle> {
        let trace = &ended.trace;
        let armed = trace.cause.armed.as_ref().filter(|armed| armed.at <= then && armed.cause.is_none())?;
        let path = &trace.steps.first()?.path;
        let (hold, what) = match &self.view.rule.start {
            Start::While(start) => (Some(start.hold), "its `while`".to_owned()),
            Start::When(triggers) => {
                let trigger = triggers.iter().find(|trigger| trigger.path == *path)?;
                let (TriggerKind::State(state) | TriggerKind::Device(DeviceTrigger { state, .. })) = &trigger.kind
                else {
                    return None;
                };
                (state.hold, format!("`{}`", spoken(armed.topic.as_ref()?.as_str())))
            }
        };
        let due = armed.at.checked_add(hold.filter(|hold| !hold.is_zero())?).ok()?;
        let became = match &trace.outcome {
            Outcome::Skipped(BlockedBy::Hold) => {
                let held = progress(armed.at, trace.at, due);
                format!("it was broken at {}, after {held}", self.time.text(trace.at))
            }
            _ => format!("it fired at {}", self.time.text(trace.at)),
        };
        let message = format!("{what} had held for {} by then; {became}", progress(armed.at, then, due));
        let found = Obstacle::new(self.rule(), Some(then), Some(By::Blocked(BlockedBy::Hold)), message);
        Some(Obstacle { trace: Some(ended.clone()), ..found })
    }

    /// Returns who switched the rule off, and when.
    fn disabled(&self) -> String {
        if self.view.switch.is_none() {
            return "it's disabled: its file says `enabled: false`".to_owned();
        }
        match &self.switched_off {
            Some((at, Switcher::Person(by))) => {
                format!("it's disabled: {by} switched it off at {}", self.time.text(*at))
            }
            Some((at, Switcher::Rule(rule))) => {
                format!("it's disabled: the rule {rule} switched it off at {}", self.time.text(*at))
            }
            None => "it's disabled: it was switched off before the daemon started".to_owned(),
        }
    }

    /// Returns where to look for what memory doesn't hold; `None` if it holds enough. `since` is when the rule last ran,
    /// or might have, and `found` how many messages came near since.
    fn beyond(&self, since: Option<Timestamp>, found: usize) -> Option<Beyond> {
        let until = self.until.map_or(self.heard_since, |until| until.min(self.heard_since));
        if found >= MOST_NEAR || since.is_some_and(|since| since >= until) {
            return None;
        }
        let (rule, sources, time) = (Arc::clone(&self.view.rule), self.sources.clone(), self.time.clone());
        Some(Beyond { rule, sources, since, until, most: MOST_NEAR - found, time })
    }

    /// Returns the messages after `since` that have a trigger's topic and set none off, newest first.
    fn near(&self, since: Option<Timestamp>) -> Vec<NearMiss> {
        let mut near = Vec::new();
        let (from, until) = (since.unwrap_or(Timestamp::MIN), self.until.unwrap_or(Timestamp::MAX));
        self.heard.walk(from, until, self.sources, &mut |part| {
            near.extend(near_in(&self.view.rule, self.sources, part, MOST_NEAR - near.len(), self.heard));
            if near.len() >= MOST_NEAR { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        near
    }

    fn stopped(&self, last: Repeated, near: Vec<NearMiss>) -> Obstacle {
        let trace = &last.trace;
        let (by, message) = match &trace.outcome {
            Outcome::Skipped(by) => {
                let judged_true = |step: &&Step| step.verdict() == Some(&Verdict::True);
                let details = trace.steps.iter().skip(1).filter(|step| !judged_true(step));
                let details = details.map(|step| self.detail(step)).collect::<Vec<_>>().join("; ");
                let details = if details.is_empty() { details } else { format!(": {details}") };
                (By::Blocked(*by), format!("{}{details}{}", blocked_then(*by), self.meant(&trace.steps)))
            }
            outcome => (By::Failed, format!("it {}", ended(outcome))),
        };
        let found = Obstacle::new(self.rule(), Some(trace.at), Some(by), message);
        Obstacle { near, trace: Some(last), ..found }
    }

    /// Returns the topics that were probably meant by those that conditions read and on which nothing speaks.
    fn meant(&self, steps: &[Step]) -> String {
        // What rules publish is seldom what their conditions read.
        let spoken = self.states.iter().filter(|(_, state)| state.origin != Origin::Own).map(|(topic, _)| topic);
        let meant = meant_topics(steps.iter(), |topic| self.states.get(topic.as_str()).is_some(), &spoken);
        let text = |(topic, near)| format!("; nothing speaks on `{topic}`, but `{near}` does: did you mean that?");
        meant.into_iter().map(text).collect::<Vec<_>>().concat()
    }

    fn missed(&self, message: String, near: Vec<NearMiss>) -> Obstacle {
        let due = self.view.dues.iter().min_by_key(|(_, due)| *due).filter(|_| self.until.is_none());
        let due = due.map_or(String::new(), |(path, due)| format!("; `{path}` is due at {}", self.time.text(*due)));
        let at = near.first().map(|near| near.at);
        let found = Obstacle::new(self.rule(), at, Some(By::Trigger), format!("{message}{due}"));
        let unknown = self.sources.unknown.iter().flat_map(|unknown| ["; ", unknown]).collect::<String>();
        let hint = if near.is_empty() { format!("{}{unknown}", self.near_topics()) } else { String::new() };
        Obstacle { near, listens: self.listens(), hint, ..found }
    }

    /// Returns topics that speak, and that were probably meant by the rule's triggers.
    fn near_topics(&self) -> String {
        let filters = self.view.rule.triggers().iter().filter_map(Trigger::filter);
        let filters = filters.filter(|filter| !is_inner(filter.as_str()));
        let unheard = filters.filter(|filter| self.states.matching(filter).next().is_none());
        let near = unheard.filter_map(|filter| nearest_topic(filter, self.states.iter().map(|(topic, _)| topic)));
        near.map(|topic| format!("; `{topic}` speaks: did you mean that?")).collect::<Vec<_>>().concat()
    }

    /// Returns where a rule's triggers listen.
    fn listens(&self) -> Vec<String> {
        self.sources.filters.iter().map(|filter| format!("`{}`", filter.as_str())).collect()
    }

    /// Returns what's told if there's no trace of the rule.
    fn nothing(&self, near: Vec<NearMiss>) -> Obstacle {
        match (&self.view.rule.start, self.view.begun_at) {
            (Start::While(_), Some(begun_at)) if self.until.is_none_or(|until| begun_at <= until) => {
                let message = self.begun(begun_at);
                Obstacle::new(self.rule(), Some(begun_at), None, message)
            }
            (Start::While(_), _) => {
                let message = "its `while` didn't become true, as far back as the daemon remembers".to_owned();
                Obstacle::new(self.rule(), None, Some(By::Blocked(BlockedBy::Condition)), message)
            }
            (Start::When(_), _) => {
                self.missed("no trigger fired, as far back as the daemon remembers".to_owned(), near)
            }
        }
    }

    /// Returns since when its `while` is false, and when it will end, if it was so at the time that's asked about.
    fn lingers(&self) -> Option<(Timestamp, Timestamp)> {
        self.view.lingers.filter(|(since, _)| self.until.is_none_or(|until| *since <= until))
    }

    /// Returns what's told of a `while` that began at `begun_at` and hasn't ended.
    fn begun(&self, begun_at: Timestamp) -> String {
        let at = self.time.text(begun_at);
        match self.lingers() {
            None => format!("its `while` has been true since {at}: it began then"),
            Some(lingers) => format!("its `while` began at {at}, {}", lingering(lingers, &self.time)),
        }
    }

    fn ran(&self, last: Repeated) -> Obstacle {
        let at = self.time.text(last.trace.at);
        let message = match &last.trace.outcome {
            Outcome::Running => format!("it has been running since {at}"),
            outcome @ (Outcome::Stopped(_) | Outcome::Cancelled(_)) => {
                format!("it ran at {at} and was {}", ended(outcome))
            }
            outcome => format!("it ran at {at} and {}", outcome.word()),
        };
        let lingers = self.lingers().map_or(String::new(), |it| format!("; its `while` {}", lingering(it, &self.time)));
        let message = format!("{message}{lingers}");
        let found = Obstacle::new(self.rule(), Some(last.trace.at), None, message);
        Obstacle { trace: Some(Repeated { times: 1, ..last }), ..found }
    }

    /// Returns what a step says; only of conditions there may be several.
    fn detail(&self, step: &Step) -> String {
        match step.verdict() {
            Some(_) => self.with_values(step),
            None => step_result(step, &self.time).into_owned(),
        }
    }

    fn with_values(&self, step: &Step) -> String {
        let values: Vec<String> =
            step.values.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
        let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
        format!("{} {}{values}", step.path, step_result_with_source(step, &self.time))
    }
}

/// Returns which of these messages, oldest first, came near, newest first.
fn near_in(
    rule: &Rule,
    sources: &TriggerSources,
    part: &[HeardMessage],
    most: usize,
    history: &dyn History,
) -> Vec<NearMiss> {
    let messages: Vec<(Timestamp, &Message)> = part.iter().map(|heard| (heard.at, &heard.message)).collect();
    near_misses(rule, sources, &messages, most, &|topic, at, is_wanted| {
        let just_before = at.checked_sub(SignedDuration::from_micros(1)).ok()?;
        history.last(topic, just_before, &|heard| is_wanted(&heard.message)).map(|heard| heard.message)
    })
}

fn is_by(heard: &HeardMessage, rule: &RuleId) -> bool {
    matches!(&heard.speaker, Speaker::Rule(speaker, _) if speaker == rule)
}

fn is_running(last: &Repeated) -> bool {
    last.trace.outcome == Outcome::Running
}

fn name_of(hold: &ArmedHold) -> String {
    hold.topic.as_ref().map_or("its `while`".to_owned(), |topic| format!("`{}`", spoken(topic.as_str())))
}
