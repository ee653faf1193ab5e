//! The schemas against the decoders, and against all YAML files of this repository.

pub(in crate::lang) mod asked;
mod validator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{FileKind, definitions, references, schema_of_all};
use crate::lang::diagnostic::findings::Findings;
use crate::lang::test_file::TestFile;
use crate::lang::text::FileText;
use crate::lang::yaml::tree::{self, Node, NodeKind};
use crate::lang::{Code, Diagnostic, Home, Severity, Source, Sources};

/// The folders whose YAML files are read: whole homes, and single files that are wrong in one way each.
const FOLDERS: [&str; 5] = ["examples", "rules", "tests/semantics", "tests/diagnostics", "tests/files"];

/// What has any keys, so that the decoder asks for none.
const OPEN: &str = "a map of topics";

/// A YAML file, and what is wrong with it.
struct Read {
    path: String,
    kind: FileKind,
    json: Option<Value>,
    found: Vec<Diagnostic>,
}

impl Read {
    fn new(path: &Path) -> Read {
        #[expect(clippy::disallowed_methods, reason = "a test reads files")]
        let bytes = std::fs::read(path).unwrap();
        let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_string_lossy().into_owned();
        let name = path.rsplit('/').next().unwrap();
        let kind = match name {
            name if name.ends_with(".test.yaml") => FileKind::Tests,
            name if name == "homerule.yaml" || name.starts_with("settings-") => FileKind::Settings,
            _ => FileKind::Rules,
        };
        let source = Source::Content(bytes.as_slice().into());
        let found = match kind {
            FileKind::Tests => TestFile::read(&path, &source).1,
            FileKind::Settings => Home::load(&Sources::from([("homerule.yaml".into(), source)])).diagnostics,
            FileKind::Rules => {
                let settings = "location: { latitude: 51.5, longitude: -0.12 }\nallow: { exec: [say, beep] }\n";
                let settings = Source::Content(settings.as_bytes().into());
                let sources = [("homerule.yaml".into(), settings), (format!("rules/{name}").into(), source)];
                Home::load(&Sources::from(sources)).diagnostics
            }
        };
        let json = String::from_utf8(bytes).ok().and_then(|text| {
            let text = FileText::new(path.as_str().into(), text.into());
            tree::parse(&text, &mut Findings::new(path.as_str().into())).map(|root| json_of(&root))
        });
        Read { path, kind, json, found }
    }

    /// Returns why the schema of its kind refuses it; that of all kinds must do the same.
    fn refusal(&self) -> Option<String> {
        let refusal = |schema: &Value| validator::validate(self.json.as_ref()?, schema, &schema["$defs"], "").err();
        let (by_kind, by_all) = (refusal(&self.kind.schema()), refusal(&schema_of_all()));
        assert_eq!(by_kind.is_some(), by_all.is_some(), "{}: {by_kind:?}, {by_all:?}", self.path);
        by_kind
    }
}

fn json_of(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar(scalar) => serde_json::from_str(&scalar.value.to_json().to_string()).unwrap(),
        NodeKind::List(items) => items.iter().map(json_of).collect(),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.as_str().to_owned(), json_of(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        NodeKind::Closure(_) => panic!("YAML has no closures"),
    }
}

fn files() -> Vec<Read> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension().and_then(|ending| ending.to_str()) {
                _ if path.is_dir() => walk(&path, found),
                Some("yaml" | "yml") => found.push(path),
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    for folder in FOLDERS {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Read::new(path)).collect()
}

/// All objects that a schema is made of.
fn objects(schema: &Value) -> Vec<&Map<String, Value>> {
    let inner = match schema {
        Value::Object(entries) => entries.values().flat_map(objects).collect(),
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    };
    schema.as_object().into_iter().chain(inner).collect()
}

#[test]
fn the_schemas_know_the_keys_and_words_that_the_decoders_ask_for() {
    asked::take();
    files();
    let asked = asked::take();
    let all = Value::Object(definitions());
    let mut described: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for object in objects(&all) {
        let (Some(Value::String(title)), Some(Value::Object(keys))) = (object.get("title"), object.get("properties"))
        else {
            continue;
        };
        described.entry(title.clone()).or_default().extend(keys.keys().map(String::as_str));
    }
    for (what, keys) in &asked.keys {
        assert_eq!(described.get(what), Some(keys), "keys of {what}: in the schema, and in the decoder");
    }
    for what in described.keys().filter(|what| *what != OPEN) {
        assert!(asked.keys.contains_key(what), "the schema describes {what}, which no file has: add one");
    }
    let enums: BTreeSet<Vec<String>> = objects(&all)
        .iter()
        .filter_map(|object| object.get("enum").and_then(Value::as_array))
        .map(|words| {
            let mut words: Vec<_> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            words.sort();
            words
        })
        .collect();
    for words in &asked.words {
        assert!(enums.contains(words), "no `enum` of the schema has just the words {words:?}");
    }
}

#[test]
fn every_file_without_errors_fits_its_schema() {
    let files = files();
    let fine: Vec<&Read> =
        files.iter().filter(|file| file.found.iter().all(|found| found.severity == Severity::Warning)).collect();
    assert!(fine.len() > 50, "{}", fine.len());
    let refused: Vec<String> =
        fine.iter().filter_map(|file| Some(format!("{} {}", file.path, file.refusal()?))).collect();
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_keys_is_refused_by_the_schemas_too() {
    let wrong = [
        Code::UNKNOWN_KEY,
        Code::UNKNOWN_ACTION,
        Code::UNKNOWN_TRIGGER,
        Code::UNKNOWN_CONDITION,
        Code::UNKNOWN_STEP,
        Code::UNKNOWN_WORD,
        Code::SEVERAL_ACTIONS,
        Code::SEVERAL_TRIGGERS,
        Code::SEVERAL_CONDITIONS,
        Code::NO_TRIGGER,
        Code::NO_ACTION,
    ];
    let files = files();
    let broken: Vec<&Read> =
        files.iter().filter(|file| file.found.iter().any(|found| wrong.contains(&found.code))).collect();
    assert!(broken.len() > 20, "{}", broken.len());
    let accepted: Vec<&str> =
        broken.iter().filter(|file| file.refusal().is_none()).map(|file| file.path.as_str()).collect();
    assert_eq!(accepted, Vec::<&str>::new());
}

#[test]
fn each_definition_is_used_and_each_that_is_used_is_there() {
    let all = schema_of_all();
    let used: BTreeSet<&str> = references(&all).into_iter().collect();
    let there: BTreeSet<String> = definitions().keys().cloned().collect();
    assert!(there.len() > 50, "each file of definitions is JSON");
    assert_eq!(used, there.iter().map(String::as_str).collect());
}

#[test]
fn the_index_in_the_docs_has_each_key_and_word_and_no_other() {
    #[expect(clippy::disallowed_methods, reason = "a test reads files")]
    let index = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/language/index.md")).unwrap();
    let (keys, words) = index.split_once("\n## Words\n").unwrap();
    let listed = |part: &str| -> BTreeSet<String> {
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        rows.map(|(name, _)| name.to_owned()).collect()
    };
    let all = Value::Object(definitions());
    let mut known_keys = BTreeSet::new();
    let mut known_words = BTreeSet::new();
    for object in objects(&all) {
        let title = object.get("title").and_then(Value::as_str).filter(|title| *title != OPEN);
        if let (Some(_), Some(Value::Object(properties))) = (title, object.get("properties")) {
            known_keys.extend(properties.keys().cloned());
        }
        let words = object.get("enum").and_then(Value::as_array).into_iter().flatten();
        known_words.extend(words.filter_map(Value::as_str).map(str::to_owned));
    }
    assert_eq!(listed(keys), known_keys);
    assert_eq!(listed(words), known_words);
}
