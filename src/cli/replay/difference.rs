//! `--diff`: where two sets of rules decide differently, grouped by rule.

use clap::builder::styling::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cli::print;
use crate::daemon::answer::publication_line;
use crate::model::recording::Recorded;
use crate::sim::{Divergence, Published, Replay};

use super::shown::text;
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

    /// Returns whether both decided the same.
    pub(super) fn is_empty(&self) -> bool {
        self.divergence.is_empty()
    }

    /// Returns the answer for programs (spec 11).
    pub(super) fn answer(&self) -> Value {
        let lines = |published: &[Published]| -> Vec<Value> {
            let line = |published: &Published| {
                serde_json::to_value(publication_line(published.at, &published.publication)).unwrap_or_default()
            };
            published.iter().map(line).collect()
        };
        json!({ "only_here": lines(&self.divergence.only_here), "only_there": lines(&self.divergence.only_there) })
    }

    /// Writes what differs, by rule: `+` what only the home itself published, `-` what only the other one did.
    pub(super) fn show(&self) {
        let (here, there) = &self.names;
        if self.is_empty() {
            print::line(&format!("`{here}` and `{there}` decide the same"));
            return;
        }
        let (plus, minus) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default());
        print::line(&format!("{plus}+ only {here}{plus:#}"));
        print::line(&format!("{minus}- only {there}{minus:#}"));
        let bold = Style::new().bold();
        for (rule, (only_here, only_there)) in self.divergence.by_rule() {
            print::line(&format!("\n{bold}{rule}{bold:#}"));
            let mut lines: Vec<(&Published, char, Style)> =
                only_there.into_iter().map(|published| (published, '-', minus)).collect();
            lines.extend(only_here.into_iter().map(|published| (published, '+', plus)));
            lines.sort_by_key(|(published, ..)| published.at);
            for (published, sign, style) in lines {
                print::line(&format!("  {style}{sign} {}{style:#}", text(published, &self.zone)));
            }
        }
        let Divergence { only_here, only_there } = &self.divergence;
        print::line(&format!("\n{} only here, {} only there", only_here.len(), only_there.len()));
    }
}
