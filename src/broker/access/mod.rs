//! Who may do what.

use std::sync::Arc;

use crate::model::Topic;

use super::filter::Filter;

/// Who speaks: a client that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's name; `None`: anonymous.
    pub user: Option<Arc<str>>,
    /// The client's identifier.
    pub client: Arc<str>,
}

/// What clients may do.
#[derive(Debug, Clone, Default)]
pub struct Acl(());

impl Acl {
    /// Returns rules by which each client that was let in may do all.
    #[must_use]
    pub fn open() -> Acl {
        Acl::default()
    }

    /// Returns whether `who` may publish to `topic`.
    #[must_use]
    pub fn may_publish(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }

    /// Returns whether a message on `topic` may be delivered to `who`.
    #[must_use]
    pub fn may_receive(&self, _who: &Identity, _topic: &Topic) -> bool {
        true
    }

    /// Returns whether anything that `filter` matches may be delivered to `who`.
    #[must_use]
    pub fn may_subscribe(&self, _who: &Identity, _filter: &Filter) -> bool {
        true
    }
}
