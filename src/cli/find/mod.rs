//! `homerule find`: when a condition held, in what was recorded.

mod as_test;

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::home::home_folder::meant;
use super::progress::Reader;
use super::replay::Recording;
use super::{Exit, Failure, print};
use crate::disk::home_files::read_home;
use crate::explain::{LocalTime, one_line};
use crate::lang::{Diagnostic, Home, Severity, Source};
use crate::model::{RuleId, format_duration};
use crate::rules::Ruleset;
use crate::sim::{Find as Search, Span, TestHome};
use as_test::Cut;

/// Shows when an expression was true, in what was recorded.
#[derive(Debug, Args)]
pub(super) struct Find {
    /// The expression, as `if` and `while` have it: `state('home/door') == 'open' and age('home/door') > 600`.
    expression: String,
    /// Look through the last time of the recorder of the home's daemon: `24h`, or since `20:10`.
    #[arg(long, value_name = "TIME", default_value = "7d", conflicts_with = "recording")]
    since: String,
    /// Look through a recording, plain or packed by gzip or zstd; `-`: standard input.
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// The home.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = meant)]
    home: PathBuf,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    /// Write the first time in which it was true as a test: what was known, what was said, what the rules publish now.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    as_test: Option<PathBuf>,
}

/// What the rule is called that asks the expression. No rule file has this name.
const ASKING: &str = "(expression)";

impl Find {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let Some((search, zone)) = self.search()? else { return Ok(Exit::No) };
        let mut recording = match &self.recording {
            Some(path) => Recording::open(path, Vec::new(), Reader::of(self.json))?,
            None => Recording::since(&self.home, &self.since, Vec::new(), Reader::of(self.json))?,
        };
        let (mut search, mut last, mut cut) = (search, None, Cut::default());
        while let Some(recorded) = recording.next() {
            last = Some(recorded.at);
            let copy = self.as_test.as_ref().map(|_| recorded.clone());
            search.feed(recorded);
            if let Some(copy) = copy {
                cut.take(&copy, search.first());
            }
        }
        recording.clear();
        let spans = last.map(|last| search.end(last)).unwrap_or_default();
        if let (Some(file), Some(first)) = (&self.as_test, spans.first()) {
            recording.close();
            return cut.write(&self.expression, first, file, &self.home);
        }
        if self.json {
            print::json(&spans.iter().map(answer).collect::<Vec<_>>())?;
        } else {
            show(&spans, &LocalTime::new(zone));
        }
        let closed = recording.close();
        Ok(if spans.is_empty() { Exit::No } else { closed })
    }

    /// Returns the search in the home, whose other rules run with it; `None` where it or the expression can't be read, which
    /// is told.
    fn search(&self) -> Result<Option<(Search, TimeZone)>, Failure> {
        let mut sources = read_home(&self.home).map_err(|error| Failure::new(error.to_string()))?;
        let folder = Home::load(&sources).settings.rules;
        let path = format!("{}/{ASKING}.yaml", folder.trim_matches('/'));
        let condition = serde_json::to_string(&self.expression).unwrap_or_default();
        let rule = format!("rules: {{ held: {{ while: {condition} }} }}\n");
        sources.insert(path.as_str().into(), Source::Content(rule.into_bytes().into()));
        let home = Home::load(&sources);
        let errors: Vec<Diagnostic> =
            home.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
        if !errors.is_empty() {
            // A mistake in the expression is told alone.
            let own: Vec<Diagnostic> = errors.iter().filter(|found| *found.label.file == *path).cloned().collect();
            print::diagnostics(if own.is_empty() { &errors } else { &own }, &sources, "");
            return Ok(None);
        }
        let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
        let options = TestHome::new(&home.settings, zone, Ruleset::default()).options().clone();
        let zone = options.calendar.zone.clone();
        Ok(Some((Search::new(home.ruleset, options, RuleId::new(ASKING, "held")), zone)))
    }
}

fn answer(span: &Span) -> serde_json::Value {
    let message = span.message.as_ref().map(|message| {
        json!({ "topic": message.topic.as_str(), "payload": message.payload.value().to_json(), "retain": message.retain })
    });
    json!({ "from": span.from, "to": span.to, "message": message })
}

/// Writes each time in which it held.
fn show(spans: &[Span], times: &LocalTime) {
    for Span { from, to, message } in spans {
        let length = to.map(|to| std::time::Duration::try_from(to.duration_since(*from)).unwrap_or_default());
        let until = match (to, length) {
            (Some(to), Some(length)) => format!("to {}  for {}", times.text(*to), format_duration(length)),
            _ => "and still at the end".to_owned(),
        };
        let by = message.as_ref().map_or(String::new(), |message| {
            format!("  since `{}` said {}", message.topic, one_line(message.payload.text().unwrap_or("(no text)")))
        });
        print::line(&format!("{} {until}{by}", times.text(*from)));
    }
    match spans.len() {
        0 => print::line("it never held"),
        1 => print::line("it held once"),
        times => print::line(&format!("it held {times} times")),
    }
}
