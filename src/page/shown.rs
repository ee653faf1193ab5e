//! Texts from outside as a page shows them: what can't be seen, or turns a line around, is written out.

use maud::{Markup, html};

use crate::model::{Told, is_inner, spoken};

/// The most characters of a payload in a list.
const IN_A_LIST: usize = 160;

/// Returns a text on one line, shortened if it's long.
pub(super) fn one_line(text: &str) -> String {
    let mut line = visible(text.chars().take(IN_A_LIST), false);
    if text.chars().nth(IN_A_LIST).is_some() {
        line.push('…');
    }
    line
}

/// Returns a text with its lines.
pub(super) fn lines(text: &str) -> String {
    visible(text.chars(), true)
}

fn visible(text: impl Iterator<Item = char>, has_lines: bool) -> String {
    let mut shown = String::new();
    for letter in text {
        match letter {
            '\n' | '\t' if has_lines => shown.push(letter),
            '\r' if has_lines => {}
            letter if letter.is_control() || is_unseen(letter) => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// Returns whether a character turns the direction of a line, or shows nothing.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

/// Returns a payload in a list.
pub(super) fn payload(told: Told<'_>) -> Markup {
    html! {
        @match told {
            Told::Text(text) => code.payload { bdi { (one_line(text)) } },
            Told::Empty | Told::Bytes(_) | Told::TooLarge(_) => span.muted { (told.in_words(one_line)) },
        }
    }
}

/// Returns a text in which `` `words` `` are set as code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { bdi { (one_line(part)) } } } @else { (visible(part.chars(), false)) }
        }
    }
}

/// Returns a text as it stands in an address: each byte that might mean something there is written as `%XX`.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .map(|half| char::from_digit(half.into(), 16).unwrap_or_default().to_ascii_uppercase()),
            );
        }
    }
    encoded
}

/// Returns the address of a rule's view.
pub(super) fn rule_address(rule: &str) -> String {
    format!("/rules/{}", encoded(rule))
}

/// Returns the address of a topic's view; of a property or an input, that of the device or of the inputs.
pub(super) fn topic_address(topic: &str) -> String {
    if !is_inner(topic) {
        return format!("/topics/{}", encoded(topic));
    }
    let spoken = spoken(topic);
    match spoken.rsplit_once('.') {
        Some((device, _)) if device != "inputs" => format!("/devices/{}", encoded(device)),
        _ => "/inputs".to_owned(),
    }
}

/// Returns a rule's name as a link.
pub(super) fn rule_link(rule: &str) -> Markup {
    html! { a.rule href=(rule_address(rule)) { bdi { (one_line(rule)) } } }
}

/// Returns a topic as a link.
pub(super) fn topic_link(topic: &str) -> Markup {
    html! { a.topic href=(topic_address(topic)) { bdi { (one_line(&spoken(topic))) } } }
}

/// Returns an outcome as it's marked on a page.
pub(super) fn outcome(word: &str) -> Markup {
    html! { span.pill.(word) { (word) } }
}

/// Returns what leads from page `this` to those before and behind it, of `last` in all; `address` says where a page is.
pub(super) fn pages((this, last): (usize, usize), address: impl Fn(usize) -> String) -> Markup {
    html! {
        @if last > 1 {
            nav.pager aria-label="Pages" {
                @if this > 1 { a rel="prev" href=(address(this - 1)) { "Before" } }
                span { "Page " (this) " of " (last) }
                @if this < last { a rel="next" href=(address(this + 1)) { "After" } }
            }
        }
    }
}

/// Returns a number of things: `1 rule`, `2 rules`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(one_line("a\u{202e}b\0c\u{1b}[2J\nd"), "a\\u{202e}b\\u{0}c\\u{1b}[2J\\nd");
        assert_eq!(lines("a\r\n\tb\u{200b}"), "a\n\tb\\u{200b}");
        assert_eq!(one_line(&"ä".repeat(200)).chars().count(), IN_A_LIST + 1);
    }

    #[test]
    fn markup_from_outside_is_text() {
        let shown = payload(Told::Text("<script>alert(1)</script>")).into_string();
        assert_eq!(
            payload(Told::TooLarge(300_000)).into_string(),
            "<span class=\"muted\">(too large to keep: 300000 bytes)</span>"
        );
        assert_eq!(shown, "<code class=\"payload\"><bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi></code>");
        let shown = prose("`<img src=x onerror=alert(1)>` is \"odd\" & <b>").into_string();
        assert!(!shown.contains("<img") && !shown.contains("<b>"), "{shown}");
        let link = topic_link("$input/away").into_string();
        assert_eq!(link, "<a class=\"topic\" href=\"/inputs\"><bdi>inputs.away</bdi></a>");
        let link = topic_link("a/\"><script>").into_string();
        assert!(link.contains("href=\"/topics/a%2F%22%3E%3Cscript%3E\""), "{link}");
    }
}
