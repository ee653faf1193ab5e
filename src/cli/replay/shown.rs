//! How what rules published is shown: a line each for people, recording lines for programs.

use std::io::{self, BufWriter, StdoutLock, Write};

use jiff::tz::TimeZone;

use crate::api::publication_line;
use crate::engine::Options;
use crate::model::Payload;
use crate::sim::Published;

/// Shows what rules published.
pub(super) struct Shown {
    out: BufWriter<StdoutLock<'static>>,
    zone: TimeZone,
    is_json: bool,
}

impl Shown {
    /// Returns what shows publications of a home with these options.
    pub(super) fn new(options: &Options, is_json: bool) -> Shown {
        Shown { out: BufWriter::new(io::stdout().lock()), zone: options.calendar.zone.clone(), is_json }
    }

    /// Writes what was published.
    pub(super) fn write(&mut self, published: &[Published]) -> io::Result<()> {
        for published in published {
            if self.is_json {
                writeln!(self.out, "{}", publication_line(published.at, &published.publication).to_text())?;
            } else {
                writeln!(self.out, "{}  {}", text(published, &self.zone), published.publication.rule)?;
            }
        }
        Ok(())
    }

    /// Writes what is still on its way.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns a publication in one line: local time, topic and payload.
pub(super) fn text(published: &Published, zone: &TimeZone) -> String {
    let local = published.at.to_zoned(zone.clone());
    let message = &published.publication.message;
    format!("{}  {} {}", local.strftime("%Y-%m-%d %H:%M:%S%.3f"), message.topic, payload(&message.payload))
}

fn payload(payload: &Payload) -> String {
    match payload.text() {
        Some("") => "(empty)".to_owned(),
        Some(text) => in_one_line(text),
        None => format!("({} bytes)", payload.bytes().len()),
    }
}

/// Returns a text as it is, but for what would break the line or be seen nowhere.
fn in_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') {
            line.extend(letter.escape_debug());
        } else {
            line.push(letter);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_it_is_but_in_one_line() {
        assert_eq!(in_one_line(r#"{"a":"\"x\"","b":"it's"}"#), r#"{"a":"\"x\"","b":"it's"}"#);
        assert_eq!(in_one_line("two\nlines\tand\u{1b}[0m"), r"two\nlines\tand\u{1b}[0m");
    }
}
