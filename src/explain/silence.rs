//! Why a rule did nothing at all: what blocks it, or what it waits for and what came near.

use jiff::Timestamp;

use crate::engine::{Awaited, RuleView, TriggerSources};
use crate::model::{Message, is_inner};
use crate::rules::{Rule, Start, Trigger};

use super::blocked::blocked;
use super::near::{near_misses, nearest_topic};
use super::report::{LineKind, Report};
use super::trace_lines::step_lines;
use super::words::{LocalTime, awaited, lingering, payload_text};

/// The most messages that came near that are listed.
const MOST_NEAR: usize = 5;

/// What's known of a home in which rules did nothing.
pub struct Silence<'a> {
    /// Now.
    pub now: Timestamp,
    /// How times are written.
    pub time: &'a LocalTime,
    /// The messages so far, oldest first.
    pub messages: Vec<(Timestamp, &'a Message)>,
}

impl Silence<'_> {
    /// Returns why a rule that `does_what` did nothing.
    #[must_use]
    pub fn of(&self, view: &RuleView, sources: &TriggerSources, does_what: &str) -> Report {
        let mut report = Report::default();
        let rule = &view.rule;
        let id = &rule.id;
        if let Some(blocked) = blocked(view, self.now, self.time) {
            report.add(LineKind::Plain, format!("`{id}` {does_what}, but {}", blocked.text));
            for line in step_lines(&blocked.judged, None, self.time) {
                report.add(LineKind::Plain, line);
            }
            return report;
        }
        if let Start::While(start) = &rule.start {
            let place = &start.condition.place;
            let text = match (view.begun_at, view.lingers) {
                (Some(at), Some(lingers)) => {
                    let (at, lingers) = (self.time.text(at), lingering(lingers, self.time));
                    format!("its `while` at {place} began at {at}, {lingers}")
                }
                (at, _) => {
                    let since = at.map_or(String::new(), |at| format!(" since {}", self.time.text(at)));
                    format!("its `while` at {place} has been true{since}: it began then, and not again")
                }
            };
            report.add(LineKind::Plain, format!("`{id}` {does_what}, but {text}"));
            return report;
        }
        let awaited = self.waits_for(view);
        report.add(LineKind::Plain, format!("`{id}` {does_what}, but nothing triggered it{awaited}"));
        for line in self.near(rule, sources) {
            report.add(LineKind::Plain, line);
        }
        report
    }

    /// Returns a line for each message that came near, oldest first, or for each topic that was probably meant.
    fn near(&self, rule: &Rule, sources: &TriggerSources) -> Vec<String> {
        // A test knows all its messages: before the first one of a topic, there was nothing.
        let near = near_misses(rule, sources, &self.messages, MOST_NEAR, &|_, _, _| None);
        if near.is_empty() {
            let filters = rule.triggers().iter().filter_map(Trigger::filter);
            let filters = filters.filter(|filter| !is_inner(filter.as_str()));
            let spoken = || self.messages.iter().map(|(_, message)| &message.topic);
            let meant = filters.filter_map(|filter| nearest_topic(filter, spoken()));
            let unknown = sources.unknown.iter().map(|unknown| format!("    {unknown}"));
            return meant
                .map(|topic| format!("    nothing spoke there, but `{topic}` did: is one of them misspelled?"))
                .chain(unknown)
                .collect();
        }
        let line = |near: &super::NearMiss| {
            let (at, payload) = (self.time.text(near.at), payload_text(&near.payload));
            format!("    {at} {} {payload}   {}: {}", near.topic, near.path, near.why)
        };
        near.iter().rev().map(line).collect()
    }

    fn waits_for(&self, view: &RuleView) -> String {
        let text = |trigger: &Trigger| {
            let due = view.dues.iter().find(|(path, _)| *path == trigger.path);
            let due = due.map_or(String::new(), |(_, due)| format!(", next at {}", self.time.text(*due)));
            format!("{}{due}", awaited(&Awaited::from(trigger)))
        };
        let texts: Vec<String> = view.rule.triggers().iter().map(text).collect();
        if texts.is_empty() { String::new() } else { format!(": it waits for {}", texts.join(" or ")) }
    }
}
