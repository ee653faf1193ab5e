//! A document: maps and lists with comments.

use serde_json::Value as Json;

use super::scalar::{json, scalar, written};

/// The longest line that a map or a list on one line may have.
const WIDEST: usize = 100;

/// Something that's written as YAML.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Doc {
    /// A value, on one line if it fits.
    Value(Json),
    /// A map with a line for each key.
    Map(Vec<(String, Doc)>),
    /// A list with a line for each item.
    List(Vec<Doc>),
    /// A map on one line if it fits, else with a line for each key.
    Inline(Vec<(String, Doc)>),
    /// A list on one line if it fits.
    InlineList(Vec<Doc>),
    /// Something with comments above it.
    Noted(Vec<String>, Box<Doc>),
    /// Comments alone, in place of an item.
    Comment(Vec<String>),
}

impl Doc {
    pub(in crate::lang::import::home_assistant) fn text(text: impl Into<String>) -> Doc {
        Doc::Value(Json::String(text.into()))
    }

    pub(in crate::lang::import::home_assistant) fn inline<const N: usize>(entries: [(&str, Doc); N]) -> Doc {
        Doc::Inline(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Puts comments above it.
    pub(in crate::lang::import::home_assistant) fn noted(self, comments: Vec<String>) -> Doc {
        if comments.is_empty() { self } else { Doc::Noted(comments, Box::new(self)) }
    }

    pub(in crate::lang::import::home_assistant) fn is_comment(&self) -> bool {
        matches!(self, Doc::Comment(_))
    }

    /// Returns it with another text in place of one, wherever that stands in its values.
    pub(in crate::lang::import::home_assistant) fn replaced(self, old: &str, new: &str) -> Doc {
        let of = |doc: Doc| doc.replaced(old, new);
        let of_map = |entries: Vec<(String, Doc)>| entries.into_iter().map(|(key, doc)| (key, of(doc))).collect();
        match self {
            Doc::Value(value) => Doc::Value(replaced_in(value, old, new)),
            Doc::Map(entries) => Doc::Map(of_map(entries)),
            Doc::Inline(entries) => Doc::Inline(of_map(entries)),
            Doc::List(items) => Doc::List(items.into_iter().map(of).collect()),
            Doc::InlineList(items) => Doc::InlineList(items.into_iter().map(of).collect()),
            Doc::Noted(comments, inner) => Doc::Noted(comments, Box::new(inner.replaced(old, new))),
            comment @ Doc::Comment(_) => comment,
        }
    }

    /// Returns the document's text.
    pub(in crate::lang::import::home_assistant) fn document(&self) -> String {
        let mut text = String::new();
        match self {
            Doc::Map(entries) => write_map(&mut text, entries, 0),
            Doc::List(items) => write_list(&mut text, items, 0),
            other => {
                text.push_str(&other.on_one_line());
                text.push('\n');
            }
        }
        text
    }

    fn has_comments(&self) -> bool {
        match self {
            Doc::Noted(..) | Doc::Comment(_) => true,
            Doc::Value(_) => false,
            Doc::Map(entries) | Doc::Inline(entries) => entries.iter().any(|(_, value)| value.has_comments()),
            Doc::List(items) | Doc::InlineList(items) => items.iter().any(Doc::has_comments),
        }
    }

    fn write(&self, text: &mut String, column: usize, used: usize) {
        let fits = !self.has_comments() && used + 1 + self.on_one_line().chars().count() <= WIDEST;
        match self {
            Doc::Map(entries) if !entries.is_empty() => below_map(text, entries, column),
            Doc::Inline(entries) if !entries.is_empty() && !fits => below_map(text, entries, column),
            Doc::List(items) if !items.is_empty() => below_list(text, items, column),
            Doc::InlineList(items) if !items.is_empty() && !fits => below_list(text, items, column),
            Doc::Value(Json::Object(map)) if !fits && !map.is_empty() => {
                let entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), Doc::Value(value.clone()))).collect();
                below_map(text, &entries, column);
            }
            Doc::Value(Json::Array(items)) if !fits && !items.is_empty() => {
                let items: Vec<_> = items.iter().cloned().map(Doc::Value).collect();
                below_list(text, &items, column);
            }
            Doc::Noted(_, inner) => inner.write(text, column, used),
            Doc::Value(Json::String(value)) => {
                text.push(' ');
                text.push_str(&scalar(value));
                text.push('\n');
            }
            other => {
                text.push(' ');
                text.push_str(&other.on_one_line());
                text.push('\n');
            }
        }
    }

    fn on_one_line(&self) -> String {
        match self {
            Doc::Value(value) => json(value),
            Doc::Map(entries) | Doc::Inline(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", written(key, true), value.on_one_line()))
                    .collect();
                if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
            }
            Doc::List(items) | Doc::InlineList(items) => {
                format!("[{}]", items.iter().map(Doc::on_one_line).collect::<Vec<_>>().join(", "))
            }
            Doc::Noted(_, inner) => inner.on_one_line(),
            Doc::Comment(_) => String::new(),
        }
    }
}

fn below_map(text: &mut String, entries: &[(String, Doc)], column: usize) {
    text.push('\n');
    write_map(text, entries, column);
}

fn below_list(text: &mut String, items: &[Doc], column: usize) {
    text.push('\n');
    write_list(text, items, column);
}

fn write_comments(text: &mut String, comments: &[String], column: usize) {
    for line in comments.iter().flat_map(|comment| comment.split('\n')) {
        let line = line.trim_end_matches('\r');
        text.push_str(format!("{:column$}# {line}", "").trim_end());
        text.push('\n');
    }
}

fn write_map(text: &mut String, entries: &[(String, Doc)], column: usize) {
    for (key, value) in entries {
        if let Doc::Noted(comments, _) = value {
            write_comments(text, comments, column);
        }
        if let Doc::Comment(comments) = value {
            write_comments(text, comments, column);
            continue;
        }
        let start = format!("{:column$}{}:", "", written(key, true));
        text.push_str(&start);
        value.write(text, column + 2, start.chars().count());
    }
}

fn write_list(text: &mut String, items: &[Doc], column: usize) {
    for item in items {
        if let Doc::Noted(comments, _) | Doc::Comment(comments) = item {
            write_comments(text, comments, column);
            if item.is_comment() {
                continue;
            }
        }
        let start = text.len();
        text.extend(std::iter::repeat_n(' ', column));
        text.push('-');
        let used = text.len() - start;
        let item_at = text.len();
        item.write(text, column + 2, used);
        // A map or a list begins on the line of its dash, unless a comment comes first.
        let below = format!("\n{:width$}", "", width = column + 2);
        let begins_with_comment = text.get(item_at..).is_some_and(|written| written.trim_start().starts_with("# "));
        if !begins_with_comment && text.get(item_at..).is_some_and(|written| written.starts_with(&below)) {
            text.replace_range(item_at..item_at + below.len(), " ");
        }
    }
}

fn replaced_in(value: Json, old: &str, new: &str) -> Json {
    match value {
        Json::String(text) => text.replace(old, new).into(),
        Json::Array(items) => items.into_iter().map(|item| replaced_in(item, old, new)).collect(),
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (key, replaced_in(value, old, new))).collect())
        }
        other => other,
    }
}
