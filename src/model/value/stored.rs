//! Values as JSON: how payloads are read, and how values are kept on disk.
//!
//! On disk a value is the JSON that one expects, and what JSON doesn't know is a map with one key that begins
//! with `$`: `{"$time": …}`. A map of that shape that was sent to us gets one more `$`. So a value nests no
//! deeper on disk than it is.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use super::shared_text::shared_text;
use super::{Map, Value};

const TIME: &str = "$time";
const BLOB: &str = "$blob";
const FLOAT: &str = "$float";

/// Returns the value of a JSON text; `None` where it is none, or nests deeper than [`Value::DEEPEST`].
pub(super) fn read_json(text: &str) -> Option<Value> {
    // Most payloads that aren't JSON (`ON`, `Online`) show it at once, and need no error made for them.
    let may_begin_json =
        |first: char| matches!(first, '{' | '[' | '"' | '-' | 't' | 'f' | 'n') || first.is_ascii_digit();
    if !text.trim_ascii_start().starts_with(may_begin_json) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Json { levels: Value::DEEPEST }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) if number.is_finite() => serializer.serialize_f64(*number),
            Value::Float(number) => tagged(serializer, FLOAT, &number.to_string()),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items.iter()),
            Value::Map(entries) => match entries.first() {
                Some((key, value)) if entries.len() == 1 && key.starts_with('$') => {
                    tagged(serializer, &format!("${key}"), value)
                }
                _ => serializer.collect_map(entries.iter()),
            },
            Value::Blob(bytes) => tagged(serializer, BLOB, &STANDARD.encode(bytes)),
            Value::Time(time) => tagged(serializer, TIME, time),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        let json = Json { levels: Value::DEEPEST }.deserialize(deserializer)?;
        untag(json).map_err(D::Error::custom)
    }
}

fn tagged<S: Serializer>(serializer: S, tag: &str, value: &(impl Serialize + ?Sized)) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, value)?;
    map.end()
}

/// Returns the value that was kept, from the JSON that was written.
fn untag(json: Value) -> Result<Value, String> {
    Ok(match json {
        Value::List(items) => {
            let items = Arc::unwrap_or_clone(items);
            Value::List(Arc::new(items.into_iter().map(untag).collect::<Result<_, _>>()?))
        }
        Value::Map(entries) => {
            let entries = Arc::unwrap_or_clone(entries);
            match entries.first() {
                Some((tag, value)) if entries.len() == 1 && tag.starts_with('$') => untag_one(tag, value)?,
                _ => {
                    let entries = entries.into_iter().map(|(key, value)| Ok::<_, String>((key, untag(value)?)));
                    Value::Map(Arc::new(entries.collect::<Result<_, _>>()?))
                }
            }
        }
        scalar => scalar,
    })
}

fn untag_one(tag: &str, value: &Value) -> Result<Value, String> {
    match (tag, value) {
        (TIME, Value::Text(text)) => {
            text.parse().map(|time| Value::Time(Box::new(time))).map_err(|error| error.to_string())
        }
        (FLOAT, Value::Text(text)) => text.parse().map(Value::Float).map_err(|error| error.to_string()),
        (BLOB, Value::Text(text)) => {
            STANDARD.decode(text.as_bytes()).map(|bytes| Value::Blob(bytes.into())).map_err(|error| error.to_string())
        }
        // As it was kept at first.
        (BLOB, Value::List(items)) => {
            let byte = |item: &Value| match item {
                Value::Int(number) => u8::try_from(*number).map_err(|error| error.to_string()),
                _ => Err(format!("expected a byte, not {}", item.kind())),
            };
            Ok(Value::Blob(items.iter().map(byte).collect::<Result<_, _>>()?))
        }
        _ => match tag.strip_prefix('$') {
            Some(key) if key.starts_with('$') => {
                Ok(Value::Map(Arc::new(Map::from_iter([(key.into(), untag(value.clone())?)]))))
            }
            _ => Err(format!("unknown kind of value `{tag}`")),
        },
    }
}

/// Reads JSON as it stands.
struct Json {
    /// How many levels of lists and maps may follow.
    levels: usize,
}

impl Json {
    fn deeper<E: Error>(&self) -> Result<Json, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("lists and maps are nested too deeply"))?;
        Ok(Json { levels })
    }
}

impl<'de> DeserializeSeed<'de> for Json {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "beyond 64 bits a whole number is a float")]
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(shared_text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        self.deeper::<A::Error>()?;
        Ok(Value::List(Arc::new(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::default();
        while let Some(key) = entries.next_key_seed(Key)? {
            map.insert(key, entries.next_value_seed(self.deeper()?)?);
        }
        self.deeper::<A::Error>()?;
        Ok(Value::Map(Arc::new(map)))
    }
}

/// Reads the key of a map.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Arc<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Arc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Arc<str>, E> {
        Ok(shared_text(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::any_value;
    use super::*;

    fn round_trip(value: &Value) -> Value {
        serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
    }

    #[test]
    fn values_are_kept_as_the_json_that_one_expects() {
        let value = Value::from_payload(br#"{"a":[1,1.0,"x",null,true],"b":{}}"#);
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":[1,1.0,"x",null,true],"b":{}}"#);
    }

    #[test]
    fn what_json_does_not_know_is_kept() {
        let time: jiff::Zoned = "2024-10-27T02:30:00+01:00[Europe/Berlin]".parse().unwrap();
        for (value, json) in [
            (Value::Blob([0, 255].into()), r#"{"$blob":"AP8="}"#),
            (Value::Float(f64::NEG_INFINITY), r#"{"$float":"-inf"}"#),
            (Value::Time(Box::new(time)), r#"{"$time":"2024-10-27T02:30:00+01:00[Europe/Berlin]"}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(round_trip(&value), value);
        }
        assert!(matches!(round_trip(&Value::Float(f64::NAN)), Value::Float(number) if number.is_nan()));
        assert!(matches!(round_trip(&Value::Float(1.0)), Value::Float(_)));
        assert!(matches!(round_trip(&Value::Int(1)), Value::Int(1)));
    }

    #[test]
    fn a_payload_that_looks_like_a_tag_is_kept_as_it_was() {
        for payload in [r#"{"$time":"now"}"#, r#"{"$$":{"$blob":[1]}}"#, r#"{"$":1}"#, r#"{"$time":1,"b":2}"#] {
            let value = Value::from_payload(payload.as_bytes());
            assert_eq!(round_trip(&value).to_string(), payload);
        }
    }

    #[test]
    fn the_deepest_value_is_kept_though_each_of_its_maps_looks_like_a_tag() {
        let payload = format!("{}1{}", r#"{"$time":"#.repeat(Value::DEEPEST), "}".repeat(Value::DEEPEST));
        let value = Value::from_payload(payload.as_bytes());
        assert_eq!(value.depth(), Value::DEEPEST);
        assert_eq!(round_trip(&value), value);
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for json in [r#"{"$when":1}"#, r#"{"$time":"now"}"#, r#"{"$blob":[256]}"#, r#"{"$float":1}"#] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_kept(value in any_value()) {
            prop_assert_eq!(format!("{:?}", round_trip(&value)), format!("{value:?}"));
        }
    }
}
