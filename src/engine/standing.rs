//! What keeps a rule from running at a moment, whatever came: in words, for those who ask why it didn't.

use jiff::Timestamp;

use crate::model::format_duration;
use crate::rules::Start;

use super::{Gate, RuleView, Step, StepResult, elapsed};

/// So many holds are told.
const MOST_HOLDS: usize = 5;

/// What keeps a rule from running.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The gate.
    pub gate: Gate,
    /// In a sentence's words, without what follows.
    pub text: String,
    /// How its condition is judged, where that is what keeps it.
    pub judged: Vec<Step>,
}

impl RuleView {
    /// Returns what keeps the rule from running at `now`; `None` where nothing but its triggers does. `local` writes times.
    #[must_use]
    pub fn standing(&self, now: Timestamp, local: &dyn Fn(Timestamp) -> String) -> Option<Standing> {
        let told = |gate, text| Some(Standing { gate, text, judged: Vec::new() });
        if !self.is_enabled {
            let by = if self.switch.is_none() { "its file says `enabled: false`" } else { "it was switched off" };
            return told(Gate::Disabled, format!("it is disabled: {by}"));
        }
        if let Some(until) = self.resting_until {
            return told(Gate::Resting, format!("it rests after a loop until {}", local(until)));
        }
        if !self.holds.is_empty() {
            return told(Gate::Hold, self.holds_text(now, local));
        }
        let Start::While(start) = &self.rule.start else { return None };
        if self.begun_at.is_some() {
            return None;
        }
        // The outermost condition is judged last.
        let verdict = self.judged.last()?;
        if verdict.result == "true" {
            let text = "its `while` holds, but its `if` didn't when it began to: that is asked again only when the \
                        `while` becomes true anew";
            return self.was_refused.then(|| Standing {
                gate: Gate::Condition,
                text: text.to_owned(),
                judged: self.judged.clone(),
            });
        }
        let (gate, what) = if matches!(verdict.result, StepResult::Unknown(_)) {
            (Gate::Unknown, "can't be told")
        } else {
            (Gate::Condition, "doesn't hold")
        };
        let place = &start.condition.place;
        let judged = self.judged.clone();
        Some(Standing { gate, text: format!("its `while` at {place} {what}"), judged })
    }

    /// Returns whether how it stands may tell more than what kept it from running last: a hold goes on, or its `while` hasn't
    /// begun.
    #[must_use]
    pub fn standing_matters(&self) -> bool {
        !self.holds.is_empty() || (matches!(self.rule.start, Start::While(_)) && self.begun_at.is_none())
    }

    fn holds_text(&self, now: Timestamp, local: &dyn Fn(Timestamp) -> String) -> String {
        let one = |hold: &super::ArmedHold| {
            let what = hold.topic.as_ref().map_or("its `while`".to_owned(), |topic| format!("`{topic}`"));
            let (progress, path) = (hold.progress(now), &hold.path);
            format!("{what} has held for {progress}: `{path}` fires at {}", local(hold.due))
        };
        let mut texts: Vec<String> = self.holds.iter().take(MOST_HOLDS).map(one).collect();
        if self.holds.len() > MOST_HOLDS {
            texts.push(format!("and {} more", self.holds.len() - MOST_HOLDS));
        }
        texts.join("; ")
    }
}

impl super::ArmedHold {
    /// Returns how long it has held at `now`, and how long it must, in words: `2m41s of 3m`.
    #[must_use]
    pub fn progress(&self, now: Timestamp) -> String {
        progress(self.since, now.min(self.due), self.due)
    }
}

/// Returns how long something that must last from `since` until `due` has lasted by `then`: `2m41s of 3m`.
pub(crate) fn progress(since: Timestamp, then: Timestamp, due: Timestamp) -> String {
    let (held, whole) = (elapsed(since, then), elapsed(since, due));
    // Nobody needs the milliseconds of minutes.
    let held = if whole.as_secs() >= 10 { std::time::Duration::from_secs(held.as_secs()) } else { held };
    format!("{} of {}", format_duration(held), format_duration(whole))
}
