//! Validates JSON by the keywords of JSON Schema that ours uses; any other is an error, so that none is overlooked.

use regex::Regex;
use serde_json::{Map, Value};

/// Returns why `value` doesn't fit `schema`, with its path; `definitions` are those that the schema refers to.
#[expect(clippy::too_many_lines, reason = "one match over all keywords")]
pub(super) fn validate(value: &Value, schema: &Value, definitions: &Value, path: &str) -> Result<(), String> {
    let fits = |schema: &Value| validate(value, schema, definitions, path).is_ok();
    let fail = |message: String| Err(format!("{path}: {message}"));
    for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
        let count = wanted.as_u64().and_then(|count| usize::try_from(count).ok());
        match keyword.as_str() {
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                let definition = definitions.get(name).unwrap_or_else(|| panic!("no definition `{name}`"));
                validate(value, definition, definitions, path)?;
            }
            "type" if !is_of_type(value, wanted) => return fail(format!("is not {wanted}: {value}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => return fail(format!("is none of {wanted}")),
            "const" if value != wanted => return fail(format!("is not {wanted}")),
            "anyOf" => {
                let mut reasons = Vec::new();
                for schema in wanted.as_array().unwrap() {
                    reasons.extend(validate(value, schema, definitions, path).err());
                }
                if reasons.len() == wanted.as_array().unwrap().len() {
                    let deepest = reasons.into_iter().max_by_key(String::len).unwrap_or_default();
                    return Err(format!("{path}: no choice fits; {deepest}"));
                }
            }
            "oneOf" => {
                let fitting = wanted.as_array().unwrap().iter().filter(|schema| fits(schema)).count();
                if fitting != 1 {
                    return fail(format!("fits {fitting} choices of one"));
                }
            }
            "if" => {
                let branch = if fits(wanted) { "then" } else { "else" };
                validate(value, &schema[branch], definitions, path)?;
            }
            "not" if fits(wanted) => return fail("is what it must not be".to_owned()),
            "minLength" if value.as_str().is_some_and(|text| text.chars().count() < count.unwrap()) => {
                return fail("is too short".to_owned());
            }
            "pattern" => {
                let regex = Regex::new(wanted.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !regex.is_match(text)) {
                    return fail(format!("{value} doesn't match"));
                }
            }
            "minimum" | "maximum" | "minItems" | "minProperties" | "maxProperties"
                if !is_within(value, keyword, wanted.as_f64().unwrap()) =>
            {
                return fail(format!("breaks {keyword}"));
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    validate(item, wanted, definitions, &format!("{path}[{index}]"))?;
                }
            }
            "required" => {
                for key in wanted.as_array().unwrap().iter().map(|key| key.as_str().unwrap()) {
                    if value.as_object().is_some_and(|entries| !entries.contains_key(key)) {
                        return fail(format!("`{key}` is missing"));
                    }
                }
            }
            "dependentRequired" => {
                for (key, needed) in wanted.as_object().unwrap() {
                    let has = |key: &str| value.as_object().is_some_and(|entries| entries.contains_key(key));
                    let needed = needed.as_array().unwrap();
                    if has(key) && !needed.iter().all(|needed| has(needed.as_str().unwrap())) {
                        return fail(format!("`{key}` needs more beside it"));
                    }
                }
            }
            "propertyNames" => {
                for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                    validate(&Value::String(key.clone()), wanted, definitions, path)?;
                }
            }
            // Looked at below, beside another keyword, or kept.
            "$schema"
            | "$defs"
            | "title"
            | "description"
            | "then"
            | "else"
            | "properties"
            | "patternProperties"
            | "additionalProperties"
            | "type"
            | "enum"
            | "const"
            | "not"
            | "minLength"
            | "minimum"
            | "maximum"
            | "minItems"
            | "minProperties"
            | "maxProperties" => {}
            other => panic!("the keyword `{other}` isn't known here"),
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        for schema in schemas_of(key, schema) {
            match schema {
                Value::Bool(false) => return Err(format!("{path} is an unknown key")),
                schema => validate(value, schema, definitions, &path)?,
            }
        }
    }
    Ok(())
}

/// Returns whether a number, or the length of a list or map, keeps a bound; what the bound isn't for keeps it.
fn is_within(value: &Value, keyword: &str, bound: f64) -> bool {
    let length = match keyword {
        "minItems" => value.as_array().map(Vec::len),
        "minProperties" | "maxProperties" => value.as_object().map(Map::len),
        _ => None,
    };
    let length = length.and_then(|length| u32::try_from(length).ok()).map(f64::from);
    let number = if matches!(keyword, "minimum" | "maximum") { value.as_f64() } else { length };
    number.is_none_or(|number| if keyword.starts_with("min") { number >= bound } else { number <= bound })
}

/// Returns the schemas of the value of `key`.
fn schemas_of<'s>(key: &str, schema: &'s Value) -> Vec<&'s Value> {
    let mut found: Vec<&Value> = schema["properties"].get(key).into_iter().collect();
    for (pattern, schema) in schema["patternProperties"].as_object().into_iter().flatten() {
        if Regex::new(pattern).unwrap().is_match(key) {
            found.push(schema);
        }
    }
    if found.is_empty() {
        found.extend(schema.get("additionalProperties"));
    }
    found
}

fn is_of_type(value: &Value, wanted: &Value) -> bool {
    if let Some(types) = wanted.as_array() {
        return types.iter().any(|wanted| is_of_type(value, wanted));
    }
    match wanted.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type `{other}` isn't known here"),
    }
}
