//! Puts each file in force by itself: one that doesn't load leaves its last good version in force, and the others don't wait.
//!
//! What is put in force loads as a whole. Where an unchanged file breaks since another one changed — a library, a scene, an id
//! that now stands in two files — the one that changed goes back, not the one that was good.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::disk::home_files::SETTINGS;
use crate::lang::{Diagnostic, Home, Secret, Severity, Source, Sources};

/// What is put in force of files as they are on the disk.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Settled {
    /// What is in force.
    pub(in crate::daemon) home: Home,
    /// Its files.
    pub(in crate::daemon) sources: Sources,
    /// What is wrong with the files on the disk.
    pub(in crate::daemon) diagnostics: Vec<Diagnostic>,
    /// The files that aren't in force as they are on the disk.
    pub(in crate::daemon) stale: BTreeMap<Arc<str>, Stale>,
}

/// Why a file isn't in force, and what is instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) struct Stale {
    pub(in crate::daemon) why: Why,
    /// Whether an earlier version of it is in force.
    pub(in crate::daemon) has_last_good: bool,
}

/// Why a file isn't in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) enum Why {
    /// It doesn't load, or another one doesn't because of it.
    Broken,
    /// It had rules, and is empty now: a save that was cut off, or a full disk.
    Emptied,
    /// The folder of the rules is gone.
    FolderGone,
}

impl Settled {
    /// Decides what of `disk` comes into force where `good` is in force, or was at the last stop.
    pub(in crate::daemon) fn of(disk: &Sources, good: &Sources, has_rules_folder: bool) -> Settled {
        let mut settling = Settling { good, wanted: disk.clone(), stale: BTreeMap::new() };
        // What went back may need secrets that are no longer asked for.
        for (key, secret) in good.iter().filter(|(key, _)| Secret::is_key(key)) {
            settling.wanted.entry(Arc::clone(key)).or_insert_with(|| secret.clone());
        }
        if !has_rules_folder {
            let gone = good.keys().filter(|path| is_file(path) && ***path != *SETTINGS && !disk.contains_key(*path));
            gone.for_each(|path| settling.go_back(path, Why::FolderGone));
        }
        let emptied =
            disk.iter().filter(|(path, source)| is_file(path) && is_blank(source) && had_content(good.get(*path)));
        for (path, _) in emptied {
            settling.go_back(path, Why::Emptied);
        }
        let mut on_disk = None;
        loop {
            let home = Home::load(&settling.wanted);
            // The first reading is of what is on the disk, but for what is empty or gone.
            let diagnostics = on_disk.get_or_insert_with(|| settling.blamed(&home.diagnostics)).clone();
            if !settling.go_back_of(&home.diagnostics) {
                let Settling { wanted, stale, .. } = settling;
                return Settled { home, sources: wanted, diagnostics, stale };
            }
        }
    }
}

struct Settling<'a> {
    good: &'a Sources,
    wanted: Sources,
    stale: BTreeMap<Arc<str>, Stale>,
}

impl Settling<'_> {
    fn is_changed(&self, path: &str) -> bool {
        self.wanted.get(path) != self.good.get(path)
    }

    /// Takes the last good version of a file, or none of it.
    fn go_back(&mut self, path: &Arc<str>, why: Why) {
        let last = self.good.get(path).cloned();
        self.stale.insert(Arc::clone(path), Stale { why, has_last_good: last.is_some() });
        match last {
            Some(last) => self.wanted.insert(Arc::clone(path), last),
            None => self.wanted.remove(path),
        };
    }

    fn go_back_all(&mut self) {
        let all: BTreeSet<Arc<str>> = self.wanted.keys().chain(self.good.keys()).cloned().collect();
        let changed: Vec<_> = all.into_iter().filter(|path| is_file(path) && self.is_changed(path)).collect();
        for path in &changed {
            self.go_back(path, Why::Broken);
        }
    }

    /// Goes back with the files that are to blame for the errors. Returns false where nothing is left to go back with.
    fn go_back_of(&mut self, diagnostics: &[Diagnostic]) -> bool {
        let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
        if errors.is_empty() {
            return false;
        }
        let named = |found: &&Diagnostic| {
            let files = [&found.label].into_iter().chain(&found.related).map(|label| Arc::clone(&label.file));
            files.collect::<Vec<_>>()
        };
        let first_changed =
            errors.iter().filter_map(|found| named(found).into_iter().find(|file| self.is_changed(file)));
        let to_blame: BTreeSet<Arc<str>> = first_changed.collect();
        if !to_blame.is_empty() {
            for path in &to_blame {
                self.go_back(path, Why::Broken);
            }
            return true;
        }
        // What broke reads from something that changed, which isn't named.
        let before = self.stale.len();
        self.go_back_all();
        self.stale.len() > before
    }

    /// Returns the findings, each at the file that changed where an unchanged one was named first.
    fn blamed(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let blamed = |found: &Diagnostic| {
            let mut found = found.clone();
            if found.severity == Severity::Error
                && !self.is_changed(&found.label.file)
                && let Some(other) = found.related.iter_mut().find(|label| self.is_changed(&label.file))
            {
                std::mem::swap(&mut found.label, other);
            }
            found
        };
        diagnostics.iter().map(blamed).collect()
    }
}

/// Returns whether it's a file's path, not the key of a secret.
fn is_file(path: &str) -> bool {
    !Secret::is_key(path)
}

pub(super) fn is_blank(source: &Source) -> bool {
    matches!(source, Source::Content(bytes) if bytes.iter().all(u8::is_ascii_whitespace))
}

fn had_content(source: Option<&Source>) -> bool {
    source.is_some_and(|source| matches!(source, Source::Content(_)) && !is_blank(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "rules: { first: { when: in, then: { to/out: a } } }\n";

    fn sources(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| ((*path).into(), Source::Content(text.as_bytes().into()))).collect()
    }

    /// The rules in force, and the files that aren't.
    fn settled(disk: &[(&str, &str)], good: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let settled = Settled::of(&sources(disk), &sources(good), true);
        let rules = settled.home.ruleset.entries.iter().map(|entry| entry.id().to_string()).collect();
        (rules, settled.stale.keys().map(ToString::to_string).collect())
    }

    #[test]
    fn a_broken_file_keeps_its_last_good_version_and_the_others_come_into_force() {
        let good = [("rules/a.yaml", A), ("rules/b.yaml", A)];
        let disk =
            [("rules/a.yaml", "rules: { first: { whne: in } }"), ("rules/b.yaml", &A.replace("first", "second"))];
        let (rules, stale) = settled(&disk, &good);
        assert_eq!(rules, ["a:first", "b:second"]);
        assert_eq!(stale, ["rules/a.yaml"]);
    }

    #[test]
    fn an_emptied_file_keeps_its_rules_until_it_says_that_it_has_none() {
        let good = [("rules/a.yaml", A)];
        assert_eq!(settled(&[("rules/a.yaml", " \n")], &good).0, ["a:first"]);
        assert_eq!(settled(&[("rules/a.yaml", "rules: {}")], &good), (vec![], vec![]));
        assert_eq!(settled(&[("rules/a.yaml", "")], &[]), (vec![], vec![]));
    }

    #[test]
    fn a_library_goes_back_where_what_reads_it_breaks() {
        let script = "import \"lib/light\" as light;\nlight::on(\"a\");\n";
        let library = "fn on(room) { rule(room, #{ when: room, then: || publish(\"x/y\", 1) }); }\n";
        let good = [("rules/a.rhai", script), ("rules/lib/light.rhai", library)];
        assert_eq!(settled(&good, &good).0, ["a:a"]);
        let (rules, stale) =
            settled(&[("rules/a.rhai", script), ("rules/lib/light.rhai", "fn off(room) { }\n")], &good);
        assert_eq!((rules, stale), (vec!["a:a".to_owned()], vec!["rules/lib/light.rhai".to_owned()]));
        // It is gone, and what reads it isn't.
        let (rules, stale) = settled(&[("rules/a.rhai", script)], &good);
        assert_eq!((rules, stale), (vec!["a:a".to_owned()], vec!["rules/lib/light.rhai".to_owned()]));
    }

    #[test]
    fn an_id_in_two_files_is_an_error_of_the_file_that_changed() {
        let good = [("rules/a.yml", "rules: {}"), ("rules/a.yaml", A)];
        let disk = sources(&[("rules/a.yml", A), ("rules/a.yaml", A)]);
        let settled = Settled::of(&disk, &sources(&good), true);
        assert_eq!(settled.stale.keys().map(AsRef::as_ref).collect::<Vec<_>>(), ["rules/a.yml"]);
        let error = settled.diagnostics.iter().find(|found| found.severity == Severity::Error).unwrap();
        assert_eq!(&*error.label.file, "rules/a.yml", "{error:?}");
        assert_eq!(settled.home.ruleset.entries.len(), 1);
    }

    #[test]
    fn a_new_file_that_is_broken_takes_no_other_with_it() {
        let disk = [("rules/a.yaml", A), ("rules/b.yaml", "rules: [")];
        assert_eq!(settled(&disk, &[]), (vec!["a:first".to_owned()], vec!["rules/b.yaml".to_owned()]));
    }
}
