//! What is wrong with a recording: lines that were skipped, and what is odd about others.

use std::collections::BTreeMap;

/// How many lines that were skipped are told one by one.
const TOLD: usize = 20;

/// What is wrong with a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first lines that were skipped, counted from 1, and why.
    skipped: Vec<(u64, String)>,
    skipped_count: u64,
    /// Whether a line of no known format was told: of a whole file of them one is enough.
    has_told_unknown: bool,
    /// By kind: the first line, what is odd about it, and how many lines.
    warnings: BTreeMap<Warning, (u64, String, u64)>,
}

/// What may be odd about a line that is read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// `mosquitto_sub -F %J` writes a blank line for a payload that is no JSON.
    Blank,
    /// The line tells of a payload and has none: the message is left out.
    Dropped,
    /// The payload has not the length that the line tells.
    Length,
    /// The line tells no time.
    NoTime,
    /// The line's time names no zone.
    NoZone,
    /// The line's time is before that of the line above it.
    Backward,
    /// The payloads look like base64.
    Base64,
}

impl Findings {
    /// Returns how many lines were skipped.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped_count
    }

    /// Returns a message for each line that was skipped.
    #[must_use]
    pub fn skipped_lines(&self) -> Vec<String> {
        let mut told: Vec<String> =
            self.skipped.iter().map(|(line, why)| format!("line {line} was skipped: {why}")).collect();
        let more = self.skipped_count.saturating_sub(u64::try_from(told.len()).unwrap_or(u64::MAX));
        if more > 0 {
            told.push(match more {
                1 => "1 more line was skipped".to_owned(),
                more => format!("{more} more lines were skipped"),
            });
        }
        told
    }

    /// Returns a message for each doubtful line that was read anyway, in the order of the lines.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<&(u64, String, u64)> = self.warnings.values().collect();
        warnings.sort();
        let told = warnings.into_iter().map(|(line, what, count)| {
            let more = match count {
                1 => String::new(),
                2 => "; 1 more line like this".to_owned(),
                count => format!("; {} more lines like this", count - 1),
            };
            format!("line {line}: {what}{more}")
        });
        told.collect()
    }

    /// Takes note of a line that is skipped.
    pub(super) fn skip(&mut self, line: u64, why: String) {
        self.skipped_count += 1;
        if self.skipped.len() < TOLD {
            self.skipped.push((line, why));
        }
    }

    /// Takes note of a line that is skipped since it is of no format that is known. Only the first is put into words.
    pub(super) fn skip_unknown(&mut self, line: u64, why: &str) {
        if self.has_told_unknown {
            self.skipped_count += 1;
        } else {
            self.has_told_unknown = true;
            self.skip(line, why.to_owned());
        }
    }

    /// Takes note of something odd. Only the first of a kind is put into words.
    pub(super) fn warn(&mut self, line: u64, warning: Warning, what: impl FnOnce() -> String) {
        match self.warnings.get_mut(&warning) {
            Some((_, _, count)) => *count += 1,
            None => {
                self.warnings.insert(warning, (line, what(), 1));
            }
        }
    }
}
