//! What rules ask of the outside: requests and programs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::HttpCall;
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
}

impl Call {
    /// Returns what was asked, as tests write it: a map of a request, a list of a program and its arguments.
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
            CallKind::Exec(command) => {
                Value::List(Arc::new(command.iter().map(|part| Value::text(part.as_str())).collect()))
            }
        }
    }
}
