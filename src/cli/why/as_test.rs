//! `why TOPIC --as-test FILE`: writes what a publication depended on as a test that passes now.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::test::Suite;
use crate::cli::{Exit, Failure, print};
use crate::explain::{Incident, SaidKind};
use crate::lang::Source;
use crate::lang::test_file::TestFile;
use crate::model::{RuleId, format_duration};
use crate::sim::{Published, TestRun};

/// Writes the test into `file`. It is run before: what can't be played again isn't written.
///
/// # Errors
/// When the daemon knows nothing of it, the file is none of the home, or the rules decide otherwise than they did.
pub(in crate::cli) fn write(topic: &str, file: &Path, daemon: &DaemonArguments) -> Result<Exit, Failure> {
    let place = Place::of(file, daemon.home())?;
    let client = daemon.client()?;
    let mut last = String::new();
    // What the decision is known to have read, or else all that was known then.
    for all in ["false", "true"] {
        let answer = client.get("/api/incident", &[("topic", topic), ("all", all)])?;
        let incident: Incident = serde_json::from_value(answer)
            .map_err(|error| Failure::new(format!("the daemon's answer can't be read: {error}")))?;
        match Draft::new(&incident, &place).and_then(Draft::finish) {
            Ok(text) => {
                let path = file.display();
                fs::write(file, text).map_err(|error| Failure::new(format!("`{path}` can't be written: {error}")))?;
                print::line(&format!("{path} holds a test that passes now: change what it expects, then the rules"));
                return Ok(Exit::Well);
            }
            Err(why) => last = why,
        }
    }
    Err(Failure::new(format!("what published `{topic}` can't be played again, so no test is written: {last}")))
}

/// Where the test's file stands.
struct Place {
    home: PathBuf,
    /// Relative to the home.
    path: String,
}

impl Place {
    fn of(file: &Path, home: &Path) -> Result<Place, Failure> {
        let shown = file.display();
        if !file.to_string_lossy().ends_with(".test.yaml") {
            return Err(Failure::new(format!("`{shown}` is no test's name: let it end in `.test.yaml`")));
        }
        if file.exists() {
            return Err(Failure::new(format!("`{shown}` is there already: name another file")));
        }
        let home = home.canonicalize().map_err(|error| Failure::new(format!("`{}`: {error}", home.display())))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder
            .canonicalize()
            .map_err(|error| Failure::new(format!("the folder `{}` can't be read: {error}", folder.display())))?;
        let name = file.file_name().unwrap_or_default();
        let full = folder.join(name);
        let inside = full.strip_prefix(&home).map_err(|_| {
            Failure::new(format!("`{shown}` is not in the home {}: a test stands with its rules", home.display()))
        })?;
        let path = inside.to_string_lossy().into_owned();
        Ok(Place { home, path })
    }

    /// Returns the path of a rule's file, relative to the test's.
    fn to_rule(&self, suite: &Suite, rule: &RuleId) -> Option<String> {
        let stem = format!("{}/{}", suite.rules_folder(), rule.file());
        let endings = [".yaml", ".yml", ".rhai"].iter().map(|ending| format!("{stem}{ending}"));
        let path = endings.into_iter().find(|path| self.home.join(path).is_file())?;
        let (mut here, mut there): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), path.split('/').collect());
        here.pop();
        while let (Some(first), Some(second)) = (here.first(), there.first())
            && first == second
        {
            here.remove(0);
            there.remove(0);
        }
        Some(format!("{}{}", "../".repeat(here.len()), there.join("/")))
    }
}

/// A test that is being written.
struct Draft<'a> {
    incident: &'a Incident,
    place: &'a Place,
    suite: Suite,
    zone: TimeZone,
    /// All but what is expected.
    text: String,
}

impl<'a> Draft<'a> {
    fn new(incident: &'a Incident, place: &'a Place) -> Result<Draft<'a>, String> {
        let suite = Suite::load(&place.home, String::new(), &BTreeSet::new()).map_err(|failure| failure.to_string())?;
        if !suite.errors.is_empty() {
            return Err("the rules don't load: `homerule check` says why".to_owned());
        }
        let zone = suite.home.options().calendar.zone.clone();
        let mut draft = Draft { incident, place, suite, zone, text: String::new() };
        draft.text = draft.begin()?;
        Ok(draft)
    }

    /// Plays it, writes down what the rules publish, and checks that it passes.
    fn finish(self) -> Result<String, String> {
        let source = Source::Content(self.text.clone().into_bytes().into());
        let file = read(&self.place.path, &source)?;
        let case = file.tests.first().ok_or("nothing to be run")?;
        let published = TestRun::publications(&file, case, &self.suite.home)?;
        let is_it = |published: &Published| {
            let message = &published.publication.message;
            message.topic.as_str() == self.incident.topic && message.payload.value().to_json() == self.incident.value
        };
        if !published.iter().any(is_it) {
            let left_out = self.incident.left_out.join("; ");
            let because = if left_out.is_empty() { String::new() } else { format!(" (left out: {left_out})") };
            return Err(format!(
                "with what the daemon remembers, the rules don't publish {} now{because}",
                self.incident.value
            ));
        }
        let text = format!("{}{}", self.text, expectation(&published));
        let file = read(&self.place.path, &Source::Content(text.clone().into_bytes().into()))?;
        let case = file.tests.first().ok_or("nothing to be run")?;
        match TestRun::run(&file, case, &self.suite.home, None).failure {
            None => Ok(text),
            Some(failure) => Err(failure.message),
        }
    }

    /// Writes all but what is expected.
    fn begin(&self) -> Result<String, String> {
        let incident = self.incident;
        let mut rules = Vec::new();
        for rule in &incident.rules {
            let id = RuleId::from_text(rule);
            let path = self.place.to_rule(&self.suite, &id).ok_or_else(|| format!("the file of {rule} is gone"))?;
            let key = id.key().split_once('[').map_or(id.key(), |(key, _)| key);
            let choice = format!("{path}:{key}");
            if !rules.contains(&choice) {
                rules.push(choice);
            }
        }
        let mut text = format!(
            "# What led to `{}` at {}, cut out by `homerule why --as-test`. It passes as the rules are now:\n\
             # change what is expected into what should have happened, and then the rules.\n",
            incident.topic,
            self.local(incident.end, "%Y-%m-%d %H:%M:%S"),
        );
        for left_out in &incident.left_out {
            add(&mut text, &format!("# Left out: {left_out}."));
        }
        let rules: Vec<String> = rules.iter().map(|rule| quoted(rule)).collect();
        add(&mut text, &format!("rules: [{}]", rules.join(", ")));
        add(&mut text, "tests:");
        let name = format!("{} at {}", incident.topic, self.local(incident.end, "%Y-%m-%d %H:%M:%S"));
        add(&mut text, &format!("  {}:", quoted(&name)));
        add(&mut text, &format!("    at: {}", self.local(incident.start, "%Y-%m-%dT%H:%M:%S")));
        if !incident.given.is_empty() {
            add(&mut text, "    given:");
        }
        for (topic, value) in &incident.given {
            add(&mut text, &format!("      {}: {value}", quoted(topic)));
        }
        add(&mut text, "    steps:");
        let mut at = incident.start;
        for said in &incident.said {
            pass(&mut text, &mut at, said.at);
            match &said.kind {
                SaidKind::Message { topic, value, qos, retain } => {
                    add(&mut text, &format!("      - publish: {}", quoted(topic)));
                    add(&mut text, &format!("        payload: {value}"));
                    if *qos != 1 {
                        add(&mut text, &format!("        qos: {qos}"));
                    }
                    if *retain {
                        add(&mut text, "        retain: true");
                    }
                }
                SaidKind::Webhook { name, value } => {
                    add(&mut text, &format!("      - webhook: {}", quoted(name)));
                    add(&mut text, &format!("        payload: {value}"));
                }
                SaidKind::Client { id, is_connected } => {
                    let is = if *is_connected { "connected" } else { "disconnected" };
                    add(&mut text, &format!("      - client: {{ id: {}, is: {is} }}", quoted(id)));
                }
            }
        }
        // What was due a moment late there is due in time here; what is due in time needs the whole of it.
        pass(&mut text, &mut at, incident.end);
        if incident.said.is_empty() && at == incident.start {
            return Err("nothing happened that a test can tell".to_owned());
        }
        Ok(text)
    }

    fn local(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.zone.clone()).strftime(format).to_string()
    }
}

/// Lets time pass from `from` until `to`, in whole milliseconds.
fn pass(text: &mut String, from: &mut Timestamp, to: Timestamp) {
    let passed = to.as_millisecond() - from.as_millisecond();
    let Ok(passed) = u64::try_from(passed) else { return };
    if passed > 0 {
        add(text, &format!("      - after: {}", format_duration(Duration::from_millis(passed))));
        *from = to;
    }
}

/// Writes what was published as what is expected, in its order.
fn expectation(published: &[Published]) -> String {
    let mut text = String::new();
    add(&mut text, "      - expect:");
    for Published { publication, .. } in published {
        let message = &publication.message;
        let payload = message.payload.value().to_json();
        let topic = quoted(message.topic.as_str());
        add(&mut text, &format!("          - {{ topic: {topic}, payload: {} }}", exactly(&payload)));
    }
    text
}

/// Returns a payload as an expectation: a map of one key that looks like a pattern is meant literally.
fn exactly(payload: &Value) -> String {
    let looks_like_pattern = payload.as_object().is_some_and(|map| {
        map.len() == 1 && map.keys().all(|key| ["any", "contains", "matches", "equals"].contains(&key.as_str()))
    });
    if looks_like_pattern { format!("{{ equals: {payload} }}") } else { payload.to_string() }
}

fn read(path: &str, source: &Source) -> Result<TestFile, String> {
    let (file, found) = TestFile::read(path, source);
    file.ok_or_else(|| found.first().map_or_else(|| "the test can't be read".to_owned(), |found| found.message.clone()))
}

/// Returns a text as JSON, which is YAML too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn add(text: &mut String, line: &str) {
    // Writing into a text can't fail.
    let _ = writeln!(text, "{line}");
}
