//! Who speaks.

use std::sync::Arc;

/// Who speaks: a client that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's name; `None`: anonymous.
    pub user: Option<Arc<str>>,
    /// The client's identifier.
    pub client: Arc<str>,
}

impl Identity {
    /// Returns whether one of its names holds a wildcard: put into a pattern, `+` as a user would stand for all users.
    pub(super) fn has_wildcard(&self) -> bool {
        let has_wildcard = |text: &str| text.contains(['+', '#']);
        has_wildcard(&self.client) || self.user.as_deref().is_some_and(has_wildcard)
    }
}
