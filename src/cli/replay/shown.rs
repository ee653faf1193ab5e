//! How what rules published is shown: a line each for people, recording lines for programs.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::publication_line;
use crate::engine::{InvariantChange, InvariantNews, Options};
use crate::model::Payload;
use crate::sim::Published;

/// Shows what rules published.
pub(super) struct Shown {
    out: BufWriter<StdoutLock<'static>>,
    zone: TimeZone,
    is_json: bool,
    /// How many invariants were broken.
    broken: usize,
}

impl Shown {
    /// Returns what shows publications of a home with these options.
    pub(super) fn new(options: &Options, is_json: bool) -> Shown {
        Shown { out: BufWriter::new(io::stdout().lock()), zone: options.calendar.zone.clone(), is_json, broken: 0 }
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

    /// Writes which invariants were broken, and when.
    pub(super) fn invariants(&mut self, news: &[Arc<InvariantNews>]) -> io::Result<()> {
        for news in news {
            let message = match &news.change {
                InvariantChange::Broken(breach) => {
                    self.broken += 1;
                    format!("is broken: {breach}")
                }
                InvariantChange::Failed(why) => format!("can't be judged: {why}"),
                InvariantChange::Armed | InvariantChange::Held => continue,
            };
            let (id, at) = (&news.invariant, news.at);
            if self.is_json {
                let is_broken = matches!(news.change, InvariantChange::Broken(_));
                let line = json!({
                    "tst": at, "invariant": id.as_str(), "captures": news.captures, "broken": is_broken, "message": message,
                });
                writeln!(self.out, "{line}")?;
                continue;
            }
            let local = at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
            let captures =
                if news.captures.is_empty() { String::new() } else { format!(" for {}", news.captures.join(", ")) };
            writeln!(self.out, "{local}  the invariant `{id}`{captures} {message}")?;
        }
        Ok(())
    }

    /// Returns whether any invariant was broken.
    pub(super) fn broke_invariants(&self) -> bool {
        self.broken > 0
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
    payload.told().in_words(in_one_line)
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
