//! Reads a recording line by line: what it holds at any time is one message.

use std::io::{BufRead, Read};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Message, Origin, Payload, RuleId};

use super::csv_line::{self, Payloads};
use super::findings::{Findings, Warning};
use super::format::Format;
use super::json_line;
use super::parsed::Parsed;

/// The longest line; a longer one is skipped.
const LONGEST_LINE: u64 = 64 << 20;

/// A row of CSV that is still open after so many bytes has a quote too much.
const LONGEST_ROW: usize = 1 << 20;

/// When a recording that tells no times begins: 2024-01-01 12:00 in UTC.
const NO_TIME: i64 = 1_704_110_400;

/// A message of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// When it came; never before the message above it.
    pub at: Timestamp,
    /// The message. Its origin is `retained` where a broker replayed it at the subscription.
    pub message: Message,
    /// The rule that published it, if a recording of ours says so.
    pub rule: Option<RuleId>,
    /// The client that published it, if a recording of ours says so.
    pub client: Option<Arc<str>>,
    /// What led to what a rule published, as JSON, if a recording of ours says so.
    pub cause: Option<Box<str>>,
    /// Whether the recording doesn't say where the message came from: it may be one of a rule's.
    pub is_foreign: bool,
    /// The line, counted from 1.
    pub line: u64,
}

/// Reads a recording of any format (docs/recordings.md). Lines that can't be read are skipped, and are in
/// [`RecordingReader::findings`].
pub struct RecordingReader<R> {
    input: R,
    format: Option<Format>,
    /// The line that was read, without its end.
    line: Vec<u8>,
    /// How many lines were read.
    count: u64,
    /// A line that was read and belongs to the next message.
    ahead: Option<Vec<u8>>,
    /// Whether lines end in CR LF.
    has_crlf: bool,
    last: Option<Timestamp>,
    findings: Findings,
    is_over: bool,
}

impl<R: BufRead> RecordingReader<R> {
    /// Returns a reader of `input`.
    pub fn new(input: R) -> RecordingReader<R> {
        RecordingReader {
            input,
            format: None,
            line: Vec::new(),
            count: 0,
            ahead: None,
            has_crlf: false,
            last: None,
            findings: Findings::default(),
            is_over: false,
        }
    }

    /// Returns a reader of a recording that is known to be one of ours, whatever its first lines have become.
    pub fn of_ours(input: R) -> RecordingReader<R> {
        let format = Some(Format::Json(json_line::Payloads::Texts));
        RecordingReader { format, ..RecordingReader::new(input) }
    }

    /// Returns what was wrong so far.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Reads the next line; `false` at the end.
    fn read_line(&mut self) -> bool {
        if let Some(ahead) = self.ahead.take() {
            self.line = ahead;
            self.count += 1;
            return true;
        }
        self.line.clear();
        if self.is_over {
            return false;
        }
        match (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut self.line) {
            Ok(0) => {
                self.is_over = true;
                return false;
            }
            Ok(_) => {}
            Err(error) => return self.fail(&error),
        }
        self.count += 1;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.has_crlf {
                self.end_at_cr();
            }
        } else if self.line.len() as u64 == LONGEST_LINE {
            return self.skip_rest();
        }
        if self.count == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
            self.line.drain(..3);
        }
        true
    }

    /// Ends the reading where the input does not go on.
    fn fail(&mut self, error: &std::io::Error) -> bool {
        self.is_over = true;
        self.findings.skip(self.count + 1, format!("can't read the rest of the file: {error}"));
        false
    }

    fn skip_rest(&mut self) -> bool {
        self.findings.skip(self.count, "it is longer than 64 MiB".to_owned());
        match self.input.skip_until(b'\n') {
            Ok(_) => self.read_line(),
            Err(error) => self.fail(&error),
        }
    }

    /// Reads what the line says, with the lines that it goes on in; `None` where it is no message.
    fn message(&mut self) -> Option<Recorded> {
        let first = self.count;
        if self.line.iter().all(u8::is_ascii_whitespace) {
            if matches!(self.format, Some(Format::Json(_))) {
                self.format = Some(Format::Json(json_line::Payloads::Embedded));
                let what =
                    "the line is blank; `mosquitto_sub -F %J` leaves out payloads that aren't JSON, `%j` has them all";
                self.findings.warn(first, Warning::Blank, || what.to_owned());
            }
            return None;
        }
        let format = self.format()?;
        if matches!(format, Format::Json(_) | Format::Csv(_)) {
            self.end_at_cr();
        }
        if matches!(format, Format::Csv(_)) {
            self.close_row();
        }
        let parsed = format.parse(&self.line).map_err(|why| self.findings.skip(first, why)).ok()?;
        if parsed.is_embedded {
            self.format = Some(Format::Json(json_line::Payloads::Embedded));
        }
        let parsed = if format == Format::Counted { self.complete(parsed) } else { parsed };
        // An empty payload clears its topic, which this message didn't.
        if let Some(length) = parsed.length.filter(|length| *length > 0 && parsed.payload.is_empty()) {
            let bytes = if length == 1 { "1 byte" } else { &format!("{length} bytes") };
            let what = || format!("the payload of {bytes} is missing, so the message is left out; it may be no text");
            self.findings.warn(first, Warning::Dropped, what);
            return None;
        }
        Some(self.recorded(first, parsed))
    }

    fn format(&mut self) -> Option<Format> {
        if self.format.is_none() {
            let beginning = self.input.fill_buf().unwrap_or_default();
            let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
            self.format = Format::of(line, beginning);
            self.has_crlf = self.format.is_some_and(|format| format.has_crlf(&self.line, beginning));
            if self.has_crlf {
                self.end_at_cr();
            }
            match self.format {
                None => {
                    let why = "it is of no format that is known; `homerule record` and `mosquitto_sub -F %j` write one \
                               that is, with the time of each message";
                    self.findings.skip_unknown(self.count, why);
                }
                Some(Format::Csv(Payloads::Base64)) => {
                    let what = "the payloads are read as base64, since all of the first rows are";
                    self.findings.warn(self.count, Warning::Base64, || what.to_owned());
                }
                Some(_) => {}
            }
        }
        self.format
    }

    /// Takes away the CR that the line ends in.
    fn end_at_cr(&mut self) {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
    }

    /// Adds lines to the row until its quotes are closed.
    fn close_row(&mut self) {
        let mut row = std::mem::take(&mut self.line);
        while csv_line::is_open(&row) && row.len() < LONGEST_ROW && self.read_line() {
            row.push(b'\n');
            row.extend_from_slice(&self.line);
        }
        if row.last() == Some(&b'\r') {
            row.pop();
        }
        self.line = row;
    }

    /// Adds lines to a payload until it is as long as it should be, or a line begins a message of its own.
    fn complete(&mut self, mut parsed: Parsed) -> Parsed {
        let length = parsed.length.unwrap_or(0);
        if parsed.payload.len() >= length {
            return parsed;
        }
        let mut payload = parsed.payload.to_vec();
        while payload.len() < length && self.read_line() {
            if Format::Counted.parse(&self.line).is_ok() {
                self.ahead = Some(std::mem::take(&mut self.line));
                self.count -= 1;
                break;
            }
            payload.push(b'\n');
            payload.extend_from_slice(&self.line);
        }
        parsed.payload = payload.into();
        parsed
    }

    /// Puts what a line says into its place in time.
    fn recorded(&mut self, line: u64, parsed: Parsed) -> Recorded {
        let actual = parsed.payload.len();
        if let Some(length) = parsed.length.filter(|length| *length != actual) {
            let what =
                || format!("the payload should have {length} bytes but has {actual}, so it was cut off or changed");
            self.findings.warn(line, Warning::Length, what);
        }
        let is_foreign = parsed.origin.is_none();
        let origin = match parsed.origin {
            Some(origin) => origin,
            None if parsed.retain => Origin::Retained,
            None => Origin::Live,
        };
        let message = Message {
            topic: parsed.topic,
            payload: if parsed.is_masked {
                Payload::masked(parsed.payload)
            } else {
                Payload::from_bytes(parsed.payload)
            },
            qos: parsed.qos,
            retain: parsed.retain,
            origin,
            expires_at: None,
        };
        let at = match parsed.time {
            Some(time) => {
                if !time.has_zone {
                    let what = "the time has no zone, and is read as UTC";
                    self.findings.warn(line, Warning::NoZone, || what.to_owned());
                }
                time.at
            }
            None => {
                let what = "it has no time, so it gets the time of the message before it";
                self.findings.warn(line, Warning::NoTime, || what.to_owned());
                self.last.unwrap_or_else(|| Timestamp::from_second(NO_TIME).unwrap_or_default())
            }
        };
        let at = match self.last {
            Some(last) if at < last => {
                let what = || format!("the time goes back from {last} to {at}, so {last} is used");
                self.findings.warn(line, Warning::Backward, what);
                last
            }
            _ => at,
        };
        self.last = Some(at);
        let Parsed { rule, client, cause, .. } = parsed;
        Recorded { at, message, rule, client, cause, is_foreign, line }
    }
}

impl<R: BufRead> Iterator for RecordingReader<R> {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        while self.read_line() {
            if let Some(recorded) = self.message() {
                return Some(recorded);
            }
        }
        None
    }
}
