//! What kept a rule from running: the first gate that stopped it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::api::TraceAnswer;
use crate::daemon::home::view::HomeView;
use crate::daemon::observers::traces::Kept;
use crate::engine::{Gate, Outcome, RuleView, Step, StepKind, StepResult, Trace, Verdict};
use crate::explain::{
    Blocked, LocalTime, blocked, ended, gate_then, nearest_to_topic, nearest_topic, progress, step_result,
    step_result_with_source,
};
use crate::model::{Origin, RuleId, Topic};
use crate::rules::{Rule, Start, Trigger, TriggerKind};

use super::near::{Beyond, NEAR, Near};

/// What kept a rule from running, as programs read it.
#[derive(Debug, Serialize)]
pub(in crate::daemon) struct Obstacle {
    rule: String,
    /// When it last might have run; `None`: it never might.
    at: Option<Timestamp>,
    /// `trigger`, `failed`, or the gate as `trace` names it; `None`: nothing did, it ran.
    by: Option<&'static str>,
    /// In words.
    message: String,
    /// Messages with a topic of one of its triggers that set none off, newest first.
    near: Vec<Near>,
    /// The trace, where there is one.
    trace: Option<Value>,
    /// The topics to which it listens, where it is told that no message came.
    #[serde(skip)]
    listens: Vec<String>,
    /// Which topics were probably meant then, in words.
    #[serde(skip)]
    hint: String,
}

impl Obstacle {
    /// Adds what came near before, newest first, and what is known beside.
    pub(super) fn add(&mut self, earlier: Vec<Near>, ran: Option<(Timestamp, String)>) {
        if self.by != Some("trigger") {
            return;
        }
        let has_trace = self.trace.is_some();
        self.near.extend(earlier);
        self.at = self.near.first().map(|near| near.at);
        if let Some((at, message)) = ran.filter(|_| !has_trace) {
            if self.near.is_empty() {
                (self.at, self.by, self.listens) = (Some(at), None, Vec::new());
            }
            self.message = message;
        }
    }

    /// Returns it as it is told, when all that is known was found.
    pub(in crate::daemon) fn finish(mut self) -> Obstacle {
        if self.near.is_empty() && !self.listens.is_empty() {
            self.message = format!("{}; no message came on {}{}", self.message, self.listens.join(", "), self.hint);
        }
        self
    }
}

/// Returns what kept `rule` from running when it last might have, up to `until`, as far as memory reaches, and where to
/// look beyond; `None`: there is no such rule. Without `until`, it is up to now.
pub(in crate::daemon) fn obstacle(
    home: &mut HomeView<'_>,
    rule: &RuleId,
    until: Option<Timestamp>,
) -> Option<(Obstacle, Option<Beyond>)> {
    let view = home.engine.view(rule, home.now)?;
    let search = Search { home, rule, view: &view, until };
    let last = search.last_trace();
    let standing = match until {
        None => search.standing(last.as_ref()),
        Some(until) => search.held_at(until),
    };
    if let Some(found) = standing {
        return Some((found, None));
    }
    let since = last.as_ref().map(|(trace, _)| trace.at);
    let near = search.near(since);
    let beyond = search.beyond(since, near.len());
    let found = match last {
        Some((trace, kept)) => match gate(&trace.outcome) {
            Some(by) => search.stopped(&trace, kept.as_ref(), by, near),
            None if near.is_empty() => search.ran(&trace),
            None => {
                let ran = format!("no trigger fired since it last ran, at {}", search.local(trace.at));
                search.missed(ran, near)
            }
        },
        None => search.nothing(near),
    };
    let is_missing = found.by == Some("trigger") && !found.listens.is_empty();
    Some((found, beyond.filter(|_| is_missing)))
}

/// Returns the word of what stopped a rule; `None` where it ran.
fn gate(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Skipped(gate) => Some(gate.word()),
        Outcome::Failed(_) => Some("failed"),
        Outcome::Finished | Outcome::Stopped(_) | Outcome::Cancelled(_) | Outcome::Running => None,
    }
}

struct Search<'a> {
    home: &'a HomeView<'a>,
    rule: &'a RuleId,
    view: &'a RuleView,
    until: Option<Timestamp>,
}

impl Search<'_> {
    /// Returns the last trace that began by then, and how it is kept, if its run has ended.
    fn last_trace(&self) -> Option<(Arc<Trace>, Option<Kept>)> {
        let is_by_then = |at: Timestamp| self.until.is_none_or(|until| at <= until);
        let running = self.home.engine.runs_under_way(self.home.now).into_iter().rev();
        let running = running.filter(|trace| trace.rule == *self.rule).find(|trace| is_by_then(trace.at));
        let kept = self.home.traces.last(Some(self.rule.as_str()), usize::MAX);
        let kept = kept.into_iter().find(|kept| is_by_then(kept.first_at));
        match (running, kept) {
            // What came while it runs may have been dropped.
            (Some(running), kept) if kept.as_ref().is_none_or(|kept| kept.trace.at <= running.at) => {
                Some((Arc::new(running), None))
            }
            (_, kept) => kept.map(|kept| (Arc::clone(&kept.trace), Some(kept))),
        }
    }

    /// Returns what would keep it from running at this moment, whatever came.
    fn standing(&self, last: Option<&(Arc<Trace>, Option<Kept>)>) -> Option<Obstacle> {
        let now = self.home.now;
        let Blocked { gate, text, judged } = blocked(self.view, now, &self.time())?;
        let last = last.filter(|_| matches!(gate, Gate::Disabled | Gate::Resting));
        let message = if gate == Gate::Disabled { self.disabled() } else { text };
        let meant = self.meant(&judged);
        let judged = judged.iter().map(|step| with_values(step, &self.time())).collect::<Vec<_>>().join("; ");
        let message = if judged.is_empty() { message } else { format!("{message}: {judged}{meant}") };
        Some(self.found(Some(now), gate.word(), message, last))
    }

    /// Returns what held at `then` and had to hold longer, and what became of that.
    fn held_at(&self, then: Timestamp) -> Option<Obstacle> {
        if let Some(hold) = self.view.holds.iter().find(|hold| hold.since <= then) {
            let what = hold.topic.as_ref().map_or("its `while`".to_owned(), |topic| format!("`{topic}`"));
            let message =
                format!("{what} had held for {} by then, and still does", progress(hold.since, then, hold.due));
            return Some(self.found(Some(then), Gate::Hold.word(), message, None));
        }
        let kept = self.home.traces.last(Some(self.rule.as_str()), usize::MAX);
        let mut of_rule = kept.iter().rev().filter(|kept| kept.trace.rule == *self.rule && kept.trace.at > then);
        of_rule.find_map(|kept| self.held_before(kept, then))
    }

    fn held_before(&self, kept: &Kept, then: Timestamp) -> Option<Obstacle> {
        let trace = &kept.trace;
        let armed = trace.cause.armed.as_ref().filter(|armed| armed.at <= then && armed.cause.is_none())?;
        let path = &trace.steps.first()?.path;
        let (hold, what) = match &self.view.rule.start {
            Start::While(start) => (Some(start.hold), "its `while`".to_owned()),
            Start::When(triggers) => {
                let trigger = triggers.iter().find(|trigger| trigger.path == *path)?;
                let TriggerKind::State(state) = &trigger.kind else { return None };
                (state.hold, format!("`{}`", armed.topic.as_ref()?))
            }
        };
        let due = armed.at.checked_add(hold.filter(|hold| !hold.is_zero())?).ok()?;
        let ended = match &trace.outcome {
            Outcome::Skipped(Gate::Hold) => {
                format!("was broken at {}, after {}", self.local(trace.at), progress(armed.at, trace.at, due))
            }
            _ => format!("fired at {}", self.local(trace.at)),
        };
        let message = format!("{what} had held for {} by then; that {ended}", progress(armed.at, then, due));
        let last = (Arc::clone(trace), Some(kept.clone()));
        Some(self.found(Some(then), Gate::Hold.word(), message, Some(&last)))
    }

    /// Returns who switched the rule off, and when.
    fn disabled(&self) -> String {
        if self.view.switch.is_none() {
            return "it is disabled: its file says `enabled: false`".to_owned();
        }
        let by_person = self.home.switches.get(self.rule).filter(|switched| !switched.is_enabled);
        let by_rule = self.home.traces.last(None, usize::MAX).into_iter().find_map(|kept| {
            let step = kept.trace.steps.iter().rev().find(|step| switches_off(step, self.rule))?;
            Some((step.at, kept.trace.rule.clone()))
        });
        match (by_person, by_rule) {
            (Some(person), Some((at, rule))) if at > person.at => {
                format!("it is disabled: the rule {rule} switched it off at {}", self.local(at))
            }
            (Some(person), _) => {
                format!("it is disabled: {} switched it off at {}", person.by, self.local(person.at))
            }
            (None, Some((at, rule))) => {
                format!("it is disabled: the rule {rule} switched it off at {}", self.local(at))
            }
            (None, None) => "it is disabled: it was switched off before the daemon started".to_owned(),
        }
    }

    /// Returns where to look for what memory doesn't hold; `None` where it holds enough. `since` is when the rule last ran,
    /// or might have, and `found` how many messages came near since.
    fn beyond(&self, since: Option<Timestamp>, found: usize) -> Option<Beyond> {
        let memory = self.home.heard.since();
        let until = self.until.map_or(memory, |until| until.min(memory));
        if found >= NEAR || since.is_some_and(|since| since >= until) {
            return None;
        }
        let rule = Arc::clone(&self.view.rule);
        let zone = self.home.engine.calendar().zone.clone();
        Some(Beyond { rule, since, until, most: NEAR - found, zone })
    }

    /// Returns the messages after `since` that have a trigger's topic and set none off, newest first.
    fn near(&self, since: Option<Timestamp>) -> Vec<Near> {
        let messages: Vec<_> = self.home.heard.messages().collect();
        let mut near = Vec::new();
        for (index, heard) in messages.iter().enumerate().rev() {
            if since.is_some_and(|since| heard.at <= since) || near.len() == NEAR {
                break;
            }
            if self.until.is_some_and(|until| heard.at > until) {
                continue;
            }
            let before = || {
                let earlier = messages.get(..index)?.iter().rev();
                earlier.map(|earlier| &earlier.message).find(|earlier| earlier.topic == heard.message.topic)
            };
            let before = before().map(|message| message.payload.value());
            near.extend(Near::of(&self.view.rule, heard.at, &heard.message, before));
        }
        near
    }

    fn stopped(&self, trace: &Trace, kept: Option<&Kept>, by: &'static str, near: Vec<Near>) -> Obstacle {
        let details = trace.steps.iter().skip(1).filter(|step| step.verdict() != Some(&Verdict::True));
        let time = self.time();
        let details = details.map(|step| detail(step, &time));
        let details = details.collect::<Vec<_>>().join("; ");
        let message = match &trace.outcome {
            Outcome::Skipped(gate) => {
                let details = if details.is_empty() { details } else { format!(": {details}") };
                format!("{}{details}{}", gate_then(*gate), self.meant(&trace.steps))
            }
            Outcome::Failed(reason) => format!("it failed: {reason}"),
            Outcome::Finished | Outcome::Stopped(_) | Outcome::Cancelled(_) | Outcome::Running => String::new(),
        };
        let last = kept.map(|kept| (Arc::clone(&kept.trace), Some(kept.clone())));
        Obstacle { near, ..self.found(Some(trace.at), by, message, last.as_ref()) }
    }

    /// Returns the topics that were probably meant by those that conditions read and that nobody speaks on, in words.
    fn meant(&self, steps: &[Step]) -> String {
        let states = self.home.engine.states();
        // What rules publish is seldom what their conditions read.
        let spoken = states.iter().filter(|(_, state)| state.origin != Origin::Own).map(|(topic, _)| topic);
        let mut unknown: BTreeSet<Topic> = steps.iter().flat_map(Step::topics_without_value).collect();
        unknown.retain(|topic| states.get(topic.as_str()).is_none());
        let near = unknown.iter().filter_map(|topic| Some((topic, nearest_to_topic(topic, spoken.clone())?)));
        let told =
            near.map(|(topic, near)| format!("; nobody speaks on `{topic}`, and `{near}` is there: was that meant?"));
        told.collect::<Vec<_>>().concat()
    }

    fn missed(&self, message: String, near: Vec<Near>) -> Obstacle {
        let due = self.view.dues.iter().min_by_key(|(_, due)| *due).filter(|_| self.until.is_none());
        let due = due.map_or(String::new(), |(path, due)| format!("; `{path}` is due at {}", self.local(*due)));
        let at = near.first().map(|near| near.at);
        let found = self.found(at, "trigger", format!("{message}{due}"), None);
        let hint = if near.is_empty() { self.near_topics() } else { String::new() };
        Obstacle { near, listens: topics(&self.view.rule), hint, ..found }
    }

    /// Returns topics that speak, and that were probably meant by the rule's triggers.
    fn near_topics(&self) -> String {
        let states = self.home.engine.states();
        let filters = self.view.rule.triggers().iter().filter_map(Trigger::filter);
        let unheard = filters.filter(|filter| states.matching(filter).next().is_none());
        let near = unheard.filter_map(|filter| nearest_topic(filter, states.iter().map(|(topic, _)| topic)));
        near.map(|topic| format!("; `{topic}` is there: was that meant?")).collect::<Vec<_>>().concat()
    }

    /// Returns what is told where there is no trace of the rule.
    fn nothing(&self, near: Vec<Near>) -> Obstacle {
        match (&self.view.rule.start, self.view.begun_at) {
            (Start::While(_), Some(begun_at)) if self.until.is_none_or(|until| begun_at <= until) => {
                let message = format!("its `while` has held since {}: it began then", self.local(begun_at));
                Obstacle { at: Some(begun_at), by: None, ..self.found(None, "", message, None) }
            }
            (Start::While(_), _) => {
                let message = "its `while` didn't become true, as far back as the daemon remembers".to_owned();
                self.found(None, Gate::Condition.word(), message, None)
            }
            (Start::When(_), _) => {
                self.missed("no trigger fired, as far back as the daemon remembers".to_owned(), near)
            }
        }
    }

    fn ran(&self, trace: &Arc<Trace>) -> Obstacle {
        let message = match &trace.outcome {
            Outcome::Running => format!("it has been running since {}", self.local(trace.at)),
            outcome => format!("it ran at {} and {}", self.local(trace.at), then(outcome)),
        };
        let answer = serde_json::to_value(TraceAnswer::new(trace, &self.time())).ok();
        Obstacle { by: None, trace: answer, ..self.found(Some(trace.at), "", message, None) }
    }

    fn found(
        &self,
        at: Option<Timestamp>,
        by: &'static str,
        message: String,
        last: Option<&(Arc<Trace>, Option<Kept>)>,
    ) -> Obstacle {
        let trace = last.and_then(|(trace, kept)| match kept {
            Some(kept) => serde_json::to_value(kept.answer(&self.time())).ok(),
            None => serde_json::to_value(TraceAnswer::new(trace, &self.time())).ok(),
        });
        Obstacle {
            rule: self.rule.to_string(),
            at,
            by: Some(by),
            message,
            near: Vec::new(),
            trace,
            listens: Vec::new(),
            hint: String::new(),
        }
    }

    fn time(&self) -> LocalTime {
        self.home.local_time()
    }

    fn local(&self, at: Timestamp) -> String {
        self.time().text(at)
    }
}

/// Returns the topics that a rule's triggers listen to.
fn topics(rule: &Rule) -> Vec<String> {
    let filters = rule.triggers().iter().filter_map(Trigger::filter);
    let mut topics: Vec<String> = filters.map(|filter| format!("`{}`", filter.as_str())).collect();
    topics.dedup();
    topics
}

fn switches_off(step: &Step, rule: &RuleId) -> bool {
    step.kind == StepKind::Disable && matches!(&step.result, StepResult::Rule(switched) if switched == rule)
}

/// Returns what a step says; only of conditions there may be several.
fn detail(step: &Step, time: &LocalTime) -> String {
    if step.verdict().is_some() { with_values(step, time) } else { step_result(step, time).into_owned() }
}

fn with_values(step: &Step, time: &LocalTime) -> String {
    let values: Vec<String> = step.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
    format!("{} {}{values}", step.path, step_result_with_source(step, time))
}

fn then(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Stopped(_) | Outcome::Cancelled(_) => format!("was {}", ended(outcome)),
        Outcome::Finished | Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Running => outcome.word().to_owned(),
    }
}
