//! A value written as JSON's text, without a tree of JSON in between.

use serde::{Serialize, Serializer};

use super::Value;

/// Serializes a value as plain JSON, as [`Value::to_json`] gives it; what is kept across a restart is another form.
pub(super) struct PlainJson<'a>(pub(super) &'a Value);

impl Serialize for PlainJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items.iter().map(PlainJson)),
            Value::Map(entries) => serializer.collect_map(entries.iter().map(|(key, value)| (key, PlainJson(value)))),
            Value::Blob(bytes) => serializer.collect_seq(bytes.iter()),
            Value::Time(_) => serializer.collect_str(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::value::tests::any_value;

    proptest! {
        #[test]
        fn the_text_is_that_of_the_tree(value in any_value()) {
            prop_assert_eq!(serde_json::to_string(&PlainJson(&value)).unwrap(), value.to_json().to_string());
        }
    }
}
