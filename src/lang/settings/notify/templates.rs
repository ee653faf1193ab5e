//! Templates in homerule.yaml: the texts of a target, which may read what is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::reader::Reader;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::{Map, PlacedText, Value};
use crate::rules::NOTICE_VARIABLES;
use crate::script::{ExpressionErrorKind, Names, Sandbox, Template};

/// Reads templates that may read what a notification says, and nothing of a rule.
pub(super) struct Templates {
    sandbox: Sandbox,
    names: Names,
    /// Texts that are no templates, whatever they contain.
    secrets: BTreeSet<Arc<str>>,
}

impl Templates {
    pub(super) fn new(sandbox: Sandbox, secrets: BTreeSet<Arc<str>>) -> Templates {
        let names = Names {
            variables: NOTICE_VARIABLES.into_iter().map(Arc::from).collect(),
            unset: BTreeSet::from(["wait", "repeat", "http", "event"]),
            no_message: true,
            ..Names::default()
        };
        Templates { sandbox, names, secrets }
    }

    /// Returns a template of any value.
    pub(super) fn value(&self, node: &Node, reader: &mut Reader<'_>) -> Option<Template> {
        match &node.kind {
            NodeKind::Closure(_) => {
                reader.wrong_type(node, "a value");
                None
            }
            NodeKind::Scalar(scalar) => {
                let is_text = matches!(scalar.value, Value::Text(_)) && scalar.text.as_str().contains("${");
                if is_text && !self.secrets.contains(scalar.text.as_str()) {
                    return self.compile(&scalar.text, reader);
                }
                Some(Template::Constant(scalar.value.clone()))
            }
            NodeKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item, reader)).collect();
                Some(list(items.into_iter().collect::<Option<_>>()?))
            }
            NodeKind::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|entry| self.entry(entry, reader)).collect();
                Some(map(entries.into_iter().collect::<Option<_>>()?))
            }
        }
    }

    /// Returns a template of a text.
    pub(super) fn text(&self, node: &Node, expected: &str, reader: &mut Reader<'_>) -> Option<Template> {
        let scalar = reader.scalar(node, expected)?;
        match &scalar.value {
            Value::Text(_) => self.value(node, reader),
            _ => Some(Template::Constant(Value::text(scalar.text.as_str()))),
        }
    }

    /// Returns a key and its value.
    pub(super) fn entry(&self, entry: &Entry, reader: &mut Reader<'_>) -> Option<(Template, Template)> {
        let key = if entry.key.as_str().contains("${") {
            self.compile(&entry.key, reader)
        } else {
            Some(Template::Constant(Value::text(entry.key.as_str())))
        };
        let value = self.value(&entry.value, reader);
        Some((key?, value?))
    }

    fn compile(&self, text: &PlacedText, reader: &mut Reader<'_>) -> Option<Template> {
        match self.sandbox.compile_text(text, &self.names) {
            Ok(template) => Some(template),
            Err(mut error) => {
                if error.kind == ExpressionErrorKind::UnknownVariable && error.near.is_none() {
                    let known = NOTICE_VARIABLES.map(|name| format!("`{name}`")).join(", ");
                    let name = text.as_str().get(error.at.clone()).unwrap_or_default();
                    error.message = format!("a target can't read `{name}`");
                    error.help = Some(format!("it can read {known}, and what a rule says in its `message`"));
                }
                reader.expression_error(text, &error);
                None
            }
        }
    }
}

fn list(items: Vec<Template>) -> Template {
    let constants: Option<Vec<Value>> = items.iter().map(|item| item.as_constant().cloned()).collect();
    match constants {
        Some(values) => Template::Constant(Value::List(Arc::new(values))),
        None => Template::List(items),
    }
}

fn map(entries: Vec<(Template, Template)>) -> Template {
    let constant = |(key, value): &(Template, Template)| {
        Some((Arc::from(key.as_constant()?.as_text()?), value.as_constant()?.clone()))
    };
    let constants: Option<Map> = entries.iter().map(constant).collect();
    match constants {
        Some(map) => Template::Constant(Value::Map(Arc::new(map))),
        None => Template::Map(entries),
    }
}
