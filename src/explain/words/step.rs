//! What came of a step of a trace, in words.

use std::borrow::Cow;

use crate::engine::{Refusal, Step, StepKind, StepResult, WaitsFor};
use crate::model::{Payload, Topic, Value, format_duration};

use super::awaited::awaited_any;
use super::cause::cause_of_step;
use super::verdict::{verdict_text, verdict_why};
use super::{LocalTime, progress};

/// Returns what came of a step: `true`, `home/hall/light/set ON`, `failed: …`.
#[must_use]
pub fn step_result<'a>(step: &'a Step, time: &LocalTime) -> Cow<'a, str> {
    words(&step.result, step, time)
}

/// Returns what came of a step; of a condition that's an expression, with what it says: `` false: msg == 'ON' ``,
/// `` unknown: state('lux') < 3: `lux` has no value yet ``.
#[must_use]
pub fn step_result_with_source<'a>(step: &'a Step, time: &LocalTime) -> Cow<'a, str> {
    let StepResult::Judged { verdict, source: Some(source) } = &step.result else { return step_result(step, time) };
    let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = verdict_why(verdict, step.at, time).map_or(String::new(), |why| format!(": {why}"));
    Cow::Owned(format!("{}: {source}{why}", verdict.word()))
}

fn words<'a>(result: &'a StepResult, step: &Step, time: &LocalTime) -> Cow<'a, str> {
    let words = match result {
        StepResult::Done => return Cow::Borrowed(""),
        StepResult::TimedOut => return Cow::Borrowed("timed out"),
        StepResult::Text(text) | StepResult::Words(text) => return Cow::Borrowed(text),
        StepResult::Rule(rule) => return Cow::Borrowed(rule.as_str()),
        StepResult::Caused(cause) => cause_of_step(cause, step.at, time),
        StepResult::TimerDue { name, cause } => {
            let cause = cause_of_step(cause, step.at, time);
            name.as_ref().map_or_else(|| cause.clone(), |name| format!("{name}, {cause}"))
        }
        StepResult::Judged { verdict, .. } => verdict_text(verdict, step.at, time),
        StepResult::Refused(refusal) => refused(refusal, step, time),
        StepResult::Published(topic, payload) => message(topic, payload),
        StepResult::Unchanged(topic, value) => format!("unchanged: `{topic}` is already {value}"),
        StepResult::Withheld(topic, payload) => format!("not sent: {}", message(topic, payload)),
        StepResult::Would(result) => format!("would {} {}", verb(step.kind), words(result, step, time)),
        StepResult::Lasts(duration) => format_duration(*duration),
        StepResult::WaitsFor(what) => waits_for(what, time),
        StepResult::Case(value) => value.to_string(),
        StepResult::NoCase { value, cases } => {
            let cases = cases.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            format!("{value} is none of the cases ({cases})")
        }
        StepResult::Set(name, value) => format!("{name} = {value}"),
        StepResult::Requested { method, url } => format!("{method} {url}"),
        StepResult::Started(command) => command.join(" "),
        StepResult::TimerSet { name, delay } => {
            format!("{} in {}", name.as_deref().unwrap_or("a timer"), format_duration(*delay))
        }
        StepResult::TimerCancelled { name, was_set: true } => name.to_string(),
        StepResult::TimerCancelled { name, was_set: false } => format!("{name}: there was no such timer"),
        StepResult::Failed(fault) => format!("failed: {fault}"),
    };
    Cow::Owned(words)
}

fn message(topic: &Topic, payload: &Payload) -> String {
    format!("{topic} {}", payload.text().unwrap_or("(binary)"))
}

/// Returns what an action does, as a verb.
fn verb(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Publish | StepKind::Scene => "publish",
        StepKind::Http => "send",
        StepKind::Exec | StepKind::Run => "run",
        other => other.word(),
    }
}

fn refused(refusal: &Refusal, step: &Step, time: &LocalTime) -> String {
    match refusal {
        Refusal::Until(until) => format!("until {}", time.text(*until)),
        Refusal::Busy { runs, since, max } => {
            let since = since.map_or(String::new(), |since| format!(" since {}", time.text(since)));
            match runs {
                1 if *max == 1 => format!("it has been running{since}"),
                1 => format!("1 run has been under way{since}, and `max` is {max}"),
                runs => format!("{runs} runs have been under way{since}, and `max` is {max}"),
            }
        }
        Refusal::HoldBroken { topic, since, due, value } => {
            let held = progress(*since, step.at, *due);
            let value = value.as_ref().map_or(String::new(), |value| format!(", then it was {value}"));
            match topic {
                Some(topic) => format!("`{topic}` held for {held}{value}"),
                None => format!("true for {held}"),
            }
        }
    }
}

fn waits_for(what: &WaitsFor, time: &LocalTime) -> String {
    match what {
        WaitsFor::Turn => "until the run before it has ended".to_owned(),
        WaitsFor::Time(due) => format!("until {}", time.text(*due)),
        WaitsFor::Events { events, until } => {
            let until = until.map_or(String::new(), |until| format!(", until {}", time.text(until)));
            format!("for {}{until}", awaited_any(events))
        }
        WaitsFor::Run(run) => format!("for run {}", run.0),
        WaitsFor::Answer => "for an answer from outside".to_owned(),
    }
}
