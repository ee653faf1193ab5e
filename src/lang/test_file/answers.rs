//! What the outside answers in a test: `http`, `exec` and `notify` actions go nowhere there.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::model::Payload;

/// The answers of a test, by URL, program or the name of a notification's target.
///
/// What has none is answered as one would wish: HTTP status 200 or exit status 0, with nothing in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(IndexMap<Arc<str>, (i64, Payload)>);

impl Answers {
    /// Adds the answer of `name`, a URL, a program or a target.
    pub fn insert(&mut self, name: Arc<str>, status: i64, body: Payload) {
        self.0.insert(name, (status, body));
    }

    /// Returns the status and body that `name` answers; `None` where the test says nothing.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(i64, Payload)> {
        self.0.get(name).cloned()
    }
}
