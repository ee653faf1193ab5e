//! A condition, a trigger or a series of the past that reads a topic which no device, test, recording or rule speaks on.
//!
//! Silent unless neighbours of the topic are known: a name like it, two of the same room, or all devices of its bridge; where it's
//! said what counts without a value; and of what is rarely heard, like buttons and smoke, unless its name is like another.

use std::collections::BTreeSet;

use crate::analysis::Pattern;
use crate::analysis::graph::How;
use crate::lang::{Code, nearest};
use crate::model::Topic;

use super::words::{HANDS, has_word};
use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found: Vec<Suspicion> = Vec::new();
    let mut told: BTreeSet<Topic> = BTreeSet::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled && node.rule.each_topic.is_none()) {
        for reading in node.reads.iter().filter(|reading| !reading.is_optional) {
            let Some(topic) =
                reading.pattern.as_topic().filter(|topic| !topic.is_internal() && !topic.as_str().starts_with('$'))
            else {
                continue;
            };
            let is_spoken =
                home.known.speaks(&reading.pattern) || home.graph.writers(&reading.pattern).next().is_some();
            // What is only put into a text may be missing; a series is asked for so as to have one.
            let is_series = node.rule.past.iter().any(|asked| asked.topic == topic);
            if is_spoken || told.contains(&topic) || (reading.how == How::Used && !is_series) {
                continue;
            }
            let Some(neighbour) = neighbour(home, &topic) else { continue };
            told.insert(topic.clone());
            let what = match reading.how {
                _ if is_series => "series",
                How::Asked => "condition",
                How::Wakes | How::Awaited | How::Used => "trigger",
            };
            found.push(Suspicion {
                code: Code::DEAD_TOPIC,
                place: reading.place.clone(),
                related: Vec::new(),
                message: format!(
                    "nothing speaks on `{topic}`: no device, test, recording or rule, so this {what} never has a value"
                ),
                help: format!("did you mean `{neighbour}`?"),
                rules: vec![node.rule.id.clone()],
                needs_witness: false,
                claim: Claim::ActsIf {
                    rule: node.rule.id.clone(),
                    topic: topic.clone(),
                    instead: neighbour,
                    values: Vec::new(),
                },
            });
        }
    }
    found
}

/// Returns the topic that was probably meant, of those that are known and beside `topic`.
fn neighbour(home: &Checked<'_>, topic: &Topic) -> Option<Topic> {
    let levels: Vec<&str> = topic.as_str().split('/').collect();
    let known: Vec<&Topic> =
        home.known.topics().filter(|(_, heard)| !heard.by.is_empty()).map(|(topic, _)| topic).collect();
    let like = |other: &&&Topic| {
        let others: Vec<&str> = other.as_str().split('/').collect();
        let differing: Vec<(&str, &str)> =
            levels.iter().copied().zip(others.iter().copied()).filter(|(one, other)| one != other).collect();
        let is_near = |(one, other): &(&str, &str)| is_slip(one, other) && !is_rarely_heard(one);
        others.len() == levels.len() && matches!(differing.as_slice(), [only] if is_near(only))
    };
    if let Some(like) = known.iter().find(like) {
        return Some((**like).clone());
    }
    // One that other rules read already is hardly meant twice.
    let is_free = |other: &Topic| home.graph.readers(&Pattern::of_topic(other)).next().is_none();
    if home.known.is_whole(topic) {
        let near = nearest(topic.as_str(), known.iter().map(|known| known.as_str()));
        let base = topic.as_str().split('/').next().unwrap_or_default();
        let of_base =
            || known.iter().find(|known| known.as_str().starts_with(base) && is_free(known)).or(known.first());
        return near.and_then(|near| Topic::parse(near).ok()).or_else(|| of_base().map(|topic| (**topic).clone()));
    }
    if is_rarely_heard(topic.as_str()) {
        return None;
    }
    let (parent, _) = topic.as_str().rsplit_once('/').filter(|(parent, _)| parent.contains('/'))?;
    let is_sibling = |other: &&&Topic| other.as_str().rsplit_once('/').is_some_and(|(other, _)| other == parent);
    let siblings: Vec<&&Topic> = known.iter().filter(is_sibling).collect();
    // One alone says little: tests may know of no other.
    if siblings.len() < 2 {
        return None;
    }
    siblings.iter().find(|sibling| is_free(sibling)).or(siblings.first()).map(|topic| (**topic).clone())
}

/// Returns whether one level is probably the other with a slip in it, rather than another name: `hal` for `hall`, not `room2` for `room1`.
fn is_slip(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
    let length = one.chars().count().max(other.chars().count());
    let most = if length < 8 { 1 } else { 2 };
    length > 3 && letters(one) != letters(other) && strsim::damerau_levenshtein(one, other) <= most
}

/// Returns whether a topic may be silent for weeks, and be right: nobody presses, nothing leaks.
fn is_rarely_heard(text: &str) -> bool {
    const RARE: [&str; 14] = [
        "leak",
        "water",
        "flood",
        "smoke",
        "gas",
        "carbon",
        "alarm",
        "tamper",
        "vibration",
        "panic",
        "sos",
        "error",
        "fault",
        "battery",
    ];
    has_word(text, &RARE) || has_word(text, &HANDS)
}
