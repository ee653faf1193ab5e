//! Between our values and Rhai's.
//!
//! Maps that come from Rhai are sorted by key. What has no value (a closure, a range) is an error, never a name
//! in its place. Both ways are bounded in depth, so that no value can overflow a stack.

use std::sync::Arc;

use rhai::Dynamic;

use crate::model::{Map, Name, Value, ValueLimits};

use super::limits::Limits;
use super::moment::{Moment, SunNow};
use crate::script::devices::handle::DeviceHandle;

/// How deep lists and maps may be nested.
const DEEPEST: usize = 100;

/// How much values may hold in all when they are given to an expression: what is left.
#[derive(Debug, Clone, Copy)]
pub(in crate::script) struct Budget {
    items: usize,
    bytes: usize,
}

/// Returns our value as Rhai's. `keys`: of a map only these.
pub(in crate::script) fn to_dynamic(value: &Value, keys: Option<&[Name]>, limit: usize) -> Result<Dynamic, String> {
    let mut budget = Budget { items: limit, bytes: usize::MAX };
    if let (Value::Map(entries), Some(keys)) = (value, keys) {
        let mut map = rhai::Map::new();
        for key in keys {
            if let Some(value) = entries.get(key) {
                map.insert(key.as_ref().into(), budget.convert(value, 1)?);
            }
        }
        return Ok(Dynamic::from_map(map));
    }
    budget.convert(value, 0)
}

impl Budget {
    /// Returns the budget of several values together.
    pub(in crate::script) fn of(limits: &Limits) -> Budget {
        let ValueLimits { items, bytes } = limits.value();
        Budget { items, bytes }
    }

    /// Returns our value as Rhai's, and spends its items.
    pub(in crate::script) fn spend_on(&mut self, value: &Value) -> Result<Dynamic, String> {
        self.convert(value, 0)
    }

    fn convert(&mut self, value: &Value, depth: usize) -> Result<Dynamic, String> {
        if depth > DEEPEST {
            return Err(too_deep());
        }
        Ok(match value {
            Value::Null => Dynamic::UNIT,
            Value::Bool(flag) => (*flag).into(),
            Value::Int(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) => {
                self.spend_bytes(text.len())?;
                rhai::ImmutableString::from(text.as_ref()).into()
            }
            Value::List(items) => {
                self.spend(items.len())?;
                let items = items.iter().map(|item| self.convert(item, depth + 1)).collect::<Result<_, _>>()?;
                Dynamic::from_array(items)
            }
            Value::Map(entries) => {
                self.spend(entries.len())?;
                let mut map = rhai::Map::new();
                for (key, value) in entries.iter() {
                    map.insert(key.as_ref().into(), self.convert(value, depth + 1)?);
                }
                Dynamic::from_map(map)
            }
            Value::Blob(bytes) => {
                self.spend_bytes(bytes.len())?;
                Dynamic::from_blob(bytes.to_vec())
            }
            Value::Time(time) => Dynamic::from(Moment((**time).clone())),
        })
    }

    fn spend_bytes(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or("it has more text than an expression may read")?;
        Ok(())
    }

    fn spend(&mut self, items: usize) -> Result<(), String> {
        self.items = self.items.checked_sub(items).ok_or("it has more items than an expression may read")?;
        Ok(())
    }
}

/// Returns Rhai's value as ours.
pub(in crate::script) fn from_dynamic(value: &Dynamic) -> Result<Value, String> {
    convert_back(value, 0)
}

fn convert_back(value: &Dynamic, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    if value.is_shared() {
        return convert_back(&value.flatten_clone(), depth);
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = value.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(number) = value.as_float() {
        return Ok(Value::Float(number));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::text(text.as_str()));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Value::text(letter.to_string()));
    }
    if let Ok(items) = value.as_array_ref() {
        let items = items.iter().map(|item| convert_back(item, depth + 1)).collect::<Result<_, _>>()?;
        return Ok(Value::List(Arc::new(items)));
    }
    if let Ok(entries) = value.as_map_ref() {
        let convert = |(key, value): (&rhai::Identifier, _)| Ok((key.as_str().into(), convert_back(value, depth + 1)?));
        let entries: Map = entries.iter().map(convert).collect::<Result<_, String>>()?;
        return Ok(Value::Map(Arc::new(entries)));
    }
    if let Ok(bytes) = value.as_blob_ref() {
        return Ok(Value::Blob(bytes.as_slice().into()));
    }
    if let Some(moment) = value.read_lock::<Moment>() {
        return Ok(Value::Time(Box::new(moment.0.clone())));
    }
    if let Some(device) = value.read_lock::<DeviceHandle>() {
        return Ok(Value::text(device.label().as_str()));
    }
    if let Some(sun) = value.read_lock::<SunNow>() {
        return sun.to_value();
    }
    Err(format!("{} isn't a value", kind(value)))
}

/// Returns whether lists and maps are nested deeper than a value may be.
pub(in crate::script) fn is_too_deep(value: &Dynamic) -> bool {
    convert_back(value, 0).is_err_and(|error| error == too_deep())
}

fn too_deep() -> String {
    format!("lists and maps are nested more than {DEEPEST} deep")
}

/// Returns the kind of a value in words, as [`Value::kind`] does.
pub(in crate::script) fn kind(value: &Dynamic) -> &'static str {
    kind_of_type(value.type_name())
}

/// Returns the kind of value that Rhai's type `name` is.
pub(in crate::script) fn kind_of_type(name: &str) -> &'static str {
    match name {
        "()" => "nothing",
        "bool" => "a boolean",
        "i64" | "f64" | "float" => "a number",
        "string" | "char" | "ImmutableString" | "&str" | "&str | ImmutableString | String" => "a text",
        "array" | "alloc::vec::Vec<rhai::types::dynamic::Dynamic>" => "a list",
        "map" => "a map",
        "blob" => "a blob",
        "Fn" => "a closure",
        "sun" => "the sun",
        "device" => "a device",
        _ if name.contains("Range") || name.contains("range") => "a range",
        _ if name.contains("Moment") || name == "time" => "a time",
        _ if name.contains("SunNow") => "the sun",
        _ if name.contains("DeviceHandle") => "a device",
        _ if name.contains("FnPtr") => "a closure",
        _ if name.contains("BTreeMap") => "a map",
        _ if name.contains("Vec<u8>") => "a blob",
        _ if name.contains("Vec<") => "a list",
        _ if name.contains("tring") => "a text",
        _ => "a value",
    }
}

/// Returns a value as a message shows it, shortened: a text in quotes, what is large by its kind alone.
pub(in crate::script) fn show(value: &Dynamic) -> String {
    const LONGEST: usize = 40;
    match from_dynamic(value) {
        Ok(Value::Null) => "()".to_owned(),
        Ok(Value::Text(text)) if text.chars().count() > LONGEST => {
            format!("\"{}…\"", text.chars().take(LONGEST).collect::<String>())
        }
        Ok(Value::Text(text)) => format!("\"{text}\""),
        Ok(Value::Map(_)) => "#{…}".to_owned(),
        Ok(Value::List(_)) => "[…]".to_owned(),
        Ok(value) => value.to_string(),
        Err(_) => "…".to_owned(),
    }
}
