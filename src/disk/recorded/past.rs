//! Finds messages in the recorder's files, the newest first: for `why` and `why-not`, where memory doesn't reach back.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use regex::bytes::Regex;

use crate::model::recording::{Recorded, RecordingReader};
use crate::model::{Origin, RuleId, Topic};

use super::since::open;
use super::{RecordedFile, recorded_files};

/// How long one search goes on. Whoever asks waits for it, and `why --as-test` for two.
const LONGEST: Duration = Duration::from_secs(4);

/// How many lines are read before we look at the clock.
const STRIDE: usize = 4096;

/// How a line of ours begins; then comes the time.
const START: &str = "{\"tst\":\"";

/// How many letters the time has: `2024-06-01T18:00:00.000000Z`.
const TIME: usize = 27;

/// What was recorded, to be searched.
pub(crate) struct Past {
    files: Vec<RecordedFile>,
    end: Instant,
    /// Whether nobody waits for what is found.
    is_given_up: Arc<AtomicBool>,
}

impl Past {
    /// Returns what was recorded in `folder` so far; what can't be read isn't found.
    pub(crate) fn open(folder: &Path) -> Past {
        let files = recorded_files(folder).unwrap_or_default();
        Past { files, end: Instant::now() + LONGEST, is_given_up: Arc::default() }
    }

    /// Returns it as a search that ends once the flag is set.
    pub(crate) fn given_up_by(self, is_given_up: Arc<AtomicBool>) -> Past {
        Past { is_given_up, ..self }
    }

    /// Returns the last message of `topic` at or before `at` that `is_wanted`.
    pub(crate) fn before(
        &self,
        topic: &Topic,
        at: Timestamp,
        is_wanted: impl Fn(&Recorded) -> bool,
    ) -> Option<Recorded> {
        let (wanted, last) = (Line::of_topic(topic), text_of(at));
        self.files_before(at).find_map(|file| {
            let mut found = None;
            // If time runs out, what came later isn't known.
            let read = self.lines(file, &mut |line| {
                if wanted.is_in(line) && !is_after(line, &last) && !is_restored(line) {
                    found = parse(line).filter(&is_wanted).or(found.take());
                }
            });
            found.filter(|_| read.is_continue())
        })
    }

    /// Returns the messages after `from` up to `until` that are wanted, oldest first; the last of them where there is no
    /// time for all.
    pub(crate) fn within(&self, from: Timestamp, until: Timestamp, wanted: &Wanted) -> Vec<Recorded> {
        let mut found = Vec::new();
        self.walk(from, until, wanted, |mut messages| {
            messages.append(&mut found);
            found = messages;
            ControlFlow::Continue(())
        });
        found
    }

    /// Gives the messages after `from` up to `until` that are wanted, file by file: the newest file first, its messages
    /// oldest first.
    pub(crate) fn walk(
        &self,
        from: Timestamp,
        until: Timestamp,
        wanted: &Wanted,
        mut take: impl FnMut(Vec<Recorded>) -> ControlFlow<()>,
    ) {
        let (first, last) = (text_of(from), text_of(until));
        for file in self.files_before(until) {
            let mut messages = Vec::new();
            let read = self.lines(file, &mut |line| {
                if is_after(line, &first) && !is_after(line, &last) && wanted.0.is_match(line) {
                    messages.extend(parse(line).filter(|recorded| recorded.message.origin != Origin::Restored));
                }
            });
            if take(messages).is_break() || read.is_break() || file.begin <= from {
                return;
            }
        }
    }

    /// Returns the files that begin at or before `at`, the newest first.
    fn files_before(&self, at: Timestamp) -> impl Iterator<Item = &RecordedFile> {
        self.files.iter().rev().filter(move |file| file.begin <= at)
    }

    /// Gives each line of a message; ends early when time runs out.
    fn lines(&self, file: &RecordedFile, take: &mut dyn FnMut(&[u8])) -> ControlFlow<()> {
        // What can't be read isn't found.
        let Ok(mut text) = open(&file.path) else { return ControlFlow::Continue(()) };
        for count in 0.. {
            if count % STRIDE == 0 && (Instant::now() >= self.end || self.is_given_up.load(Ordering::Relaxed)) {
                return ControlFlow::Break(());
            }
            let Ok(line) = text.fill_buf() else { break };
            let length = line.len();
            if length == 0 {
                break;
            }
            take(line);
            text.consume(length);
        }
        ControlFlow::Continue(())
    }
}

/// Which lines are worth reading.
#[derive(Debug)]
pub(crate) struct Wanted(Regex);

impl Wanted {
    /// Wants messages of these topics, of topics that begin with one of `prefixes`, and what `rule` published.
    pub(crate) fn new<'a>(
        topics: impl Iterator<Item = &'a Topic>,
        prefixes: impl Iterator<Item = &'a str>,
        rule: Option<&RuleId>,
    ) -> Option<Wanted> {
        let json = |text: &str| regex::escape(&serde_json::Value::from(text).to_string());
        let topics = topics.map(|topic| json(topic.as_str()));
        // Without the quote that ends it.
        let prefixes = prefixes.map(|prefix| json(prefix).trim_end_matches('"').to_owned());
        let topics: Vec<String> = topics.chain(prefixes).collect();
        let time = START.len() + TIME;
        let of_topic = format!("^.{{{time}}}\",\"topic\":(?:{})", topics.join("|"));
        let of_rule = rule.map(|rule| format!("|,\"rule\":{}", json(rule.as_str()))).unwrap_or_default();
        // Too many topics for one pattern are too many to ask for.
        Regex::new(&format!("(?s-u){of_topic}{of_rule}")).ok().map(Wanted)
    }
}

/// How a line of ours goes on after the time.
struct Line(Vec<u8>);

impl Line {
    fn of_topic(topic: &Topic) -> Line {
        Line(format!("\",\"topic\":{},", serde_json::Value::from(topic.as_str())).into_bytes())
    }

    fn is_in(&self, line: &[u8]) -> bool {
        line.get(START.len() + TIME..).is_some_and(|rest| rest.starts_with(&self.0))
    }
}

/// Returns whether a line's message came after `at`: times of one length are ordered as their texts.
fn is_after(line: &[u8], at: &str) -> bool {
    line.get(START.len()..START.len() + TIME).unwrap_or_default() > at.as_bytes()
}

/// Returns a time as lines have it.
fn text_of(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// Returns whether a line is what was known at a file's begin. In a payload the quotes would be escaped.
fn is_restored(line: &[u8]) -> bool {
    const WORD: &[u8] = b",\"origin\":\"restored\"";
    line.windows(WORD.len()).rev().any(|window| window == WORD)
}

fn parse(line: &[u8]) -> Option<Recorded> {
    RecordingReader::of_ours(line).next()
}
