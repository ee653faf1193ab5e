//! `find --as-test FILE`: cuts the first time in which the condition held out of what was recorded, as a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cli::test::Suite;
use crate::cli::why::Place;
use crate::cli::{Exit, Failure, print};
use crate::explain::{LocalTime, Said, SaidKind};
use crate::model::recording::Recorded;
use crate::model::{Message, Origin};
use crate::sim::{Span, WrittenTest};

/// The most topics that are given, and messages that are told.
const MOST: usize = 500;

/// What is cut out.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// What was known before, by topic; as JSON.
    given: BTreeMap<String, Value>,
    /// What came from outside while it held.
    said: Vec<Said>,
    last: Option<Timestamp>,
    is_cut_short: bool,
}

impl Cut {
    /// Takes a message, which was fed to the search before; it gave `first` by now.
    pub(super) fn take(&mut self, recorded: &Recorded, first: Option<&Span>) {
        let message = &recorded.message;
        if message.origin == Origin::Own || first.and_then(|span| span.to).is_some_and(|to| to < recorded.at) {
            return;
        }
        self.last = Some(recorded.at);
        match first {
            Some(_) if message.origin != Origin::Live => {}
            Some(_) if self.said.len() < MOST => self.said.push(said(recorded.at, message)),
            None if message.payload.bytes().is_empty() => {
                self.given.remove(message.topic.as_str());
            }
            None if self.given.len() < MOST || self.given.contains_key(message.topic.as_str()) => {
                self.given.insert(message.topic.as_str().to_owned(), message.payload.value().to_json());
            }
            Some(_) | None => self.is_cut_short = true,
        }
    }

    /// Writes the test of `expression` into `file` of the home in `home`.
    ///
    /// # Errors
    /// When the file is none of the home, or nothing happened that a test can tell.
    pub(super) fn write(&self, expression: &str, span: &Span, file: &Path, home: &Path) -> Result<Exit, Failure> {
        let place = Place::of(file, home)?;
        let suite = Suite::load(place.home(), String::new(), &BTreeSet::new())?;
        let zone = suite.home.options().calendar.zone.clone();
        let name = format!("`{expression}` held at {}", LocalTime::new(zone).text(span.from));
        let short = if self.is_cut_short { "# More was known, or said, than a test can tell.\n" } else { "" };
        // A test begins at a whole second.
        let start = Timestamp::from_second(span.from.as_second()).unwrap_or(span.from);
        let end = span.to.or(self.last).unwrap_or(span.from).max(span.from);
        let end = end.checked_add(SignedDuration::from_secs(1)).unwrap_or(end);
        let test = WrittenTest {
            header: format!(
                "# A time in which {expression}\n# held, cut out by `homerule find --as-test`. It passes with the rules as they are now:\n\
                 # change what it expects into what should have happened, then the rules.\n{short}"
            ),
            name,
            home: &suite.home,
            path: place.path(),
            rules: Vec::new(),
            start,
            end,
            given: &self.given,
            said: &self.said,
        };
        let text = test.write(|_| Ok(())).map_err(|why| Failure::new(format!("no test is written: {why}")))?;
        let path = file.display();
        fs::write(file, text).map_err(|error| Failure::new(format!("`{path}` can't be written: {error}")))?;
        print::line(&format!("{path} holds a test that passes now: change what it expects, then the rules"));
        Ok(Exit::Well)
    }
}

fn said(at: Timestamp, message: &Message) -> Said {
    let kind = SaidKind::Message {
        topic: message.topic.as_str().to_owned(),
        value: message.payload.value().to_json(),
        qos: message.qos as u8,
        retain: message.retain,
    };
    Said { at, kind }
}
