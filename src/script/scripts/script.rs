//! A script: a Rhai file, compiled, with its outline and what it imports.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rhai::{GlobalRuntimeState, Position};

use crate::model::PlacedText;

use crate::model::Fingerprint;
use crate::script::source::outline::{CallOutline, ClosureOutline, Outline};

/// A Rhai file, compiled.
pub(in crate::script) struct Script {
    /// Its path under the folder of the rules, without its ending: `lib/lights`.
    pub(in crate::script) stem: Arc<str>,
    /// Its text.
    pub(in crate::script) source: PlacedText,
    /// What stands where.
    pub(in crate::script) outline: Outline,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// The number of each closure and function, by the name that Rhai gives it.
    ordinals: BTreeMap<String, usize>,
    /// The scripts that it imports, by their path.
    pub(in crate::script) imports: BTreeMap<String, Arc<Script>>,
    /// What its code sees when it is called: its functions, constants and imports. Set once it has been run.
    pub(in crate::script) state: OnceLock<GlobalRuntimeState>,
    /// Whether its code may nest values without end, once that was asked.
    pub(in crate::script) may_nest: OnceLock<bool>,
}

impl Script {
    /// Returns the script that `ast` was compiled to from `source`.
    pub(in crate::script) fn new(
        stem: Arc<str>,
        source: PlacedText,
        ast: &rhai::AST,
        imports: BTreeMap<String, Arc<Script>>,
    ) -> Script {
        let text = source.as_str();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        let outline = Outline::new(text);
        let mut script = Script {
            stem,
            outline,
            lines,
            ordinals: BTreeMap::new(),
            imports,
            state: OnceLock::new(),
            may_nest: OnceLock::new(),
            source,
        };
        for function in ast.iter_fn_def() {
            let ordinal =
                script.offset(function.body.start_position()).and_then(|at| script.outline.closure_around(at));
            if let Some(ordinal) = ordinal {
                script.ordinals.insert(function.name.to_string(), ordinal);
            }
        }
        script
    }

    /// Returns its file's path, relative to the home.
    pub(in crate::script) fn file(&self) -> Arc<str> {
        self.source.place(0).file
    }

    /// Returns the byte at which Rhai's `position` stands; `None` where it has none.
    pub(in crate::script) fn offset(&self, position: Position) -> Option<usize> {
        offset_in(self.source.as_str(), &self.lines, position)
    }

    /// Returns the closure or function that Rhai calls `name`, in this script or in one that it imports.
    pub(in crate::script) fn find(self: &Arc<Self>, name: &str) -> Option<(Arc<Script>, usize)> {
        if let Some(ordinal) = self.ordinals.get(name) {
            return Some((Arc::clone(self), *ordinal));
        }
        self.imports.values().find_map(|import| import.find(name))
    }

    /// Returns what Rhai calls the closure or function `ordinal`.
    pub(in crate::script) fn name_of(&self, ordinal: usize) -> Option<&str> {
        self.ordinals.iter().find(|(_, known)| **known == ordinal).map(|(name, _)| name.as_str())
    }

    /// Returns the functions that others may call, with how many arguments they take.
    pub(in crate::script) fn functions(&self) -> impl Iterator<Item = (&str, usize)> {
        let closures = self.ordinals.iter().filter(|(name, _)| !name.contains('$'));
        closures.filter_map(|(name, ordinal)| {
            let function = self.outline.closures.get(*ordinal)?;
            (!function.is_private).then_some((name.as_str(), function.parameters.len()))
        })
    }

    /// Returns the number of the function `name` with so many parameters.
    pub(in crate::script) fn ordinal_of(&self, name: &str, parameters: usize) -> Option<usize> {
        self.outline.function(name, parameters)
    }

    /// Returns whether the closure or function `ordinal` may call `word`, directly or by what it calls.
    pub(in crate::script) fn reaches(&self, ordinal: usize, word: &str) -> bool {
        let imported = |path: &str| self.imports.get(path).is_some_and(|import| import.calls_anywhere(word));
        self.outline.reaches(ordinal, word, &imported)
    }

    fn calls_anywhere(&self, word: &str) -> bool {
        self.outline.has_word(word) || self.imports.values().any(|import| import.calls_anywhere(word))
    }

    /// Returns what `find` finds of the calls that the closure or function `ordinal` makes, by itself or by what it calls.
    pub(in crate::script) fn reached_call<T>(
        &self,
        ordinal: usize,
        find: &dyn Fn(&CallOutline) -> Option<T>,
    ) -> Option<T> {
        let imported = |path: &str| self.imports.get(path).and_then(|import| import.call_anywhere(find));
        self.outline.reached_call(ordinal, find, &imported)
    }

    pub(in crate::script) fn call_anywhere<T>(&self, find: &dyn Fn(&CallOutline) -> Option<T>) -> Option<T> {
        let own = self.outline.calls().iter().find_map(find);
        own.or_else(|| self.imports.values().find_map(|import| import.call_anywhere(find)))
    }

    /// Returns the hash of the whole script with all that it imports.
    pub(in crate::script) fn hash(&self) -> u64 {
        self.whole_fingerprint()
    }

    /// Returns this script, or one that it imports, by its path.
    pub(in crate::script) fn by_stem(self: &Arc<Self>, stem: &str) -> Option<Arc<Script>> {
        if *self.stem == *stem {
            return Some(Arc::clone(self));
        }
        self.imports.values().find_map(|import| import.by_stem(stem))
    }

    /// Returns this script, or one that it imports, by its file.
    pub(in crate::script) fn by_file(self: &Arc<Self>, file: &str) -> Option<Arc<Script>> {
        if *self.source.place(0).file == *file {
            return Some(Arc::clone(self));
        }
        self.imports.values().find_map(|import| import.by_file(file))
    }

    /// Returns the outline of the closure `ordinal`.
    pub(in crate::script) fn closure(&self, ordinal: usize) -> Option<&ClosureOutline> {
        self.outline.closures.get(ordinal)
    }

    /// Returns the hash of what the closure `ordinal` means.
    pub(in crate::script) fn fingerprint(&self, ordinal: usize) -> u64 {
        let imported = |path: &str| self.imports.get(path).map_or(0, |import| import.whole_fingerprint());
        self.outline.fingerprint(ordinal, &imported)
    }

    /// Returns the hash of the whole script with all that it imports.
    fn whole_fingerprint(&self) -> u64 {
        let mut hash = Fingerprint::new();
        hash.number(self.outline.whole());
        self.imports.values().for_each(|import| hash.number(import.whole_fingerprint()));
        hash.value()
    }

    /// Returns where the token at `offset` stands.
    pub(in crate::script) fn token_at(&self, offset: usize) -> Range<usize> {
        crate::script::source::chain::token_at(self.source.as_str(), offset)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("stem", &self.stem).finish_non_exhaustive()
    }
}

/// Returns the byte of `text` at which `position` stands, where its lines begin at `lines`.
pub(in crate::script) fn offset_in(text: &str, lines: &[usize], position: Position) -> Option<usize> {
    let line = *lines.get(position.line()?.checked_sub(1)?)?;
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let rest = text.get(line..)?;
    Some(line + rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset))
}
