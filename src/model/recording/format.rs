//! The formats of recordings, and how one is known by looking at a line.

use super::csv_line::{self, Payloads};
use super::parsed::{Parsed, Reason};
use super::{json_line, text_line};

/// A format of recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A JSON object a line.
    Json(json_line::Payloads),
    /// Time, topic, payload.
    Timed,
    /// Seconds, `QoS`, retain, topic, length, payload.
    Counted,
    /// Rows of mqtt-recorder.
    Csv(Payloads),
}

impl Format {
    /// Returns the format of a file that begins with `line`, whose next bytes are `beginning`; `None` where it is none
    /// that we know.
    pub(super) fn of(line: &[u8], beginning: &[u8]) -> Option<Format> {
        if line.first() == Some(&b'{') {
            return Some(Format::Json(json_line::Payloads::Texts));
        }
        if text_line::parse_counted(line).is_ok() {
            return Some(Format::Counted);
        }
        if text_line::parse_timed(line).is_ok() {
            return Some(Format::Timed);
        }
        let is_row = csv_line::is_open(line) || csv_line::parse(line, Payloads::Plain).is_ok();
        if !is_row || !line.contains(&b',') {
            return None;
        }
        Some(Format::Csv(csv_line::guess_payloads(&[line, b"\n", beginning].concat())))
    }

    /// Returns whether the lines of text end in CR LF, in a file that begins with `line`, whose next bytes are `beginning`:
    /// a payload may end in a CR of its own. Rows and JSON may end in either, line by line.
    pub(super) fn has_crlf(self, line: &[u8], beginning: &[u8]) -> bool {
        let ends = |line: &[u8]| line.ends_with(b"\r\n");
        let mut others = beginning.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        match self {
            Format::Json(_) | Format::Csv(_) => false,
            Format::Timed => line.ends_with(b"\r") && others.all(ends),
            Format::Counted => text_line::parse_counted(line)
                .is_ok_and(|parsed| parsed.length.is_some_and(|length| parsed.payload.len() == length + 1)),
        }
    }

    /// Returns what `line` says.
    pub(super) fn parse(self, line: &[u8]) -> Result<Parsed, Reason> {
        match self {
            Format::Json(payloads) => json_line::parse(line, payloads),
            Format::Timed => text_line::parse_timed(line),
            Format::Counted => text_line::parse_counted(line),
            Format::Csv(payloads) => csv_line::parse(line, payloads),
        }
    }
}
