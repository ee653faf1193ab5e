//! The libraries of a home, rules/lib/*.rhai: what expressions may call as `file::function(…)`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::{Module, Shared};

use super::script::Script;

/// A library.
#[derive(Debug, Clone)]
pub(in crate::script) struct Library {
    /// The name of its file.
    pub(in crate::script) name: Arc<str>,
    /// Its script.
    pub(in crate::script) script: Arc<Script>,
    /// Its functions, as Rhai calls them.
    pub(in crate::script) module: Shared<Module>,
}

/// All libraries, by the name of their file; `None`: it doesn't load.
#[derive(Debug, Default)]
pub(in crate::script) struct Libraries(Mutex<BTreeMap<Arc<str>, Option<Library>>>);

impl Libraries {
    /// Adds the library that a script is: `lib/lights` is called `lights`.
    pub(in crate::script) fn add(&self, script: &Arc<Script>, module: Shared<Module>) {
        let name: Arc<str> = name_of(&script.stem).into();
        let library = Library { name: Arc::clone(&name), script: Arc::clone(script), module };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Some(library));
    }

    /// Notes that the library `stem` is there, and doesn't load.
    pub(in crate::script) fn add_broken(&self, stem: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name_of(stem).into(), None);
    }

    /// Returns whether the library `name` is there, and doesn't load.
    pub(in crate::script) fn is_broken(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).is_some_and(Option::is_none)
    }

    /// Returns the library `name`.
    pub(in crate::script) fn find(&self, name: &str) -> Option<Library> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().flatten()
    }

    /// Returns the names of all.
    pub(in crate::script) fn names(&self) -> Vec<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

/// Returns the name of the library that a script is: `lights` of `lib/lights`.
fn name_of(stem: &str) -> &str {
    stem.rsplit('/').next().unwrap_or_default()
}
