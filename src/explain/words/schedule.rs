//! When a trigger is due, in words.

use crate::model::schedule::{Boundary, Schedule, Weekdays};
use crate::model::{format_duration, format_offset};
use crate::rules::TriggerKind;

/// Returns when a trigger is due: `at 07:30, on mon, tue`, `every 5m`, `sunset-30m`; empty for one that no time sets off.
#[must_use]
pub fn trigger_time(kind: &TriggerKind) -> String {
    match kind {
        TriggerKind::Schedule { schedule, .. } => schedule_text(schedule),
        TriggerKind::AtExpression { expression, weekdays, .. } => {
            let source = expression.text().split_whitespace().collect::<Vec<_>>().join(" ");
            on(format!("at `{source}`"), *weekdays)
        }
        _ => String::new(),
    }
}

fn schedule_text(schedule: &Schedule) -> String {
    match schedule {
        Schedule::At { times, weekdays } => {
            let times: Vec<String> = times.iter().map(ToString::to_string).collect();
            on(format!("at {}", times.join(", ")), *weekdays)
        }
        Schedule::Every(interval) => format!("every {}", format_duration(*interval)),
        Schedule::EachDays { days, from, at } => format!("at {at}, each {days} days from {from}"),
        Schedule::Cron(cron) => format!("cron {}", cron.as_str()),
        Schedule::Sun { event, offset, weekdays } => on(Boundary::Sun(*event, *offset).to_string(), *weekdays),
        Schedule::Events { calendar, edge, offset, matching } => {
            let offset = if offset.is_zero() { String::new() } else { format_offset(*offset) };
            let of = matching.as_ref().map(|matching| format!(" of `{matching}`")).unwrap_or_default();
            format!("{}{offset}{of} in the calendar `{calendar}`", edge.word())
        }
    }
}

fn on(text: String, weekdays: Weekdays) -> String {
    if weekdays == Weekdays::ALL { text } else { format!("{text}, on {weekdays}") }
}
