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

impl Value {
    /// Returns the members of a payload's map that `wanted` gives a key for, under that key, without reading the others. `None`
    /// where the payload's value is no map.
    #[must_use]
    pub fn members_of_payload<'k>(
        bytes: &[u8],
        wanted: &impl Fn(&str) -> Option<&'k Arc<str>>,
    ) -> Option<Vec<(Arc<str>, Value)>> {
        read_members(std::str::from_utf8(bytes).ok()?, wanted)
    }
}

/// Returns the members of a JSON text's map that `wanted` gives a key for, under that key, in their order; of one that comes
/// again, the last. `None` where the text isn't such a map, as [`read_json`] has it: what isn't wanted is checked all the same.
fn read_members<'k>(text: &str, wanted: &impl Fn(&str) -> Option<&'k Arc<str>>) -> Option<Vec<(Arc<str>, Value)>> {
    if !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer.deserialize_any(Members(wanted)).ok()?;
    deserializer.end().ok()?;
    Some(members)
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

/// Reads the members of a map that are wanted.
struct Members<'w, F>(&'w F);

impl<'de, 'k, F: Fn(&str) -> Option<&'k Arc<str>>> Visitor<'de> for Members<'_, F> {
    type Value = Vec<(Arc<str>, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let whole = Json { levels: Value::DEEPEST };
        let mut members: Vec<(Arc<str>, Value)> = Vec::new();
        while let Some(key) = entries.next_key_seed(WantedKey(self.0))? {
            let Some(key) = key else {
                entries.next_value_seed(Skip(whole.deeper()?))?;
                continue;
            };
            let value = entries.next_value_seed(whole.deeper()?)?;
            match members.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => *known = value,
                None => members.push((Arc::clone(key), value)),
            }
        }
        Ok(members)
    }
}

/// Reads the key of a map, and returns it as it is wanted.
struct WantedKey<'w, F>(&'w F);

impl<'de, 'k, F: Fn(&str) -> Option<&'k Arc<str>>> DeserializeSeed<'de> for WantedKey<'_, F> {
    type Value = Option<&'k Arc<str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'k, F: Fn(&str) -> Option<&'k Arc<str>>> Visitor<'_> for WantedKey<'_, F> {
    type Value = Option<&'k Arc<str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok((self.0)(key))
    }
}

/// Checks JSON as [`Json`] does, and keeps nothing of it.
struct Skip(Json);

impl<'de> DeserializeSeed<'de> for Skip {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skip {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Skip(self.0.deeper()?))?.is_some() {}
        self.0.deeper::<A::Error>().map(drop)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_key_seed(WantedKey(&|_: &str| None))?.is_some() {
            entries.next_value_seed(Skip(self.0.deeper()?))?;
        }
        self.0.deeper::<A::Error>().map(drop)
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

    /// Asserts that the members `a` and `c` are read from `json` as they are of its whole value.
    fn check_members(json: &str) {
        let wanted = [Arc::from("a"), Arc::from("c")];
        let found = read_members(json, &|key| wanted.iter().find(|wanted| ***wanted == *key));
        let whole = match read_json(json) {
            Some(Value::Map(entries)) => {
                let of = |(key, value): (&Arc<str>, &Value)| (Arc::clone(key), value.clone());
                Some(entries.iter().map(of).filter(|(key, _)| wanted.contains(key)).collect::<Vec<_>>())
            }
            _ => None,
        };
        assert_eq!(format!("{found:?}"), format!("{whole:?}"), "{json}");
    }

    #[test]
    fn members_are_read_as_the_whole_value_has_them_also_where_others_are_at_fault() {
        let deep = |levels: usize| format!(r#"{{"a":1,"b":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        for json in [
            r#"{"a":1,"b":{"c":[1.5,"x",null,true]},"c":{"d":-2}}"#,
            r#"{"a":1,"c":2,"a":"again"}"#,
            r#" {"a":1} "#,
            r#"{"a":1} x"#,
            r#"{"a":1,"b":1e999}"#,
            r#"{"a":1,"b":"\ud800"}"#,
            r#"{"a":1,"b":18446744073709551615}"#,
            r#"{"a":1,"b":}"#,
            r#"{"a":1,"b":[1,]}"#,
            r#"{"a":1,"\ud800":2}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":1,"b":{"\ud800":1}}"#,
            "[1]",
            "ON",
            "",
            &deep(Value::DEEPEST - 1),
            &deep(Value::DEEPEST),
            &deep(200),
        ] {
            check_members(json);
        }
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for json in [r#"{"$when":1}"#, r#"{"$time":"now"}"#, r#"{"$blob":[256]}"#, r#"{"$float":1}"#] {
            assert!(serde_json::from_str::<Value>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn wanted_members_are_those_of_the_whole_value(value in any_value(), broken in 0..60_usize, is_broken: bool) {
            let value = Value::Map(Arc::new(Map::from_iter([("a".into(), value.clone()), ("b".into(), value)])));
            let mut json = serde_json::to_string(&super::super::json_text::PlainJson(&value)).unwrap();
            if is_broken {
                let end = json.char_indices().map(|(at, _)| at).nth(broken).unwrap_or(json.len());
                json.truncate(end);
            }
            check_members(&json);
        }

        #[test]
        fn any_value_is_kept(value in any_value()) {
            prop_assert_eq!(format!("{:?}", round_trip(&value)), format!("{value:?}"));
        }
    }
}
