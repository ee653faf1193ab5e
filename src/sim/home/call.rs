//! What rules ask of the outside: requests, programs and notifications.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::{HttpCall, Notice};
use crate::model::{Map, Value};

/// Something that a rule asked of the outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: CallKind,
}

/// The kinds of calls.
#[derive(Debug, Clone, PartialEq)]
pub enum CallKind {
    /// An HTTP request.
    Http(HttpCall),
    /// A program, then its arguments.
    Exec(Vec<String>),
    /// A notification, and the place of its publication among all of them, where its target is a topic.
    Notify(Box<Notice>, Option<usize>),
}

impl Call {
    /// Returns what was asked, as tests write it: a map of a request or a notification, a list of a program and its arguments.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            CallKind::Http(call) => {
                let headers: Map = call
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), Value::text(value.as_str())))
                    .collect();
                let entries: [(&str, Value); 4] = [
                    ("method", Value::text(call.method.as_str())),
                    ("url", Value::text(call.url.as_str())),
                    ("headers", Value::Map(Arc::new(headers))),
                    ("body", Value::from_payload(&call.body)),
                ];
                let entries: Map = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
                Value::Map(Arc::new(entries))
            }
            CallKind::Notify(notice, _) => told(notice),
            CallKind::Exec(command) => {
                Value::List(Arc::new(command.iter().map(|part| Value::text(part.as_str())).collect()))
            }
        }
    }
}

/// Returns what a target was told.
fn told(notice: &Notice) -> Value {
    let texts = |texts: &[String]| Value::List(Arc::new(texts.iter().map(|text| Value::text(text.as_str())).collect()));
    let button = |button: &crate::engine::NoticeButton| {
        let entries = [("text", Value::text(button.text.as_str())), ("webhook", Value::Text(button.webhook.clone()))];
        Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    };
    let mut entries: Vec<(&str, Value)> = vec![
        ("target", Value::Text(notice.target.clone())),
        ("message", Value::text(notice.message.as_str())),
        ("title", Value::text(notice.title.as_str())),
    ];
    if let Some(priority) = notice.priority {
        entries.push(("priority", Value::Int(i64::from(priority))));
    }
    if !notice.tags.is_empty() {
        entries.push(("tags", texts(&notice.tags)));
    }
    if !notice.buttons.is_empty() {
        entries.push(("buttons", Value::List(Arc::new(notice.buttons.iter().map(button).collect()))));
    }
    let entries: Map = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
    Value::Map(Arc::new(entries))
}
