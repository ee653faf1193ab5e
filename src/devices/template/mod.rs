//! Templates of discovery: Jinja, as Home Assistant renders it.
//!
//! Most templates only pick a value (`{{ value_json.temperature }}`): those are recognized, read without an engine, and can be
//! written backwards. The rest runs in minijinja, bounded in steps, output and memory: a hostile template says nothing, and
//! nothing else comes of it.

mod convert;
mod engine;
mod filters;
mod growth;
mod methods;
mod numbers;
mod plain;
mod printf;
mod python;
mod regexes;

use std::sync::Arc;

use thiserror::Error;

use crate::model::{Payload, Value};

pub(super) use plain::Plain;
pub(super) use python::python_text;

/// The longest template that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// A template that parses.
#[derive(Debug, Clone)]
pub struct Template {
    source: Arc<str>,
    plain: Option<Plain>,
    growth: u64,
}

/// Why a template can't be read, or gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// It isn't Jinja.
    #[error("the template `{template}` doesn't parse: {reason}")]
    Syntax {
        /// How it begins.
        template: String,
        /// What the parser said.
        reason: String,
    },
    /// It is longer than any that a device needs.
    #[error("a template can't be longer than 64 KiB")]
    TooLong,
    /// It ran for too many steps.
    #[error("the template `{0}` takes more than 10,000 steps")]
    TooManySteps(String),
    /// It wrote too much, or would need too much memory.
    #[error("the template `{0}` gives more than 64 KiB")]
    TooMuch(String),
    /// It uses what isn't known here.
    #[error("the template `{template}` can't be used: {reason}")]
    Unknown {
        /// How it begins.
        template: String,
        /// Which filter, function or test is missing.
        reason: String,
    },
    /// This message has nothing for it: a key that is missing, a text where a number is wanted.
    #[error("the template has nothing for this message")]
    NothingSaid,
}

impl TemplateError {
    /// Returns whether the template itself is at fault, whatever the message.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, TemplateError::NothingSaid)
    }
}

impl Template {
    /// Returns `source` as a template.
    ///
    /// # Errors
    /// When it doesn't parse, or is too long.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        if source.len() > LONGEST {
            return Err(TemplateError::TooLong);
        }
        if let Some(plain) = Plain::parse(source) {
            return Ok(Template { source: source.into(), plain: Some(plain), growth: 1 });
        }
        engine::check(source)?;
        Ok(Template { source: source.into(), plain: None, growth: growth::bound(source) })
    }

    /// Returns the template's text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns what the template picks, where that is all it does.
    #[must_use]
    pub fn plain(&self) -> Option<&Plain> {
        self.plain.as_ref()
    }

    /// Returns what the template makes of a message; a result that is empty or `None` says nothing.
    ///
    /// # Errors
    /// When it says nothing, or ran beyond its bounds.
    pub fn read(&self, payload: &Payload) -> Result<Value, TemplateError> {
        if let Some(plain) = &self.plain {
            return plain.read(payload).ok_or(TemplateError::NothingSaid);
        }
        let text = payload.text().ok_or(TemplateError::NothingSaid)?;
        let mut variables = vec![("value", Value::text(text))];
        // Only what JSON can say is there as `value_json`.
        let value = payload.value();
        if !text.trim().is_empty() && !matches!(value, Value::Blob(_)) && !is_bare_text(value, text) {
            variables.push(("value_json", value.clone()));
        }
        let rendered = self.render(&variables)?;
        match rendered.trim() {
            "" | "None" => Err(TemplateError::NothingSaid),
            said => Ok(Value::text(said)),
        }
    }

    /// Returns what the template makes of these variables, as it is.
    ///
    /// # Errors
    /// When a variable doesn't fit, or it ran beyond its bounds.
    pub fn render(&self, variables: &[(&str, Value)]) -> Result<String, TemplateError> {
        let size: usize = variables.iter().map(|(_, value)| size(value)).sum();
        let bytes = self.growth.saturating_mul(u64::try_from(size).unwrap_or(u64::MAX).max(64));
        if bytes > growth::MOST_BYTES {
            return Err(TemplateError::TooMuch(beginning(&self.source)));
        }
        engine::render(&self.source, variables)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Template) -> bool {
        self.source == other.source
    }
}

/// Returns whether the payload was no JSON, so that it was read as its own text.
fn is_bare_text(value: &Value, text: &str) -> bool {
    matches!(value, Value::Text(value) if **value == *text)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 8,
    }
}

/// Returns how a template begins, for messages.
fn beginning(source: &str) -> String {
    const LONGEST_SHOWN: usize = 60;
    let mut letters = source.chars();
    let shown: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() { format!("{shown}…") } else { shown }
}
