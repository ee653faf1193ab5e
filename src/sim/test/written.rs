//! A test that is written: what was known, what came from outside with the time in between, and what the rules published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::engine::Notice;
use crate::explain::{Said, SaidKind};
use crate::lang::test_file::TestFile;
use crate::lang::{Source, Yaml};
use crate::model::format_duration;
use crate::rules::Inputs;
use crate::sim::home::{Published, TestHome};

use super::run::TestRun;

/// A test that is being written.
#[derive(Clone)]
pub struct WrittenTest<'a> {
    /// What a reader is told first, as comments.
    pub header: String,
    /// The test's name.
    pub name: String,
    /// The home whose rules it tests.
    pub home: &'a TestHome,
    /// The test file's path, relative to the home.
    pub path: &'a str,
    /// The rules that it chooses, as a test file names them: `tv.yaml:dim-lights`; empty: it names none.
    pub rules: Vec<String>,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What was known before the start, by topic; as JSON.
    pub given: &'a BTreeMap<String, Value>,
    /// What came from outside, in order.
    pub said: &'a [Said],
}

impl WrittenTest<'_> {
    /// Returns the test file's text, in which the test expects what the rules publish now, if `is_right` accepts that. It's
    /// run before: what can't be played again isn't written.
    ///
    /// # Errors
    /// If nothing happened that a test can tell, or `is_right` doesn't accept what is published; in words.
    pub fn write(&self, is_right: impl FnOnce(&[Published]) -> Result<(), String>) -> Result<String, String> {
        let steps = self.steps();
        let published = self.publications()?;
        is_right(&published)?;
        let text = self.text(steps.into_iter().chain([expectation(&published)]).collect());
        let file = self.read(&text)?;
        let case = file.tests.first().ok_or("there's nothing to run")?;
        match TestRun::run(&file, case, self.home, None).failure {
            None => Ok(text),
            Some(failure) => Err(failure.message),
        }
    }

    /// Returns what the rules publish in it.
    pub(super) fn publications(&self) -> Result<Vec<Published>, String> {
        let steps = self.steps();
        if steps.is_empty() {
            return Err("nothing happened that a test can tell".to_owned());
        }
        let file = self.read(&self.text(steps))?;
        let case = file.tests.first().ok_or("there's nothing to run")?;
        TestRun::publications(&file, case, self.home)
    }

    fn read(&self, text: &str) -> Result<TestFile, String> {
        let source = Source::Content(Arc::from(text.as_bytes()));
        let (file, found) = TestFile::read(self.path, &source);
        let first = || found.first().map_or("the test can't be read", |found| &found.message).to_owned();
        file.ok_or_else(first)
    }

    fn text(&self, steps: Vec<Yaml>) -> String {
        let mut test = vec![("at".to_owned(), Yaml::text(self.local_start()))];
        let known = self.home.all_rules().inputs;
        let (mut given, mut inputs) = (Vec::new(), Vec::new());
        for (topic, value) in self.given {
            match input_of(&known, topic, value) {
                None => given.push((topic.clone(), Yaml::Value(value.clone()))),
                // What somebody wrote there has been done by then.
                Some((name, false)) => inputs.push((name.to_owned(), Yaml::Value(value.clone()))),
                Some((_, true)) => {}
            }
        }
        for (key, entries) in [("given_inputs", inputs), ("given", given)] {
            if !entries.is_empty() {
                test.push((key.to_owned(), Yaml::Map(entries)));
            }
        }
        test.push(("steps".to_owned(), Yaml::List(steps)));
        let mut document = Vec::new();
        if !self.rules.is_empty() {
            let rules = self.rules.iter().cloned().map(Value::String).collect();
            document.push(("rules".to_owned(), Yaml::Value(rules)));
        }
        document.push(("tests".to_owned(), Yaml::Map(vec![(self.name.clone(), Yaml::Map(test))])));
        format!("{}{}", self.header, Yaml::Map(document).document())
    }

    /// Returns when the test begins, in local time.
    fn local_start(&self) -> String {
        let zone = self.home.options().calendar.zone.clone();
        self.start.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// Returns what came from outside as steps, with the time in between.
    fn steps(&self) -> Vec<Yaml> {
        let inputs = self.home.all_rules().inputs;
        let mut steps = Vec::new();
        let mut at = self.start;
        for said in self.said {
            let Some(step) = step(&inputs, said) else { continue };
            steps.extend(pass(&mut at, said.at));
            steps.push(step);
        }
        // What was due a moment late there is due in time here; what is due in time needs the whole of it.
        steps.extend(pass(&mut at, self.end));
        steps
    }
}

/// Returns the step that lets time pass from `from` until `to`, in whole milliseconds.
fn pass(from: &mut Timestamp, to: Timestamp) -> Option<Yaml> {
    let passed = u64::try_from(to.as_millisecond() - from.as_millisecond()).ok().filter(|passed| *passed > 0)?;
    *from = to;
    Some(inline([("after", Value::from(format_duration(Duration::from_millis(passed))))]))
}

/// Returns the name of the input of which a message tells, and whether it sets it; `None` where it is of no input, or says what
/// that refuses.
fn input_of<'t>(inputs: &Inputs, topic: &'t str, value: &Value) -> Option<(&'t str, bool)> {
    let name = topic.strip_prefix("homerule/input/")?;
    let (name, sets) = name.strip_suffix("/set").map_or((name, false), |name| (name, true));
    let is_taken = inputs.get(name)?.kind.accept(&crate::model::Value::from_json(value.clone())).is_ok();
    is_taken.then_some((name, sets))
}

/// Returns it as a step; `None` where it follows from another: what an input is from what it was set to.
fn step(inputs: &Inputs, said: &Said) -> Option<Yaml> {
    Some(match &said.kind {
        SaidKind::Message { topic, value, qos, retain } => {
            if let Some((name, sets)) = input_of(inputs, topic, value) {
                return sets.then(|| inline([("input", json!({ name: value }))]));
            }
            let qos = (*qos != 1).then(|| ("qos", json!(qos)));
            let retain = retain.then(|| ("retain", json!(true)));
            let message = [("publish", json!(topic)), ("payload", value.clone())];
            inline(message.into_iter().chain(qos).chain(retain))
        }
        SaidKind::Webhook { name, value } => inline([("webhook", json!(name)), ("payload", value.clone())]),
        SaidKind::Client { id, is_connected } => {
            let is = if *is_connected { "connected" } else { "disconnected" };
            inline([("client", json!({ "id": id, "is": is }))])
        }
    })
}

/// Returns what was published as the step of a test that expects it, in its order.
#[must_use]
pub fn expectation<'p>(published: impl IntoIterator<Item = &'p Published>) -> Yaml {
    let message = |published: &Published| {
        let message = &published.publication.message;
        let payload = message.payload.value().to_json();
        inline([("topic", json!(message.topic.as_str())), ("payload", exactly(payload))])
    };
    let messages: Vec<Yaml> = published.into_iter().map(message).collect();
    let expected = if messages.is_empty() { Yaml::text("nothing") } else { Yaml::List(messages) };
    Yaml::Map(vec![("expect".to_owned(), expected)])
}

/// Returns what people were told as the step of a test that expects it, in its order.
#[must_use]
pub fn notice_expectation<'n>(told: impl IntoIterator<Item = &'n Notice>) -> Yaml {
    let notice = |notice: &Notice| {
        let message = json!(notice.message);
        let told = if notice.title.is_empty() { message } else { json!({ "message": message, "title": notice.title }) };
        Yaml::Inline(vec![(notice.target.to_string(), Yaml::Value(told))])
    };
    let notices: Vec<Yaml> = told.into_iter().map(notice).collect();
    Yaml::Map(vec![("expect_notify".to_owned(), Yaml::List(notices))])
}

/// Returns a payload as an expectation: a map of one key that looks like a pattern is meant literally.
pub(in crate::sim) fn exactly(payload: Value) -> Value {
    let looks_like_pattern = payload.as_object().is_some_and(|map| {
        map.len() == 1 && map.keys().all(|key| ["any", "contains", "matches", "equals"].contains(&key.as_str()))
    });
    if looks_like_pattern { json!({ "equals": payload }) } else { payload }
}

fn inline<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Yaml {
    Yaml::Inline(entries.into_iter().map(|(key, value)| (key.to_owned(), Yaml::Value(value))).collect())
}
