//! A path into a value: `a.b[0]`.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::Value;

/// A path into a value: `a.b[0]`; the empty path is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValuePath {
    text: Arc<str>,
    steps: Arc<[PathStep]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PathStep {
    Key(Arc<str>),
    Index(usize),
}

/// Why a text isn't a valid path: what was expected, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected {expected} here; a path is written like `a.b[0]`")]
pub struct PathError {
    /// What should stand there.
    pub expected: &'static str,
    /// The byte in the text where it should stand.
    pub offset: usize,
}

impl ValuePath {
    /// Returns `text` as a path.
    ///
    /// # Errors
    /// When a key is empty or an index is no number.
    pub fn parse(text: &str) -> Result<ValuePath, PathError> {
        let mut steps = Vec::new();
        let mut rest = text;
        let error = |rest: &str, expected| PathError { expected, offset: text.len() - rest.len() };
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('[') {
                let (index, after) = after.split_once(']').ok_or(error(rest, "`]`"))?;
                let index = index.parse().map_err(|_| error(rest, "a number in `[…]`"))?;
                steps.push(PathStep::Index(index));
                rest = after;
                continue;
            }
            let after_dot = rest.strip_prefix('.');
            if steps.is_empty() == after_dot.is_some() {
                return Err(error(rest, if steps.is_empty() { "a key" } else { "`.` or `[`" }));
            }
            rest = after_dot.unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            if key.is_empty() {
                return Err(error(rest, "a key"));
            }
            steps.push(PathStep::Key(key.into()));
            rest = after;
        }
        Ok(ValuePath { text: text.into(), steps: steps.into() })
    }

    /// Returns what stands at this path of `value`; `None` where a step is missing.
    pub(super) fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(value, |value, step| match (step, value) {
            (PathStep::Key(key), Value::Map(entries)) => entries.get(key),
            (PathStep::Index(index), Value::List(items)) => items.get(*index),
            _ => None,
        })
    }

    /// Returns whether it is the whole value.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(path: &str) -> Option<Value> {
        let value = Value::from_payload(r#"{"a":{"b":[1,{"c d":2}],"ü":3},"":4}"#.as_bytes());
        value.at(&ValuePath::parse(path).unwrap()).cloned()
    }

    #[test]
    fn a_path_leads_to_what_stands_there() {
        for (path, expected) in [
            ("a.b[0]", Some(1)),
            ("a.b[1].c d", Some(2)),
            ("a.ü", Some(3)),
            ("a.b[2]", None),
            ("a.b.c", None),
            ("a[0]", None),
            ("x", None),
        ] {
            assert_eq!(at(path), expected.map(Value::Int), "{path}");
        }
        assert!(at("").is_some_and(|value| value.kind() == "a map"));
        assert!(ValuePath::parse("").unwrap().is_whole() && !ValuePath::parse("a").unwrap().is_whole());
    }

    #[test]
    fn what_is_no_path_is_told_where_it_is_wrong() {
        for (path, expected, offset) in [
            (".a", "a key", 0),
            ("a.", "a key", 2),
            ("a..b", "a key", 2),
            ("a[0", "`]`", 1),
            ("a[x]", "a number in `[…]`", 1),
            ("a[-1]", "a number in `[…]`", 1),
            ("a[0]b", "`.` or `[`", 4),
            ("a[99999999999999999999]", "a number in `[…]`", 1),
        ] {
            assert_eq!(ValuePath::parse(path), Err(PathError { expected, offset }), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_that_is_written_the_same_or_an_error_within_it(text in r"[a-c.\[\]0-9ü]{0,12}") {
            match ValuePath::parse(&text) {
                Ok(path) => prop_assert_eq!(path.to_string(), text),
                Err(error) => prop_assert!(error.offset <= text.len()),
            }
        }
    }
}
