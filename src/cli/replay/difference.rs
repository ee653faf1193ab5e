//! `--diff`: where two sets of rules decide differently, grouped by rule.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::print;
use crate::model::recording::Recorded;
use crate::sim::{Divergence, Replay};

use super::divergence_text;
use super::subject::Subject;

/// Two homes that are fed with the same recording.
pub(super) struct Difference {
    names: (String, String),
    zone: TimeZone,
    here: Replay,
    there: Replay,
    divergence: Divergence,
}

impl Difference {
    /// Returns the difference of two homes before the first message.
    pub(super) fn new(here: &Subject, there: &Subject) -> Difference {
        Difference {
            names: (here.name.clone(), there.name.clone()),
            zone: here.options.calendar.zone.clone(),
            here: Replay::new(here.rules.clone(), here.options.clone()),
            there: Replay::new(there.rules.clone(), there.options.clone()),
            divergence: Divergence::default(),
        }
    }

    /// Feeds a message to both.
    pub(super) fn feed(&mut self, recorded: Recorded) {
        self.here.feed(recorded.clone());
        self.there.feed(recorded);
        self.compare();
    }

    /// Lets time pass up to the last message's.
    pub(super) fn end(&mut self, last: Timestamp) {
        self.here.end(last);
        self.there.end(last);
        self.compare();
    }

    fn compare(&mut self) {
        self.divergence.add(self.here.published(), self.there.published());
    }

    /// Returns the replay to the first home.
    pub(super) fn here(&self) -> &Replay {
        &self.here
    }

    /// Returns the replay to the second home.
    pub(super) fn there(&self) -> &Replay {
        &self.there
    }

    /// Returns whether both decided the same.
    pub(super) fn is_empty(&self) -> bool {
        self.divergence.is_empty()
    }

    /// Returns what differs.
    pub(super) fn divergence(&self) -> &Divergence {
        &self.divergence
    }

    /// Returns the answer for programs.
    pub(super) fn answer(&self) -> Value {
        divergence_text::answer(&self.divergence)
    }

    /// Writes what differs, by rule.
    pub(super) fn show(&self) {
        let (here, there) = &self.names;
        if self.is_empty() {
            print::line(&format!("`{here}` and `{there}` decide the same"));
            return;
        }
        divergence_text::show(&self.divergence, (&format!("only {here}"), &format!("only {there}")), &self.zone);
        let Divergence { only_here, only_there } = &self.divergence;
        print::line(&format!("\n{} only here, {} only there", only_here.len(), only_there.len()));
    }
}
