//! Decodes a test file: its tests, and what they share.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::lang::home::file_text;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::{Fields, Missing};
use crate::lang::reader::file_span;
use crate::lang::reader::foreign::{Meant, Place};
use crate::lang::yaml::tree::{self, Entry, Node, NodeKind};
use crate::lang::{Code, Diagnostic, Source, near};
use crate::model::schedule::Location;
use crate::model::{Payload, Topic, TopicFilter};

use super::{
    Answers, ExpectedTime, InputStep, Obeying, Recorded, RuleSelection, TestCase, TestFile, TestLocation, WrittenPath,
};

/// Decodes one test file.
pub(super) struct Decoder<'a> {
    reader: Reader<'a>,
    /// The test file's folder relative to the home, without a slash at its end.
    folder: String,
}

impl<'a> Deref for Decoder<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> DerefMut for Decoder<'a> {
    fn deref_mut(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }
}

impl TestFile {
    /// Reads the test file at `path`, relative to the home. `None` if it has errors, which are in the findings.
    #[must_use]
    pub fn read(path: &str, source: &Source) -> (Option<TestFile>, Vec<Diagnostic>) {
        let mut found = Vec::new();
        let Some(text) = file_text(&path.into(), source, &mut found) else { return (None, found) };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut decoder = Decoder { reader: Reader::new(text.clone()), folder };
        let file = tree::parse(&text, &mut decoder.findings).and_then(|root| decoder.file(path, &root));
        let file = file.filter(|_| !decoder.findings.has_errors());
        let is_empty = file.is_none() && decoder.findings.len() == 0;
        let file = if is_empty {
            Some(TestFile { path: path.into(), rules: None, location: None, obeying: Obeying::None, tests: Vec::new() })
        } else {
            file
        };
        let mut found = decoder.reader.findings.into_vec();
        found.sort_by_key(|found| found.label.span.start);
        (file, found)
    }
}

impl Decoder<'_> {
    fn file(&mut self, path: &str, root: &Node) -> Option<TestFile> {
        let mut fields = self.fields(root, "a test file")?.at(Place::TestFile);
        let rules = fields.take("rules").map(|node| self.selections(node));
        let location = fields.take("location").and_then(|node| self.location(node));
        let obeying = fields.take("devices").and_then(|node| self.obeying(node)).unwrap_or_default();
        let tests = match self.need(&mut fields, "tests").map(|node| (node, node.as_map())) {
            Some((_, Some(entries))) => entries.iter().filter_map(|entry| self.case(entry)).collect(),
            Some((node, None)) => {
                self.wrong_type(node, "a map of names to tests");
                Vec::new()
            }
            None => Vec::new(),
        };
        self.finish(fields);
        Some(TestFile { path: path.into(), rules, location, obeying, tests })
    }

    fn case(&mut self, entry: &Entry) -> Option<TestCase> {
        let name: Arc<str> = entry.key.as_str().into();
        let place = self.text.place(entry.key_span.start);
        let mut fields = self.fields(&entry.value, "a test")?.at(Place::Test);
        let at = fields.take("at").and_then(|node| self.local_time(node));
        let given = fields.take("given").map(|node| self.given(node)).unwrap_or_default();
        let strict = fields.take("strict").and_then(|node| self.flag(node)).unwrap_or(true);
        let ignore = fields.take("ignore").map(|node| self.filters(node)).unwrap_or_default();
        let answers = fields.take("answers").map(|node| self.answers(node)).unwrap_or_default();
        let obeying = fields.take("devices").and_then(|node| self.obeying(node));
        let given_inputs = fields.take("given_inputs").and_then(|node| self.input_step(node));
        let given_inputs = given_inputs.map(|InputStep(values)| values).unwrap_or_default();
        let breaks = fields.take("breaks").map(|node| self.breaks(node)).unwrap_or_default();
        let replay = fields.take_entry("replay");
        let snapshot = fields.take_entry("snapshot");
        let steps = match fields.take("steps").map(|node| (node, &node.kind)) {
            Some((_, NodeKind::List(items))) => items.iter().filter_map(|item| self.step(item)).collect(),
            Some((node, _)) => {
                self.wrong_type(node, "a list of steps (`- publish: …`)");
                Vec::new()
            }
            None => {
                if replay.or(snapshot).is_none() {
                    let help = Some("add `steps:`, a list of what happens and what is expected".to_owned());
                    let message = format!("the test `{name}` has no steps");
                    let span = entry.key_span.clone();
                    let keys = vec!["steps"];
                    fields.missing(Missing { keys, code: Code::MISSING_KEY, span, message, help });
                }
                Vec::new()
            }
        };
        let recorded = self.recorded(replay, snapshot);
        self.finish(fields);
        Some(TestCase {
            name,
            place,
            at,
            given,
            steps,
            strict,
            ignore,
            answers,
            obeying,
            given_inputs,
            recorded,
            breaks,
        })
    }

    fn recorded(&mut self, replay: Option<&Entry>, snapshot: Option<&Entry>) -> Option<Recorded> {
        let Some(replay) = replay else {
            let span = snapshot?.key_span.clone();
            let message = "`snapshot` has no effect without `replay`, the recording that it belongs to";
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, span, message);
            found.help("add `replay:`, or write what is expected in an `expect:` step");
            return None;
        };
        let read = self.written_path(&replay.value);
        let snapshot = snapshot.map(|entry| self.snapshot(&entry.value));
        Some(Recorded { replay: read?, snapshot: snapshot.map_or(Some(None), |path| path.map(Some))? })
    }

    /// Returns the path of a snapshot. It's overwritten, so it can't be another kind of file.
    fn snapshot(&mut self, node: &Node) -> Option<WrittenPath> {
        let path = self.written_path(node)?;
        if path.path.ends_with(".jsonl") {
            return Some(path);
        }
        let message = format!("a snapshot's name must end in `.jsonl`, but this is `{}`", path.path);
        let found = self.findings.error(Code::BAD_SNAPSHOT, node.span.clone(), message);
        found.help("name it e.g. `evening.expected.jsonl`");
        None
    }

    fn written_path(&mut self, node: &Node) -> Option<WrittenPath> {
        let place = self.place(node);
        let path = self.path_in_home(node)?;
        Some(WrittenPath { path, place, span: node.span.clone() })
    }

    /// Returns the names of invariants, and where they stand.
    fn breaks(&mut self, node: &Node) -> Vec<(Arc<str>, crate::model::Place)> {
        items(node).iter().filter_map(|item| Some((self.plain_text(item)?, self.place(item)))).collect()
    }

    fn given(&mut self, node: &Node) -> Vec<(Topic, Payload)> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of topics to their retained payloads");
            return Vec::new();
        };
        entries.iter().filter_map(|entry| Some((self.topic_key(entry)?, self.payload(&entry.value)?))).collect()
    }

    fn filters(&mut self, node: &Node) -> Vec<TopicFilter> {
        items(node).iter().filter_map(|item| self.filter(item)).collect()
    }

    fn answers(&mut self, node: &Node) -> Answers {
        let mut answers = Answers::default();
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of URLs, programs or targets of notifications to their answers");
            return answers;
        };
        for entry in entries {
            let name = entry.key.as_str();
            let Some(mut fields) = self.fields(&entry.value, "an answer") else { continue };
            let status = fields.take("status").and_then(|node| self.integer(node, 0..1000));
            let body = fields.take("body").and_then(|node| self.payload(node)).unwrap_or_default();
            self.finish(fields);
            let usual = if name.contains("://") { 200 } else { 0 };
            let status = status.and_then(|status| i64::try_from(status).ok()).unwrap_or(usual);
            answers.insert(name.into(), status, body);
        }
        answers
    }

    fn location(&mut self, node: &Node) -> Option<TestLocation> {
        let mut fields = self.fields(node, "a location")?;
        let latitude = fields.take("latitude").and_then(|node| self.degrees(node, 90.0));
        let longitude = fields.take("longitude").and_then(|node| self.degrees(node, 180.0));
        let zone = fields.take("timezone").and_then(|node| self.zone(node));
        let (has_latitude, has_longitude) = (fields.has("latitude"), fields.has("longitude"));
        if has_latitude != has_longitude {
            let message = "`latitude` and `longitude` need each other";
            let span = self.mark(node);
            self.findings.error(Code::MISSING_KEY, span, message);
        }
        self.finish(fields);
        let location = latitude.zip(longitude).map(|(latitude, longitude)| Location { latitude, longitude });
        Some(TestLocation { location, zone })
    }

    fn degrees(&mut self, node: &Node, most: f64) -> Option<f64> {
        let number = self.number(node)?;
        if (-most..=most).contains(&number) {
            return Some(number);
        }
        let message = format!("`{number}` isn't between -{most} and {most} degrees");
        self.findings.error(Code::OUT_OF_RANGE, node.span.clone(), message);
        None
    }

    fn zone(&mut self, node: &Node) -> Option<Arc<str>> {
        let name = self.plain_text(node)?;
        if TimeZone::get(&name).is_ok() {
            return Some(name);
        }
        let found = self.findings.error(Code::BAD_ZONE, node.span.clone(), format!("`{name}` isn't a known time zone"));
        found.help("use its IANA name, e.g. `Europe/Berlin`");
        None
    }

    fn local_time(&mut self, node: &Node) -> Option<DateTime> {
        let text = self.plain_text(node)?;
        let help = match ExpectedTime::parse(&text) {
            Some(ExpectedTime::Local(time)) => return Some(time),
            Some(ExpectedTime::Instant(_)) => {
                "write e.g. `2024-06-01T20:00:00` without an offset: it's a time in the home's zone, or in \
                 `location: { timezone: … }` at the top of the file"
            }
            Some(ExpectedTime::OfDay(_)) | None => "use e.g. `2024-06-01T20:00:00`",
        };
        let message = format!("`{text}` isn't a local date and time");
        self.findings.error(Code::BAD_TIME, node.span.clone(), message).help(help);
        None
    }

    /// Returns the files, folders and rules that are chosen.
    pub(super) fn selections(&mut self, node: &Node) -> Vec<RuleSelection> {
        items(node).iter().filter_map(|item| self.selection(item)).collect()
    }

    fn selection(&mut self, node: &Node) -> Option<RuleSelection> {
        let place = self.place(node);
        let path = self.path_in_home(node)?;
        let (path, key) = match path.rsplit_once(':') {
            Some((file, key)) if [".yaml", ".yml", ".rhai"].iter().any(|ending| file.ends_with(ending)) => {
                (Arc::from(file), Some(Arc::from(key)))
            }
            _ => (path, None),
        };
        Some(RuleSelection { path, key, place, span: node.span.clone() })
    }

    /// Returns a path that is written relative to the test file, relative to the home.
    fn path_in_home(&mut self, node: &Node) -> Option<Arc<str>> {
        let text = self.plain_text(node)?;
        let mut parts: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        let is_within = !text.starts_with('/')
            && text.split('/').all(|part| match part {
                "" | "." => true,
                ".." => parts.pop().is_some(),
                part => {
                    parts.push(part);
                    true
                }
            });
        if is_within {
            return Some(parts.join("/").into());
        }
        let message = format!("`{text}` is outside the home");
        let found = self.findings.error(Code::OUTSIDE_OF_HOME, node.span.clone(), message);
        found.help("paths in a test are relative to the test file, and can't leave the home");
        None
    }

    /// Returns the payload that is written as for `publish`.
    pub(super) fn payload(&mut self, node: &Node) -> Option<Payload> {
        self.value(node).map(|value| Payload::from_value(&value))
    }

    /// Returns the topic that is the key of a map.
    pub(super) fn topic_key(&mut self, entry: &Entry) -> Option<Topic> {
        match Topic::parse(entry.key.as_str()) {
            Ok(topic) => Some(topic),
            Err(error) => {
                self.findings.error(Code::BAD_TOPIC, entry.key_span.clone(), error.to_string());
                None
            }
        }
    }

    /// Returns the keys of a map, which is `what` in words.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, what: &str) -> Option<Fields<'n>> {
        Fields::of(node, what, &self.reader.text, &mut self.reader.findings)
    }

    /// Returns the value of a key that is needed.
    pub(super) fn need<'n>(&mut self, fields: &mut Fields<'n>, key: &'static str) -> Option<&'n Node> {
        fields.need(key, &self.reader.text)
    }

    /// Reports the keys that were never asked for.
    pub(super) fn finish(&mut self, fields: Fields<'_>) {
        fields.finish(&mut self.reader.findings);
    }

    /// Returns one of `words`.
    pub(super) fn word_of(&mut self, node: &Node, words: &[&'static str]) -> Option<&'static str> {
        let known: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
        self.word(node, &known)
    }

    /// Reports a map that has none of `words`, which would say what it is.
    pub(super) fn unknown(&mut self, node: &Node, code: Code, what: &str, words: &[&'static str]) {
        let keys = node.as_map().unwrap_or_default();
        let meant = keys.iter().find_map(|entry| {
            let key = entry.key.as_str();
            let near = || near::nearest(key, words.iter().copied()).and_then(|_| near::suggestion(key, words));
            Some((entry, Place::Step.meant(key, words).map(Meant::suggestion).or_else(near)?))
        });
        if let Some((entry, suggestion)) = meant {
            let key = entry.key.as_str();
            let message = format!("unknown {what} `{key}`");
            let found = self.findings.error(code, entry.key_span.clone(), message);
            found.suggest(file_span(&entry.key, 0..key.len()), Some(suggestion));
        } else {
            let message = format!("expected a {what}, found {}", node.describe());
            let span = self.mark(node);
            let found = self.findings.error(code, span, message);
            found.help(format!("use one of {}", near::list(words)));
        }
    }
}

/// Returns the items of a list, or a single one.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.kind {
        NodeKind::List(items) => items,
        NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::test_file::StepKind;

    fn read(yaml: &str) -> (Option<TestFile>, Vec<String>) {
        let source = Source::Content(yaml.as_bytes().into());
        let (file, found) = TestFile::read("rules/tv.test.yaml", &source);
        let text = crate::lang::text::FileText::new("rules/tv.test.yaml".into(), yaml.into());
        let told = found.iter().map(|found| {
            let help = found.help.as_deref().unwrap_or("-");
            format!("{} {}: {}", text.place(found.label.span.start), found.message, help)
        });
        (file, told.collect())
    }

    #[test]
    fn the_documented_tests_are_read() {
        let (file, found) = read(include_str!("example.test.yaml"));
        assert_eq!(found, Vec::<String>::new());
        let file = file.unwrap();
        assert_eq!(&*file.rules.unwrap()[0].path, "rules/tv.yaml");
        let test = &file.tests[0];
        assert_eq!(&*test.name, "the lights follow the TV");
        assert_eq!(test.place.to_string(), "rules/tv.test.yaml:3:3");
        let words: Vec<&str> = test.steps.iter().map(|step| step.kind.word()).collect();
        let wanted = "publish expect after until expect expect restart restart reload client webhook expect_state \
                      expect_run publish publish expect_http expect_exec";
        assert_eq!(words.join(" "), wanted);
        let StepKind::Reload(reload) = &test.steps[8].kind else { panic!("{:?}", test.steps[8]) };
        assert_eq!(&*reload[0].path, "other-rules");
        let StepKind::Publish(series) = &test.steps[13].kind else { panic!("{:?}", test.steps[13]) };
        let told: Vec<String> =
            series.payloads.iter().map(|(at, payload)| format!("{} {payload:?}", at.as_secs())).collect();
        assert_eq!(told, ["0 \"20.1\"", "30 \"20.4\"", "90 \"21.0\""]);
        let StepKind::Publish(ramp) = &test.steps[14].kind else { panic!("{:?}", test.steps[14]) };
        let told: Vec<String> =
            ramp.payloads.iter().map(|(at, payload)| format!("{} {payload:?}", at.as_secs())).collect();
        assert_eq!(told, ["0 \"20\"", "1200 \"21.666667\"", "2400 \"23.333333\"", "3600 \"25\""]);
    }

    #[test]
    fn each_mistake_is_told_with_its_place() {
        for (step, told) in [
            ("pubish: a", "4:9 unknown step `pubish`: did you mean `publish`?"),
            (
                "{ publish: a, payload: 1, after: 1m }",
                "4:35 this step has both `publish` and `after`: start a new step with `- after: …`",
            ),
            (
                "{ publish: a }",
                "4:9 `payload` is missing from the step `publish`: for an empty payload, write `payload: null`",
            ),
            ("{ publish: a/+, payload: 1 }", "4:20 a topic can't contain a wildcard (`+` or `#`): -"),
            (
                "{ publish: a, payload: 1, retian: true }",
                "4:35 unknown key `retian` in the step `publish`: did you mean `retain`?",
            ),
            ("after: 30", "4:16 a duration needs a unit: use e.g. `30s`, `30m` or `30h`: -"),
            (
                "until: soon",
                "4:16 `soon` isn't a valid time: use `\"20:10:00\"`, `2024-06-01T20:10:00` or `2024-06-01T20:10:00+02:00`",
            ),
            ("expect: { a/#: 1 }", "4:19 a topic can't contain a wildcard (`+` or `#`): -"),
            (
                "expect: { a: { matches: 5 } }",
                "4:22 `matches` needs text, not a number; if the map is meant literally, put it in `equals:`: -",
            ),
            (
                "expect: none",
                "4:17 expected a map of topics to payloads, a list of messages or `nothing`, found the text `none`: -",
            ),
            (
                "expect_run: { rule: a, outcome: finishd }",
                "4:41 `finishd` isn't allowed here: did you mean `finished`?",
            ),
            (
                "reload: ../../x",
                "4:17 `../../x` is outside the home: paths in a test are relative to the test file, and can't leave the home",
            ),
            (
                "{ publish: a, from: 1, to: 2, over: 1d, every: 1ms }",
                "4:45 a message every 1ms for 1d is too many: use a longer `every`",
            ),
            ("restart: { meanwhile: [] }", "4:18 `down` is missing from a restart: -"),
        ] {
            let (file, found) = read(&format!("tests:\n  t:\n    steps:\n      - {step}\n"));
            assert_eq!(found, [format!("rules/tv.test.yaml:{told}")], "{step}");
            assert_eq!(file, None, "{step}");
        }
    }
}
