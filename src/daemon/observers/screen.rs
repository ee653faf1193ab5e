//! What `run` shows: a line for each message and each rule that fires, or JSON lines for programs.
//!
//! A thread of its own writes, so that a terminal that stands still never holds up the home: what it has no room for is
//! left out, and that is said.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::engine::{Outcome, StepKind, Trace};
use crate::explain::{LocalTime, stop_reason};
use crate::model::{Message, RuleId};

use crate::api::{MessageLine, TraceAnswer, Via};

/// How many batches may wait for the writer.
const WAITING: usize = 256;

/// How much of a payload a line shows, in characters.
const SHOWN: usize = 120;

const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const CYAN: &str = "\x1b[36m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// How things are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// Shows what happens.
pub(in crate::daemon) struct Screen {
    format: Format,
    /// Whether messages and rules are shown.
    is_quiet: bool,
    zone: TimeZone,
    batch: String,
    left_out: u64,
    writer: Option<(SyncSender<String>, JoinHandle<()>)>,
}

impl Screen {
    /// Starts the writer.
    pub(in crate::daemon) fn start(format: Format, is_quiet: bool, zone: TimeZone) -> Screen {
        let (sender, lines) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("screen".to_owned()).spawn(move || write(&lines));
        // Without a thread there is nobody to show anything; the home runs.
        let writer = thread.ok().map(|thread| (sender, thread));
        Screen { format, is_quiet, zone, batch: String::new(), left_out: 0, writer }
    }

    /// Returns how things are shown.
    pub(in crate::daemon) fn format(&self) -> Format {
        self.format
    }

    /// Shows a message that a client published.
    pub(in crate::daemon) fn message(&mut self, now: Timestamp, message: &Message, client: Option<&str>) {
        match self.format {
            _ if self.is_quiet => {}
            Format::Text => {
                let time = self.time(now);
                let (topic, payload) = (escape(message.topic.as_str(), SHOWN), payload(message));
                self.line(&format!("{DIM}{time}{PLAIN}  {topic}  {payload}"));
            }
            Format::Json => {
                self.document("message", &MessageLine::new(now, message, Via::Client(client)));
            }
        }
    }

    /// Shows a message that a rule published.
    pub(in crate::daemon) fn publication(&mut self, now: Timestamp, message: &Message, rule: &RuleId) {
        match self.format {
            _ if self.is_quiet => {}
            Format::Text => {
                let time = self.time(now);
                let (topic, payload) = (escape(message.topic.as_str(), SHOWN), payload(message));
                self.line(&format!("{DIM}{time}{PLAIN}    {CYAN}{rule}{PLAIN} {GREEN}→{PLAIN} {topic}  {payload}"));
            }
            Format::Json => self.document("publish", &MessageLine::new(now, message, Via::Rule(rule))),
        }
    }

    /// Shows a run that ended. On a terminal one that published is seen by that already.
    pub(in crate::daemon) fn run(&mut self, now: Timestamp, trace: &Trace) {
        if self.is_quiet {
            return;
        }
        if self.format == Format::Json {
            self.document("run", &TraceAnswer::new(trace, &LocalTime::new(self.zone.clone())));
            return;
        }
        let published = trace.steps.iter().any(|step| step.kind == StepKind::Publish);
        let said = match &trace.outcome {
            Outcome::Skipped(_) | Outcome::Running => return,
            Outcome::Finished if published => return,
            Outcome::Finished => "ran".to_owned(),
            Outcome::Stopped(reason) => format!("stopped: {}", escape(stop_reason(reason), SHOWN)),
            Outcome::Cancelled(_) => "ended before its time".to_owned(),
            Outcome::Failed(fault) => format!("{RED}failed: {}{PLAIN}", escape(&fault.to_string(), 4 * SHOWN)),
        };
        let time = self.time(now);
        self.line(&format!("{DIM}{time}{PLAIN}    {CYAN}{}{PLAIN} {said}", trace.rule));
    }

    /// Shows text of more than one line, as it is.
    pub(in crate::daemon) fn text(&mut self, text: &str) {
        if self.format == Format::Text {
            self.line(text);
        }
    }

    /// Shows a document, with what it is about, where programs read.
    pub(in crate::daemon) fn document(&mut self, event: &'static str, document: &impl Serialize) {
        #[derive(Serialize)]
        struct Line<'a, T> {
            event: &'static str,
            #[serde(flatten)]
            document: &'a T,
        }
        if self.format == Format::Json
            && let Ok(line) = serde_json::to_string(&Line { event, document })
        {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        self.batch.push_str(line);
        self.batch.push('\n');
    }

    /// Hands over what was shown since the last time.
    pub(in crate::daemon) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut self.batch);
        match self.format {
            _ if self.left_out == 0 => {}
            Format::Text => batch.insert_str(0, &format!("… {} lines were left out\n", self.left_out)),
            Format::Json => batch.insert_str(0, &format!("{{\"event\":\"left_out\",\"lines\":{}}}\n", self.left_out)),
        }
        let Some((writer, _)) = &self.writer else { return };
        match writer.try_send(batch) {
            Ok(()) => self.left_out = 0,
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                self.left_out += batch.lines().count() as u64;
            }
        }
    }

    /// Waits until all is written, but not for a terminal that stands still.
    pub(in crate::daemon) fn close(mut self) {
        self.flush();
        let Some((writer, thread)) = self.writer.take() else { return };
        drop(writer);
        let end = std::time::Instant::now() + std::time::Duration::from_millis(500);
        while !thread.is_finished() && std::time::Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn time(&self, now: Timestamp) -> String {
        now.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string()
    }
}

/// Writes until nobody sends any more. A closed pipe ends it.
fn write(lines: &Receiver<String>) {
    // Colour is taken out where it doesn't go to a terminal.
    let mut output = anstream::stdout();
    while let Ok(batch) = lines.recv() {
        if output.write_all(batch.as_bytes()).and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}

fn payload(message: &Message) -> String {
    let retained = if message.retain { " (retained)" } else { "" };
    let told = message.payload.told().in_words(|text| escape(text, SHOWN));
    format!("{told}{retained}")
}

/// Returns the first `most` characters of `text` with control characters escaped: a payload can't draw on the terminal.
fn escape(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most) + 8);
    for (index, character) in text.chars().enumerate() {
        if index == most {
            shown.push('…');
            break;
        }
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns whether a character turns the direction of a line, or shows nothing.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_cannot_draw_on_the_terminal() {
        assert_eq!(escape("a\x1b[2Jb\nc\u{202e}d", 99), "a\\u{1b}[2Jb\\nc\\u{202e}d");
    }

    #[test]
    fn a_long_payload_is_cut_between_characters() {
        assert_eq!(escape("äöü", 2), "äö…");
    }
}
