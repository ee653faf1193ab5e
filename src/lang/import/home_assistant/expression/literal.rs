//! Values as expressions write them.

use serde_json::Value as Json;

/// Returns a text in quotes: single ones, unless it has one itself.
pub(in crate::lang::import::home_assistant) fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            letter if letter == quote => {
                written.push('\\');
                written.push(letter);
            }
            letter => written.push(letter),
        }
    }
    written.push(quote);
    written.replace("${", "$${")
}

/// Returns a value as an expression writes it.
pub(in crate::lang::import::home_assistant) fn literal(value: &Json) -> String {
    match value {
        Json::Null => "()".to_owned(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", key_of(key), literal(value)));
            format!("#{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns a key of a map as an expression writes it.
pub(in crate::lang::import::home_assistant) fn key_of(key: &str) -> String {
    if is_name(key) { key.to_owned() } else { format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// Words of Rhai that can't be names.
const RESERVED: [&str; 53] = [
    "true",
    "false",
    "let",
    "const",
    "is",
    "var",
    "static",
    "shared",
    "with",
    "if",
    "else",
    "switch",
    "do",
    "while",
    "until",
    "for",
    "in",
    "loop",
    "break",
    "continue",
    "return",
    "throw",
    "try",
    "catch",
    "fn",
    "private",
    "import",
    "export",
    "as",
    "Fn",
    "call",
    "curry",
    "type_of",
    "print",
    "debug",
    "eval",
    "this",
    "is_def_var",
    "is_def_fn",
    "goto",
    "exit",
    "match",
    "case",
    "public",
    "protected",
    "new",
    "use",
    "module",
    "package",
    "super",
    "spawn",
    "thread",
    "default",
];

/// Returns whether a text can be a name of an expression.
pub(in crate::lang::import::home_assistant) fn is_name(text: &str) -> bool {
    let begins_so = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    begins_so
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !RESERVED.contains(&text)
        && !matches!(
            text,
            "go" | "sync" | "async" | "await" | "yield" | "void" | "null" | "nil" | "and" | "or" | "not" | "global"
        )
}

/// Escapes what begins an expression in a text of ours.
pub(in crate::lang::import::home_assistant) fn escape(text: &str) -> String {
    text.replace("${", "$${")
}

/// Returns Python's `\1` and `\g<name>` as this language's patterns name groups.
pub(super) fn groups(text: &str) -> String {
    let mut written = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => written.push_str("$$"),
            '\\' => match letters.peek().copied() {
                Some(digit) if digit.is_ascii_digit() => {
                    letters.next();
                    written.push_str("${");
                    written.push(digit);
                    written.push('}');
                }
                Some('g') => {
                    letters.next();
                    if letters.next_if_eq(&'<').is_some() {
                        let name: String = letters.by_ref().take_while(|letter| *letter != '>').collect();
                        written.push_str("${");
                        written.push_str(&name);
                        written.push('}');
                    }
                }
                _ => written.push('\\'),
            },
            letter => written.push(letter),
        }
    }
    written
}
