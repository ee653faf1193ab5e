//! A test of an incident: what a publication depended on, written as a test that passes now.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::explain::{Incident, LocalTime, Said, SaidKind};
use crate::lang::test_file::TestFile;
use crate::lang::{Source, Yaml};
use crate::model::format_duration;

use crate::sim::home::{Published, TestHome};

use super::run::TestRun;

/// A test that is being written.
pub struct IncidentTest<'a> {
    /// What it's about.
    pub incident: &'a Incident,
    /// The home whose rules it tests.
    pub home: &'a TestHome,
    /// The test file's path, relative to the home.
    pub path: &'a str,
    /// The rules that it chooses, as a test file names them: `tv.yaml:dim-lights`.
    pub rules: Vec<String>,
}

impl IncidentTest<'_> {
    /// Returns the test file's text. It's run before: what can't be played again isn't written.
    ///
    /// # Errors
    /// If the rules decide otherwise than they did, or nothing happened that a test can tell; in words.
    pub fn write(&self) -> Result<String, String> {
        let steps = self.steps();
        if steps.is_empty() {
            return Err("nothing happened that a test can tell".to_owned());
        }
        let published = {
            let file = self.read(&self.text(steps.clone()))?;
            let case = file.tests.first().ok_or("there's nothing to run")?;
            TestRun::publications(&file, case, self.home)?
        };
        if !published.iter().any(|published| self.is_it(published)) {
            return Err(self.otherwise());
        }
        let text = self.text(steps.into_iter().chain([expectation(&published)]).collect());
        let file = self.read(&text)?;
        let case = file.tests.first().ok_or("there's nothing to run")?;
        match TestRun::run(&file, case, self.home, None).failure {
            None => Ok(text),
            Some(failure) => Err(failure.message),
        }
    }

    fn is_it(&self, published: &Published) -> bool {
        let message = &published.publication.message;
        message.topic.as_str() == self.incident.topic && message.payload.value().to_json() == self.incident.value
    }

    fn otherwise(&self) -> String {
        let left_out = self.incident.left_out.join("; ");
        let because = if left_out.is_empty() { left_out } else { format!(" (left out: {left_out})") };
        let value = &self.incident.value;
        format!("with what the daemon remembers, the rules don't publish {value} now{because}")
    }

    fn read(&self, text: &str) -> Result<TestFile, String> {
        let source = Source::Content(Arc::from(text.as_bytes()));
        let (file, found) = TestFile::read(self.path, &source);
        let first = || found.first().map_or("the test can't be read", |found| &found.message).to_owned();
        file.ok_or_else(first)
    }

    fn text(&self, steps: Vec<Yaml>) -> String {
        let incident = self.incident;
        let zone = &self.home.options().calendar.zone;
        let name = format!("{} at {}", incident.topic, LocalTime::new(zone.clone()).text(incident.end));
        let mut test = vec![("at".to_owned(), Yaml::text(self.start()))];
        if !incident.given.is_empty() {
            let given = incident.given.iter().map(|(topic, value)| (topic.clone(), Yaml::Value(value.clone())));
            test.push(("given".to_owned(), Yaml::Map(given.collect())));
        }
        test.push(("steps".to_owned(), Yaml::List(steps)));
        let rules = self.rules.iter().cloned().map(Value::String).collect();
        let document = Yaml::Map(vec![
            ("rules".to_owned(), Yaml::Value(rules)),
            ("tests".to_owned(), Yaml::Map(vec![(name.clone(), Yaml::Map(test))])),
        ]);
        let left_out = incident.left_out.iter().map(|left_out| format!("# Left out: {left_out}.\n"));
        let left_out = left_out.collect::<Vec<_>>().concat();
        format!(
            "# What led to {name}, cut out by `homerule why --as-test`. It passes with the rules as they are now:\n\
             # change what it expects into what should have happened, then the rules.\n{left_out}{}",
            document.document()
        )
    }

    /// Returns when the test begins, in local time.
    fn start(&self) -> String {
        let zone = self.home.options().calendar.zone.clone();
        self.incident.start.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// Returns what came from outside as steps, with the time in between.
    fn steps(&self) -> Vec<Yaml> {
        let mut steps = Vec::new();
        let mut at = self.incident.start;
        for said in &self.incident.said {
            steps.extend(pass(&mut at, said.at));
            steps.push(step(said));
        }
        // What was due a moment late there is due in time here; what is due in time needs the whole of it.
        steps.extend(pass(&mut at, self.incident.end));
        steps
    }
}

/// Returns the step that lets time pass from `from` until `to`, in whole milliseconds.
fn pass(from: &mut Timestamp, to: Timestamp) -> Option<Yaml> {
    let passed = u64::try_from(to.as_millisecond() - from.as_millisecond()).ok().filter(|passed| *passed > 0)?;
    *from = to;
    Some(inline([("after", Value::from(format_duration(Duration::from_millis(passed))))]))
}

fn step(said: &Said) -> Yaml {
    match &said.kind {
        SaidKind::Message { topic, value, qos, retain } => {
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
    }
}

/// Returns what was published as what's expected, in its order.
fn expectation(published: &[Published]) -> Yaml {
    let message = |published: &Published| {
        let message = &published.publication.message;
        let payload = message.payload.value().to_json();
        inline([("topic", json!(message.topic.as_str())), ("payload", exactly(payload))])
    };
    Yaml::Map(vec![("expect".to_owned(), Yaml::List(published.iter().map(message).collect()))])
}

/// Returns a payload as an expectation: a map of one key that looks like a pattern is meant literally.
fn exactly(payload: Value) -> Value {
    let looks_like_pattern = payload.as_object().is_some_and(|map| {
        map.len() == 1 && map.keys().all(|key| ["any", "contains", "matches", "equals"].contains(&key.as_str()))
    });
    if looks_like_pattern { json!({ "equals": payload }) } else { payload }
}

fn inline<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Yaml {
    Yaml::Inline(entries.into_iter().map(|(key, value)| (key.to_owned(), Yaml::Value(value))).collect())
}
