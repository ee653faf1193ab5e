//! A written rule as plain data, without its comments.

use serde_json::{Map, Value as Json};

use crate::lang::import::home_assistant::write::Doc;

/// Returns what a reader of the YAML gets; comments are nothing.
pub(super) fn plain(doc: &Doc) -> Json {
    match doc {
        Doc::Value(value) => value.clone(),
        Doc::Map(entries) | Doc::Inline(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_comment());
            Json::Object(entries.map(|(key, value)| (key.clone(), plain(value))).collect::<Map<_, _>>())
        }
        Doc::List(items) | Doc::InlineList(items) => {
            items.iter().filter(|item| !item.is_comment()).map(plain).collect()
        }
        Doc::Noted(_, inner) => plain(inner),
        Doc::Comment(_) => Json::Null,
    }
}

/// Returns the items of a list; anything else is its only item, and null none.
pub(super) fn items(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(items) => items.iter().collect(),
        Json::Null => Vec::new(),
        other => vec![other],
    }
}

/// Returns the text at a key.
pub(super) fn text<'v>(value: &'v Json, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Json::as_str)
}

/// Calls `visit` with each text within.
pub(super) fn texts(value: &Json, visit: &mut dyn FnMut(&str)) {
    match value {
        Json::String(text) => visit(text),
        Json::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Json::Object(map) => map.values().for_each(|item| texts(item, visit)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
