//! What is told, and what wasn't.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Map, Name, RuleId, Value};

/// What a rule tells one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// To whom.
    pub target: Name,
    /// The rule that tells it.
    pub rule: RuleId,
    /// When.
    pub at: Timestamp,
    /// Its title; empty where it has none.
    pub title: String,
    /// What.
    pub message: String,
    /// How urgent it is, from 1 to 5; `None`: as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Words or emoji that are shown with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What can be answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<NoticeButton>,
}

/// An answer that a notice offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeButton {
    /// What stands on it.
    pub text: String,
    /// The webhook that it is.
    pub webhook: Name,
}

/// A notice that its target never got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// What was to be told.
    pub notice: Notice,
    /// When it was given up.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why, in words.
    pub reason: String,
}

/// The usual priority.
const USUAL: u8 = 3;

impl Notice {
    /// Returns about how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let tags: usize = self.tags.iter().map(String::len).sum();
        let buttons: usize = self.buttons.iter().map(|button| button.text.len() + button.webhook.len()).sum();
        self.title.len() + self.message.len() + tags + buttons
    }

    /// Returns what the texts of a target may read. `urls` are where its buttons lead, as far as they lead anywhere.
    pub(super) fn variables(&self, urls: &[Option<String>]) -> Map {
        let tags = self.tags.iter().map(|tag| Value::text(tag.as_str())).collect();
        let button = |(button, url): (&NoticeButton, &Option<String>)| {
            let mut entries = Map::default();
            entries.insert("text".into(), Value::text(button.text.as_str()));
            entries.insert("webhook".into(), Value::Text(button.webhook.clone()));
            if let Some(url) = url {
                entries.insert("url".into(), Value::text(url.as_str()));
            }
            Value::Map(entries.into())
        };
        let buttons = self.buttons.iter().zip(urls).map(button).collect::<Vec<_>>();
        let entries: [(&str, Value); 5] = [
            ("title", Value::text(self.title.as_str())),
            ("message", Value::text(self.message.as_str())),
            ("priority", Value::Int(i64::from(self.priority.unwrap_or(USUAL)))),
            ("tags", Value::List(std::sync::Arc::new(tags))),
            ("buttons", Value::List(buttons.into())),
        ];
        entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
    }
}
