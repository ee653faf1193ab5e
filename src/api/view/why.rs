//! What published a topic and what caused that, as the page shows it.

use jiff::Timestamp;

use crate::explain::{Chain, HeardMessage, Link, LocalTime, Speaker, cause_in_short, ended, payload_text, step_lines};

/// One part of a chain of causes in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyLink {
    /// The rule that published; `None`: a client did.
    pub rule: Option<String>,
    /// Its run, if that's remembered.
    pub run: Option<u64>,
    /// When.
    pub at: Timestamp,
    /// Who or what led to it.
    pub cause: String,
    /// The topic of the message that led to it, or that was published.
    pub topic: Option<String>,
    /// How the run ended.
    pub outcome: Option<String>,
    /// What it did, a line each.
    pub steps: Vec<String>,
}

/// Returns a chain in words, the outermost cause first; empty if nobody published.
#[must_use]
pub fn why_links(chain: &Chain, time: &LocalTime) -> Vec<WhyLink> {
    chain.links().iter().rev().map(|link| of_link(link, time)).collect()
}

fn of_link(link: &Link, time: &LocalTime) -> WhyLink {
    match link {
        Link::Run(trace, heard) => WhyLink {
            rule: Some(trace.rule.to_string()),
            run: trace.run.map(|run| run.0),
            at: trace.at,
            cause: cause(cause_in_short(&trace.cause, time), heard.as_ref()),
            topic: trace.cause.message().map(|(topic, _)| topic.to_string()),
            outcome: Some(ended(&trace.outcome)),
            steps: step_lines(&trace.steps, Some(trace.at), time),
        },
        Link::Rule(published, rule, by, heard) => WhyLink {
            rule: Some(rule.to_string()),
            run: None,
            at: published.at,
            cause: cause(cause_in_short(by, time), heard.as_ref()),
            topic: by.message().map(|(topic, _)| topic.to_string()),
            outcome: None,
            steps: Vec::new(),
        },
        Link::Client(published, client) => WhyLink {
            rule: None,
            run: None,
            at: published.at,
            cause: client.as_ref().map_or("a client".to_owned(), |client| format!("the client `{client}`")),
            topic: Some(published.topic.to_string()),
            outcome: None,
            steps: Vec::new(),
        },
    }
}

fn cause(words: String, heard: Option<&HeardMessage>) -> String {
    let Some(heard) = heard else { return words };
    let client = match &heard.speaker {
        Speaker::Client(Some(client)) => format!(", from the client `{client}`"),
        Speaker::Client(None) | Speaker::Rule(..) => String::new(),
    };
    format!("{words} = {}{client}", payload_text(&heard.message.payload))
}
