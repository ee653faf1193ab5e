//! `notify`: what is told to people (docs/notifications.md).

use crate::model::Name;
use crate::script::Template;

/// A notification.
#[derive(Debug, Clone)]
pub struct Notify {
    /// To whom: the name of a target, or a list of them.
    pub targets: Template,
    /// What.
    pub message: Template,
    /// Its title.
    pub title: Option<Template>,
    /// How urgent it is, from 1 to 5.
    pub priority: Option<Template>,
    /// Words or emoji that targets show with it: a list of texts.
    pub tags: Option<Template>,
    /// What can be answered.
    pub buttons: Vec<NotifyButton>,
}

/// An answer that a notification offers.
#[derive(Debug, Clone)]
pub struct NotifyButton {
    /// What stands on it.
    pub text: Template,
    /// The webhook that it is.
    pub webhook: Name,
}
