//! The action `notify`: what is told to people (docs/notifications.md).

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

impl Notify {
    /// Returns the names of the targets that are written out.
    #[must_use]
    pub fn named_targets(&self) -> Vec<Name> {
        let text = |template: &Template| template.as_constant().and_then(|value| value.as_text().map(Name::from));
        match &self.targets {
            Template::Constant(crate::model::Value::List(names)) => {
                names.iter().filter_map(|name| name.as_text().map(Name::from)).collect()
            }
            Template::List(names) => names.iter().filter_map(text).collect(),
            other => text(other).into_iter().collect(),
        }
    }
}

/// An answer that a notification offers.
#[derive(Debug, Clone)]
pub struct NotifyButton {
    /// What stands on it.
    pub text: Template,
    /// The webhook that it is.
    pub webhook: Template,
}
