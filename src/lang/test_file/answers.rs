//! What the outside answers in a test: `http` and `exec` actions go nowhere there.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::model::Payload;

/// The answers of a test, by URL or program.
///
/// What has none is answered as a notification would be: HTTP status 200 or exit status 0, with nothing in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(IndexMap<Arc<str>, (i64, Payload)>);

impl Answers {
    /// Adds the answer of `name`, a URL or a program.
    pub fn insert(&mut self, name: Arc<str>, status: i64, body: Payload) {
        self.0.insert(name, (status, body));
    }

    /// Returns the status and body that `name` answers; `None` where the test says nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(i64, Payload)> {
        self.0.get(name).cloned()
    }
}
