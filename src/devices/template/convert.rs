//! Values in and out of the template engine: ours are lent to it, so that a message isn't copied for each template.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Jinja, ValueKind};

use super::python::write_repr;
use crate::model::{Map, Value};

#[derive(Debug)]
struct LentMap(Arc<Map>);

#[derive(Debug)]
struct LentList(Arc<Vec<Value>>);

/// Returns a value of ours for a template.
pub(super) fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(flag) => Jinja::from(*flag),
        Value::Int(number) => Jinja::from(*number),
        Value::Float(number) => Jinja::from(*number),
        Value::Text(text) => Jinja::from(Arc::clone(text)),
        Value::List(items) => Jinja::from_object(LentList(Arc::clone(items))),
        Value::Map(entries) => Jinja::from_object(LentMap(Arc::clone(entries))),
        Value::Blob(_) | Value::Time(_) => Jinja::from(value.to_string()),
    }
}

/// Returns a value of a template as ours; `None` for what is undefined, or nests too deep.
pub(super) fn from_jinja(value: &Jinja) -> Option<Value> {
    from_jinja_within(value, Value::DEEPEST)
}

fn from_jinja_within(value: &Jinja, levels: usize) -> Option<Value> {
    let levels = levels.checked_sub(1)?;
    Some(match value.kind() {
        ValueKind::Undefined => return None,
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => Value::Int(number),
            _ => Value::Float(f64::try_from(value.clone()).ok()?),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().ok()?;
            Value::List(Arc::new(items.map(|item| from_jinja_within(&item, levels)).collect::<Option<_>>()?))
        }
        ValueKind::Map => {
            let mut entries = Map::default();
            for key in value.try_iter().ok()? {
                let inner = value.get_item(&key).ok()?;
                entries.insert(key.to_string().into(), from_jinja_within(&inner, levels)?);
            }
            Value::Map(entries.into())
        }
        _ => Value::text(value.to_string()),
    })
}

/// Returns what Python's `str()` gives for a value of a template.
pub(super) fn text_of(value: &Jinja) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => from_jinja(value).map(|value| super::python_text(&value).into_owned()).unwrap_or_default(),
    }
}

impl Object for LentMap {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_str()?).map(to_jinja)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        self.0.get(key).map(to_jinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Jinja::from(Arc::clone(key))).collect())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_repr(&Value::Map(Arc::clone(&self.0)), &mut text);
        f.write_str(&text)
    }
}

impl Object for LentList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_usize()?).map(to_jinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_repr(&Value::List(Arc::clone(&self.0)), &mut text);
        f.write_str(&text)
    }
}
