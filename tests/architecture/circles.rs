//! No files know each other in a large circle, in one room or across several: such files can't be read one by one.
//!
//! A file knows those whose items it imports, through re-exports too: `use crate::engine::Cause` is the file of `Cause`. What a
//! `mod.rs` re-exports, it doesn't know for that.

use std::collections::{BTreeMap, BTreeSet};

use super::sources;

/// Files that know each other in a larger circle can't be read one by one.
const LARGEST_CIRCLE: usize = 3;

/// The loop, and what it is handed: a request is a function of the loop, so those who ask and the loop know each other.
const THE_LOOP: &str = "daemon/";

/// An import: its path, the name that it has here, and whether it is handed on.
struct Import {
    path: Vec<String>,
    name: String,
    is_public: bool,
}

/// The files of the source, and what each imports.
struct House(BTreeMap<String, Vec<Import>>);

impl House {
    fn read() -> House {
        let is_test = |path: &str| path.contains("/tests") || path.ends_with("tests.rs");
        let files =
            sources("src").into_iter().map(|(path, text)| (path.strip_prefix("src/").unwrap().to_owned(), text));
        let files = files.filter(|(path, _)| !is_test(path));
        House(files.map(|(path, text)| (path, imports(text.split("#[cfg(test)]").next().unwrap()))).collect())
    }

    /// The whole path of an import of `file`, from the crate's root; `None` for one of another crate.
    fn whole(&self, file: &str, path: &[String]) -> Option<Vec<String>> {
        let own = module(file);
        let joined = |own: &[String], rest: &[String]| own.iter().chain(rest).cloned().collect();
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some(joined(&own, &path[1..])),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                Some(joined(&own[..own.len() - up], &path[up..]))
            }
            _ => {
                let child = joined(&own, &path[..1]).join("/");
                let is_child =
                    self.0.contains_key(&format!("{child}.rs")) || self.0.contains_key(&format!("{child}/mod.rs"));
                (file.ends_with("mod.rs") && is_child).then(|| joined(&own, path))
            }
        }
    }

    /// The file that defines what is imported by its whole path.
    fn defining(&self, path: &[String]) -> Option<String> {
        for length in (1..=path.len()).rev() {
            let folder = path[..length].join("/");
            if self.0.contains_key(&format!("{folder}.rs")) {
                return Some(format!("{folder}.rs"));
            }
            let room = format!("{folder}/mod.rs");
            let Some(imports) = self.0.get(&room) else { continue };
            let handed_on = path.get(length).and_then(|name| {
                let import = imports.iter().find(|import| import.is_public && import.name == *name)?;
                self.defining(&self.whole(&room, &import.path)?)
            });
            return Some(handed_on.unwrap_or(room));
        }
        None
    }

    /// The files that each file knows.
    fn known(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let known = self.0.iter().map(|(file, imports)| {
            let own = imports.iter().filter(|import| !(import.is_public && file.ends_with("mod.rs")));
            let found = own.filter_map(|import| self.defining(&self.whole(file, &import.path)?));
            (file.as_str(), found.filter(|other| other != file).collect())
        });
        known.collect()
    }
}

/// The path of a file's module.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The imports of a file.
fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((line, behind)) = rest.split_once('\n') {
        let start = line.trim_start();
        let is_public = start.starts_with("pub");
        let used = start.split_once("use ").filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
        if let Some((_, first)) = used {
            let from = rest.len() - behind.len() - 1 - first.len();
            let statement = rest.get(from..).unwrap().split(';').next().unwrap();
            expand(&[], statement, is_public, &mut found);
        }
        rest = behind;
    }
    found
}

/// Writes out the braces of an import.
fn expand(before: &[String], text: &str, is_public: bool, found: &mut Vec<Import>) {
    let text = text.trim();
    let Some((prefix, group)) = text.split_once('{') else {
        let (path, name) = text.split_once(" as ").unwrap_or((text, text.rsplit("::").next().unwrap()));
        let path: Vec<String> = before.iter().cloned().chain(parts(path)).collect();
        if !path.is_empty() {
            found.push(Import { path, name: name.trim().to_owned(), is_public });
        }
        return;
    };
    let prefix: Vec<String> = before.iter().cloned().chain(parts(prefix)).collect();
    let group = group.trim_end().trim_end_matches('}');
    let (mut depth, mut from) = (0, 0);
    for (at, letter) in group.char_indices().chain([(group.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, group.get(from..at).unwrap(), is_public, found);
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// The files that can be reached from `file`, itself too where there is a way back.
fn reached<'a>(file: &str, known: &'a BTreeMap<&str, BTreeSet<String>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = vec![known.get_key_value(file).unwrap().0];
    while let Some(next) = open.pop() {
        open.extend(known[next].iter().map(String::as_str).filter(|other| reached.insert(*other)));
    }
    reached
}

#[test]
fn no_files_form_a_large_circle() {
    let house = House::read();
    let known = house.known();
    let way: BTreeMap<&str, BTreeSet<&str>> = known.keys().map(|file| (*file, reached(file, &known))).collect();
    let circles: BTreeSet<Vec<&str>> = known
        .keys()
        .map(|file| way[file].iter().copied().filter(|other| way[other].contains(file)).collect::<Vec<_>>())
        .filter(|circle| circle.len() > LARGEST_CIRCLE && !circle.iter().all(|file| file.starts_with(THE_LOOP)))
        .collect();
    assert_eq!(circles, BTreeSet::new());
}

#[test]
fn an_import_is_followed_to_the_file_that_defines_it() {
    let house = House::read();
    let known = house.known();
    let knows = |file: &str, other: &str| assert!(known[file].contains(other), "{file} knows {:?}", known[file]);
    // `use crate::model::{…}`, handed on by `model/mod.rs` and `model/topic/mod.rs`.
    knows("engine/dispatch.rs", "model/topic/mod.rs");
    knows("engine/dispatch.rs", "model/message.rs");
    knows("engine/engine.rs", "engine/core.rs");
    knows("engine/trace/record.rs", "engine/trace/cause.rs");
    assert!(!known["engine/trace/mod.rs"].contains("engine/trace/cause.rs"), "it only hands it on");
}

/// The parts of a path.
fn parts(path: &str) -> impl Iterator<Item = String> + '_ {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}
