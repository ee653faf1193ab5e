//! A part of a file: what it is, and where.

use std::sync::Arc;

use crate::lang::import::home_assistant::report::Reason;

use super::scalar::Value;

/// Where a part of a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lang::import::home_assistant) struct Place {
    /// The file, relative to the configuration.
    pub(in crate::lang::import::home_assistant) file: Arc<str>,
    /// Its first line, from 1.
    pub(in crate::lang::import::home_assistant) line: usize,
    /// Its last line.
    pub(in crate::lang::import::home_assistant) end: usize,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Node {
    pub(in crate::lang::import::home_assistant) place: Place,
    pub(in crate::lang::import::home_assistant) kind: Kind,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    /// Each key once: of two, the last counts.
    Map(Vec<Entry>),
    /// Something with a tag, such as `!include`, that isn't resolved yet.
    Tagged(Arc<str>, Box<Node>),
    /// Something that can't be read, for this reason.
    Broken(Arc<Reason>),
}

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Scalar {
    /// The text, without quotes.
    pub(in crate::lang::import::home_assistant) text: Arc<str>,
    /// What it is read as.
    pub(in crate::lang::import::home_assistant) value: Value,
    /// The name of the secret or environment variable that it comes from.
    pub(in crate::lang::import::home_assistant) secret: Option<Secret>,
}

/// Where a secret value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) enum Secret {
    /// `!secret NAME`.
    Named(Arc<str>),
    /// `!env_var NAME`.
    Environment(Arc<str>),
}

/// A key of a map, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) struct Entry {
    pub(in crate::lang::import::home_assistant) key: Node,
    pub(in crate::lang::import::home_assistant) value: Node,
}

impl Node {
    /// Returns a text that stands at `place`.
    pub(in crate::lang::import::home_assistant) fn text_at(place: &Place, text: &str) -> Node {
        let scalar = Scalar { text: text.into(), value: Value::Text, secret: None };
        Node { place: place.clone(), kind: Kind::Scalar(scalar) }
    }

    /// Returns a list of `items` that stands at `place`.
    pub(in crate::lang::import::home_assistant) fn list_at(place: &Place, items: Vec<Node>) -> Node {
        Node { place: place.clone(), kind: Kind::List(items) }
    }

    /// Returns the map of these keys, each text.
    pub(in crate::lang::import::home_assistant) fn map_at(place: &Place, entries: Vec<(&str, Node)>) -> Node {
        let entries = entries.into_iter().map(|(key, value)| Entry { key: Node::text_at(place, key), value }).collect();
        Node { place: place.clone(), kind: Kind::Map(entries) }
    }

    pub(in crate::lang::import::home_assistant) fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Returns the text, if it's read as text.
    pub(in crate::lang::import::home_assistant) fn as_text(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| scalar.value == Value::Text).map(|scalar| &*scalar.text)
    }

    /// Returns any single value as Home Assistant's `cv.string` would: numbers and dates as they stand, booleans as Python
    /// writes them.
    pub(in crate::lang::import::home_assistant) fn to_text(&self) -> Option<String> {
        let scalar = self.as_scalar()?;
        match &scalar.value {
            Value::Null => None,
            Value::Bool(value) => Some(if *value { "True" } else { "False" }.to_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::Float(number) => Some(super::scalar::python_float(*number)),
            Value::Text | Value::Date => Some(scalar.text.to_string()),
        }
    }

    pub(in crate::lang::import::home_assistant) fn as_list(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub(in crate::lang::import::home_assistant) fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns its items: those of a list, nothing of null, and anything else is an item alone.
    pub(in crate::lang::import::home_assistant) fn items(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::List(items) => items.iter().collect(),
            _ if self.is_null() => Vec::new(),
            _ => vec![self],
        }
    }

    /// Returns the value of a map's key.
    pub(in crate::lang::import::home_assistant) fn get(&self, key: &str) -> Option<&Node> {
        let entries = self.as_map()?;
        entries.iter().find(|entry| entry.key.as_scalar().is_some_and(|scalar| &*scalar.text == key)).map(|e| &e.value)
    }

    pub(in crate::lang::import::home_assistant) fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|scalar| scalar.value == Value::Null)
    }

    pub(in crate::lang::import::home_assistant) fn as_bool(&self) -> Option<bool> {
        match self.as_scalar()?.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the number, if it's read as one.
    pub(in crate::lang::import::home_assistant) fn as_number(&self) -> Option<f64> {
        match self.as_scalar()?.value {
            #[expect(clippy::cast_precision_loss, reason = "nobody writes such large ones")]
            Value::Int(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        }
    }

    /// Calls `visit` with each part, from the outermost.
    pub(in crate::lang::import::home_assistant) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        match &self.kind {
            Kind::Scalar(_) | Kind::Broken(_) => {}
            Kind::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Kind::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
            Kind::Tagged(_, inner) => inner.walk(visit),
        }
    }

    /// Returns the first part that can't be read, with the reason.
    pub(in crate::lang::import::home_assistant) fn broken(&self) -> Option<(&Place, &Reason)> {
        let mut found = None;
        self.walk(&mut |node| {
            if let Kind::Broken(reason) = &node.kind {
                found = found.or(Some((&node.place, &**reason)));
            }
        });
        found
    }
}

impl Entry {
    /// Returns the key as text.
    pub(in crate::lang::import::home_assistant) fn name(&self) -> &str {
        self.key.as_scalar().map_or("", |scalar| &*scalar.text)
    }
}
