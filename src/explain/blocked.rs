//! What blocks a rule at a moment, whatever message comes.

use jiff::Timestamp;

use crate::engine::{ArmedHold, BlockedBy, RuleView, Step, Verdict};
use crate::model::spoken;
use crate::rules::Start;

use super::words::{LocalTime, overridden_by, progress};

/// The most holds that are listed.
const MOST_HOLDS: usize = 5;

/// What blocks a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocked {
    /// By what.
    pub by: BlockedBy,
    /// In words that continue a sentence, without a full stop.
    pub text: String,
    /// How its condition is judged, if that's what blocks it.
    pub judged: Vec<Step>,
}

/// Returns what blocks the rule at `now`; `None` if only its triggers keep it from running.
#[must_use]
pub fn blocked(view: &RuleView, now: Timestamp, time: &LocalTime) -> Option<Blocked> {
    let told = |by, text| Some(Blocked { by, text, judged: Vec::new() });
    if !view.is_enabled {
        let switch = if view.switch.is_none() { "its file says `enabled: false`" } else { "it was switched off" };
        return told(BlockedBy::Disabled, format!("it's disabled: {switch}"));
    }
    if let Some(until) = view.resting_until {
        return told(BlockedBy::Resting, format!("it's resting after a loop until {}", time.text(until)));
    }
    if let Some(over) = view.overridden.first() {
        let until = over.until.map_or(String::new(), |until| format!(", until {}", time.text(until)));
        let (since, by) = (time.text(over.since), overridden_by(&over.by));
        return told(BlockedBy::Override, format!("it yields since {since}{until}: {by}"));
    }
    if !view.holds.is_empty() {
        return told(BlockedBy::Hold, holds(&view.holds, now, time));
    }
    let Start::While(start) = &view.rule.start else { return None };
    if view.begun_at.is_some() {
        return None;
    }
    // The outermost condition is judged last.
    let verdict = view.judged.last()?.verdict()?;
    let place = &start.condition.place;
    let (by, text) = match verdict {
        Verdict::True if view.was_refused => {
            let text = "its `if` was false when its `while` became true: it's asked again only after the `while` has been \
                        false";
            (BlockedBy::Condition, text.to_owned())
        }
        Verdict::True => return None,
        Verdict::Unknown(_) => (BlockedBy::Unknown, format!("its `while` at {place} is unknown")),
        Verdict::False(_) => (BlockedBy::Condition, format!("its `while` at {place} is false")),
        Verdict::Failed(_) => (BlockedBy::Condition, format!("its `while` at {place} fails")),
    };
    Some(Blocked { by, text, judged: view.judged.clone() })
}

fn holds(holds: &[ArmedHold], now: Timestamp, time: &LocalTime) -> String {
    let one = |hold: &ArmedHold| {
        let what =
            hold.topic.as_ref().map_or("its `while`".to_owned(), |topic| format!("`{}`", spoken(topic.as_str())));
        let (held, path) = (progress(hold.since, now, hold.due), &hold.path);
        format!("{what} has held for {held}: `{path}` fires at {}", time.text(hold.due))
    };
    let mut texts: Vec<String> = holds.iter().take(MOST_HOLDS).map(one).collect();
    if holds.len() > MOST_HOLDS {
        texts.push(format!("and {} more", holds.len() - MOST_HOLDS));
    }
    texts.join("; ")
}
