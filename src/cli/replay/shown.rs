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
            let Some(message) = message_of(news) else { continue };
            self.broken += usize::from(is_broken(news));
            if self.is_json {
                writeln!(self.out, "{}", invariant_json(news, &message))?;
            } else {
                writeln!(self.out, "{}", invariant_line(news, &message, &self.zone))?;
            }
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

/// Returns whether an invariant was broken.
pub(super) fn is_broken(news: &InvariantNews) -> bool {
    matches!(news.change, InvariantChange::Broken(_))
}

/// Returns what became of an invariant, in words; `None` where nobody need hear of it.
pub(super) fn message_of(news: &InvariantNews) -> Option<String> {
    match &news.change {
        InvariantChange::Broken(breach) => Some(format!("is broken: {breach}")),
        InvariantChange::Failed(why) => Some(format!("can't be judged: {why}")),
        InvariantChange::Armed | InvariantChange::Held => None,
    }
}

/// Returns what became of an invariant, for programs.
pub(super) fn invariant_json(news: &InvariantNews, message: &str) -> serde_json::Value {
    json!({
        "tst": news.at, "invariant": news.invariant.as_str(), "captures": news.captures, "broken": is_broken(news), "message": message,
    })
}

/// Returns what became of an invariant, in one line.
pub(super) fn invariant_line(news: &InvariantNews, message: &str, zone: &TimeZone) -> String {
    let local = news.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string();
    let captures = if news.captures.is_empty() { String::new() } else { format!(" for {}", news.captures.join(", ")) };
    format!("{local}  the invariant `{}`{captures} {message}", news.invariant)
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
