//! What is due as a calendar (iCalendar, RFC 5545).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::Fingerprint;
use crate::sim::Due;

/// The most bytes of a line, without its end (RFC 5545, 3.1).
const LINE: usize = 75;

/// Returns a calendar with an event for each time.
pub(super) fn calendar(dues: &[Due], now: Timestamp) -> String {
    let mut text = String::new();
    let mut line = |content: &str| fold(&mut text, content);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//homerule//schedule//EN");
    for due in dues {
        line("BEGIN:VEVENT");
        line(&format!("UID:{}", uid(due)));
        line(&format!("DTSTAMP:{}", utc(now)));
        line(&format!("DTSTART:{}", utc(due.at)));
        line(&format!("SUMMARY:{}", escaped(&format!("{}: {}", due.rule, due.words))));
        if let Some(note) = due.full_note() {
            line(&format!("DESCRIPTION:{}", escaped(&note)));
        }
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    text
}

/// Returns the same id for the same time of the same trigger, so that a program that reads it again replaces the event.
fn uid(due: &Due) -> String {
    let mut hash = Fingerprint::new();
    for part in [due.rule.as_str(), &due.trigger, &due.at.to_string()] {
        hash.bytes(part.as_bytes());
        hash.bytes(&[0]);
    }
    format!("{:016x}@homerule", hash.value())
}

fn utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Returns a text as a property's value (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    text.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n")
}

/// Adds a line, in pieces where it's long (RFC 5545, 3.1).
fn fold(text: &mut String, content: &str) {
    let mut length = 0;
    for letter in content.chars() {
        if length + letter.len_utf8() > LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(letter);
        length += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RuleId;

    #[test]
    fn each_time_is_an_event_whose_long_lines_are_folded() {
        let due = Due {
            at: "2026-03-29T01:00:00Z".parse().unwrap(),
            rule: RuleId::new("night", "backup"),
            trigger: "when[0]".into(),
            words: "at 02:30, on mon, tue".to_owned(),
            note: Some("the clock skips 02:30: it goes from 02:00 to 03:00 — ä".repeat(2)),
            clock_change: None,
        };
        let text = calendar(&[due], "2026-01-01T00:00:00Z".parse().unwrap());
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{text}");
        assert!(text.contains("\r\nDTSTART:20260329T010000Z\r\n"), "{text}");
        assert!(text.contains("SUMMARY:night:backup: at 02:30\\, on mon\\, tue\r\n"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= LINE), "{text}");
        assert!(text.contains("\r\n "), "a long line goes on in the next: {text}");
        assert!(text.ends_with("END:VCALENDAR\r\n"), "{text}");
    }
}
