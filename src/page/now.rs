//! The view Now: what is wrong, what waits, what happened of late.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::api::view::{Now, Recent, RecentKind, Waiting, Wrong, WrongKind};

use super::Look;
use super::shown::{counted, one_line, outcome, payload, prose, rule_link, topic_link};

/// Returns the view.
#[must_use]
pub fn now(look: &Look, now: &Now) -> Markup {
    let wrong = now.wrong.len();
    let said = match wrong {
        0 => "Nothing is wrong.".to_owned(),
        1 => "1 thing is wrong.".to_owned(),
        more => format!("{more} things are wrong."),
    };
    html! {
        h1.unseen { "Now" }
        section #wrong aria-labelledby="wrong-title" data-say=(said) {
            h2 #wrong-title { "Wrong" @if wrong > 0 { " " span.count.bad { (wrong) } } }
            @if now.wrong.is_empty() {
                p.card.calm { span.good-dot {} "Nothing is wrong." }
            } @else {
                ul.cards { @for wrong in &now.wrong { li.card.problem { (one_wrong(look, wrong)) } } }
            }
        }
        section #waiting aria-labelledby="waiting-title" {
            h2 #waiting-title { "Waiting" @if !now.waiting.is_empty() { " " span.count { (now.waiting.len() + now.waiting_left_out) } } }
            (waiting_list(look, &now.waiting))
            @if now.waiting_left_out > 0 {
                p.muted { (counted(now.waiting_left_out, "more")) " of it isn't shown here; each rule's own view has its part." }
            }
        }
        section #recent aria-labelledby="recent-title" {
            h2 #recent-title { "Just now" }
            (recent_list(look, &now.recent))
        }
    }
}

fn one_wrong(look: &Look, wrong: &Wrong) -> Markup {
    let what = match wrong.kind {
        WrongKind::RuleFailed => "Rule failed",
        WrongKind::Loop => "Loop",
        WrongKind::File => "File doesn't load",
        WrongKind::Stale => "File not in force",
        WrongKind::Store => "Nothing is kept",
        WrongKind::Recorder => "Nothing is recorded",
        WrongKind::Device => "Device",
        WrongKind::Invariant => "Invariant broken",
        WrongKind::Notification => "Not delivered",
    };
    html! {
        p.head {
            span.kind { (what) }
            @if let Some(rule) = &wrong.rule { " " (rule_link(rule)) }
            @if let Some(file) = &wrong.file {
                " " a.topic href={ "/try?file=" (super::shown::encoded(file)) @if let Some(line) = wrong.line { "&line=" (line) } } {
                    bdi { (one_line(file)) @if let Some(line) = wrong.line { ":" (line) } @if let Some(column) = wrong.column { ":" (column) } }
                }
            }
            @if let Some(at) = wrong.at { span.end { (look.when(at)) } }
        }
        p { (prose(&wrong.message)) }
        @if let Some(help) = &wrong.help { p.muted { "Help: " (prose(help)) } }
    }
}

/// Returns what waits, as a list with how far each is.
pub(super) fn waiting_list(look: &Look, waiting: &[Waiting]) -> Markup {
    html! {
        @if waiting.is_empty() {
            p.card.calm { "Nothing waits." }
        } @else {
            ul.rows.waiting.card {
                @for one in waiting {
                    li {
                        span.kind { (one.kind) }
                        span.what {
                            (rule_link(&one.rule)) " "
                            span { (prose(&one.what)) }
                            @if let Some(run) = one.run { " " a.muted href={ "/runs/" (run) } { "run " (run) } }
                        }
                        span.times {
                            @match one.until {
                                Some(until) => { (look.countdown(until)) " " span.muted { "at " (look.time(until)) } },
                                None => span.muted { "since " (look.time(one.since)) ", " (look.age(one.since)) },
                            }
                        }
                        (progress(look.now, one))
                    }
                }
            }
        }
    }
}

/// Returns how far something that waits is, as a bar that moves on.
fn progress(now: Timestamp, waiting: &Waiting) -> Markup {
    let Some(until) = waiting.until else { return html! {} };
    let whole = until.duration_since(waiting.since).as_secs_f64();
    let done = now.duration_since(waiting.since).as_secs_f64();
    let part = if whole > 0.0 { (done / whole).clamp(0.0, 1.0) * 100.0 } else { 100.0 };
    html! {
        svg.progress aria-hidden="true" width="100%" height="4" {
            rect.whole width="100%" height="4" rx="2" {}
            rect.done width={ (format!("{part:.1}")) "%" } height="4" rx="2" data-since=(waiting.since.to_string())
                data-until-bar=(until.to_string()) {}
        }
    }
}

/// Returns what happened of late, the newest first.
#[must_use]
pub fn recent_list(look: &Look, recent: &[Recent]) -> Markup {
    html! {
        @if recent.is_empty() {
            p.card.calm { "Nothing has happened since the daemon started." }
        } @else {
            ol.rows.recent.card reversed {
                @for (one, times) in folded(recent) {
                    li.(class_of(one.kind)) {
                        span.at { (look.time(one.at)) }
                        span.what {
                            @match one.kind {
                                RecentKind::Message => {
                                    span.sign aria-hidden="true" { "←" } span.unseen { "message " }
                                    (topic_link(one.topic.as_deref().unwrap_or_default())) " " (payload(one.told()))
                                    @if one.retained { " " span.muted { "retained" } }
                                    @if let Some(client) = &one.client { " " span.muted { "from " bdi { (one_line(client)) } } }
                                    @if times > 1 { " " span.count { "×" (times) } }
                                },
                                RecentKind::Publish => {
                                    span.sign aria-hidden="true" { "→" } span.unseen { "published " }
                                    (topic_link(one.topic.as_deref().unwrap_or_default())) " " (payload(one.told()))
                                    @if let Some(rule) = &one.rule { " " span.muted { "by " } (rule_link(rule)) }
                                },
                                RecentKind::Run => {
                                    span.sign aria-hidden="true" { "·" }
                                    (rule_link(one.rule.as_deref().unwrap_or_default())) " "
                                    @if let Some(word) = &one.outcome {
                                        @match one.run {
                                            Some(run) => a.plain href={ "/runs/" (run) } { (outcome(word)) },
                                            None => (outcome(word)),
                                        }
                                    }
                                    @if let Some(message) = &one.message { " " span.muted { (prose(message)) } }
                                },
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns what happened with what one topic said several times in a row once, its last, and how often.
fn folded(recent: &[Recent]) -> Vec<(&Recent, usize)> {
    let mut folded: Vec<(&Recent, usize)> = Vec::new();
    for one in recent {
        let is_again = |last: &Recent| {
            one.kind == RecentKind::Message
                && last.kind == one.kind
                && last.topic == one.topic
                && last.client == one.client
        };
        match folded.last_mut() {
            Some((last, times)) if is_again(last) => *times += 1,
            _ => folded.push((one, 1)),
        }
    }
    folded
}

fn class_of(kind: RecentKind) -> &'static str {
    match kind {
        RecentKind::Message => "message",
        RecentKind::Publish => "publish",
        RecentKind::Run => "run",
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn look() -> Look {
        Look { now: "2024-06-01T18:10:00Z".parse().unwrap(), zone: TimeZone::UTC, has_shadow: false }
    }

    fn empty() -> Now {
        Now { at: look().now, wrong: Vec::new(), waiting: Vec::new(), waiting_left_out: 0, recent: Vec::new() }
    }

    #[test]
    fn a_calm_home_says_so() {
        let text = now(&look(), &empty()).into_string();
        assert!(text.contains("Nothing is wrong.") && text.contains("Nothing waits."), "{text}");
    }

    #[test]
    fn a_file_that_does_not_load_is_told_with_its_place() {
        let wrong = Wrong {
            file: Some("rules/a.yaml".to_owned()),
            line: Some(3),
            column: Some(5),
            help: Some("did you mean `when`?".to_owned()),
            ..Wrong::new(WrongKind::File, "unknown key `whne`".to_owned())
        };
        let text = now(&look(), &Now { wrong: vec![wrong], ..empty() }).into_string();
        assert!(text.contains("<bdi>rules/a.yaml:3:5</bdi>"), "{text}");
        assert!(text.contains("href=\"/try?file=rules%2Fa.yaml&amp;line=3\""), "{text}");
        assert!(text.contains("unknown key <code><bdi>whne</bdi></code>"), "{text}");
        assert!(text.contains("data-say=\"1 thing is wrong.\""), "{text}");
    }

    #[test]
    fn what_waits_counts_down() {
        let waiting = Waiting {
            kind: "delay".to_owned(),
            rule: "a:off".to_owned(),
            run: Some(7),
            path: "then[0]".to_owned(),
            what: "goes on".to_owned(),
            topic: None,
            since: "2024-06-01T18:05:00Z".parse().unwrap(),
            until: Some("2024-06-01T18:15:00Z".parse().unwrap()),
        };
        let text = now(&look(), &Now { waiting: vec![waiting], ..empty() }).into_string();
        assert!(text.contains(">in 5 min<"), "{text}");
        assert!(text.contains("width=\"50.0%\""), "{text}");
        assert!(text.contains("href=\"/runs/7\""), "{text}");
    }

    #[test]
    fn a_hostile_message_is_text() {
        let recent = Recent {
            kind: RecentKind::Message,
            at: look().now,
            topic: Some("<b>/x".to_owned()),
            payload: Some("<script>alert(1)</script>\u{202e}".to_owned()),
            bytes: None,
            retained: false,
            client: Some("<i>".to_owned()),
            rule: None,
            run: None,
            outcome: None,
            message: None,
        };
        let text = now(&look(), &Now { recent: vec![recent], ..empty() }).into_string();
        assert!(!text.contains("<script>") && !text.contains("<b>") && !text.contains("<i>"), "{text}");
        assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}"), "{text}");
    }
}
