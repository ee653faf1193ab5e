//! A discovery message: its abbreviations, `~`, and parts, as one configuration a component.

use std::sync::Arc;

use super::super::parts::{get, list, text, texts};
use super::abbreviations::{Keys, whole};
use crate::devices::device::address::Address;
use crate::devices::device::reader::Extract;
use crate::devices::device::{AvailabilityMode, SaysAvailable};
use crate::devices::template::{Template, python_text};
use crate::model::{Map, Qos, Topic, TopicFilter, Value};

/// What a message says of the device as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct About {
    pub(super) name: Option<Arc<str>>,
    pub(super) area: Option<Arc<str>>,
    pub(super) model: Option<Arc<str>>,
    pub(super) addresses: Vec<Address>,
}

/// The configuration of one component.
pub(super) struct Config<'a> {
    /// What sort of component.
    pub(super) component: &'a str,
    /// Its object id.
    pub(super) object: &'a str,
    pub(super) entries: Value,
}

/// Returns a map with each key written out, in `device`, `origin` and `availability` too.
pub(super) fn expanded(entries: &Map, keys: Keys) -> Map {
    let inner = |key: &str, value: &Value| match (key, value) {
        ("device", Value::Map(device)) if keys == Keys::Component => Value::Map(expanded(device, Keys::Device).into()),
        ("origin", Value::Map(origin)) if keys == Keys::Component => Value::Map(expanded(origin, Keys::Origin).into()),
        ("availability", Value::List(items)) => {
            let each = items.iter().map(|item| match item {
                Value::Map(item) => Value::Map(expanded(item, Keys::Component).into()),
                other => other.clone(),
            });
            Value::List(each.collect::<Vec<Value>>().into())
        }
        ("availability", Value::Map(item)) => {
            Value::List(vec![Value::Map(expanded(item, Keys::Component).into())].into())
        }
        (_, value) => value.clone(),
    };
    let mut whole_entries = Map::default();
    for (short, value) in entries {
        let key = whole(keys, short);
        whole_entries.insert(key.into(), inner(key, value));
    }
    whole_entries
}

/// Returns a map with `~` replaced in its topics.
pub(super) fn based(entries: Map, base: Option<&str>) -> Result<Map, String> {
    let replaced = |topic: &str| -> Result<Value, String> {
        let begins = topic.strip_prefix('~');
        let ends = topic.strip_suffix('~').filter(|rest| !rest.is_empty());
        match (base, begins, ends) {
            (_, None, None) => Ok(Value::text(topic)),
            (Some(base), Some(rest), _) => Ok(Value::text(format!("{base}{rest}"))),
            (Some(base), None, Some(rest)) => Ok(Value::text(format!("{rest}{base}"))),
            (None, _, _) => Err(format!("`{topic}` has a `~`, but the message doesn't say what it stands for")),
        }
    };
    let mut with_base = Map::default();
    for (key, value) in entries {
        let value = match value {
            Value::Text(topic) if key.ends_with("topic") => replaced(&topic)?,
            Value::List(items) if *key == *"availability" => {
                let each = items.iter().map(|item| match item {
                    Value::Map(item) => {
                        let mut item = (**item).clone();
                        if let Some(Value::Text(topic)) = item.get("topic").cloned() {
                            item.insert("topic".into(), replaced(&topic)?);
                        }
                        Ok(Value::Map(item.into()))
                    }
                    other => Ok(other.clone()),
                });
                Value::List(each.collect::<Result<Vec<Value>, String>>()?.into())
            }
            other => other,
        };
        with_base.insert(key, value);
    }
    Ok(with_base)
}

/// Returns what the device is known by, and what is said of it.
pub(super) fn device(entries: &Value, topic: &Topic, component: &Value) -> (Arc<str>, About) {
    let device = get(entries, "device").cloned().unwrap_or_default();
    let mut identifiers = texts(&device, "identifiers");
    identifiers.extend(text(&device, "identifiers").map(Arc::from));
    let connections = list(&device, "connections");
    let pairs = connections.iter().filter_map(|pair| match pair {
        Value::List(pair) => pair.get(1).and_then(Value::as_text),
        _ => None,
    });
    let connected: Vec<&str> = pairs.collect();
    let addresses = identifiers.iter().map(|text| &**text).chain(connected.iter().copied()).flat_map(Address::all_in);
    let mut addresses: Vec<Address> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let key = identifiers.first().cloned();
    let key = key.or_else(|| connected.first().map(|text| Arc::from(*text)));
    let key = key.or_else(|| text(component, "unique_id").map(Arc::from)).unwrap_or_else(|| topic.text());
    let part = |key| text(&device, key);
    let model = match (part("manufacturer"), part("model")) {
        (Some(maker), Some(model)) => Some(format!("{maker} {model}").into()),
        (maker, model) => model.or(maker).map(Arc::from),
    };
    let name = part("name").or_else(|| if get(entries, "device").is_none() { text(component, "name") } else { None });
    let about = About { name: name.map(Arc::from), area: part("suggested_area").map(Arc::from), model, addresses };
    (key, about)
}

impl Config<'_> {
    /// Returns what stands under a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        get(&self.entries, key)
    }

    /// Returns the text under a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        text(&self.entries, key)
    }

    /// Returns the texts under a key.
    pub(super) fn texts(&self, key: &str) -> Vec<Arc<str>> {
        texts(&self.entries, key)
    }

    /// Returns the number under a key, also where it is written as a text.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(crate::devices::codec::number)
    }

    /// Returns whether the flag under a key is set.
    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Bool(true)))
            || self.text(key).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Returns the word under a key, as the text that Home Assistant compares.
    pub(super) fn word(&self, key: &str, usual: &str) -> Value {
        match self.get(key) {
            Some(value) => Value::text(python_text(value)),
            None => usual.into(),
        }
    }

    /// Returns whether a key is there to say that there is nothing.
    pub(super) fn is_taken_away(&self, key: &str) -> bool {
        matches!(&self.entries, Value::Map(entries) if entries.get(key).is_some_and(Value::is_null))
    }

    /// Returns the topic under a key.
    pub(super) fn topic(&self, key: &str) -> Result<Option<TopicFilter>, String> {
        let Some(topic) = self.text(key) else { return Ok(None) };
        let wrong = |error: &dyn std::fmt::Display| format!("its `{key}` `{topic}` isn't usable: {error}");
        let filter = TopicFilter::parse(topic).map_err(|error| wrong(&error))?;
        // Names of wildcards are ours alone.
        if filter.names().next().is_some() {
            return Err(wrong(&"a wildcard must be a whole level"));
        }
        Ok(Some(filter))
    }

    /// Returns the template under the first of these keys.
    pub(super) fn template(&self, keys: &[&str]) -> Result<Option<Template>, String> {
        let Some(source) = keys.iter().find_map(|key| self.text(key)) else { return Ok(None) };
        Template::parse(source).map(Some).map_err(|error| error.to_string())
    }

    /// Returns where a value stands: as the template under these keys says, else the payload's text.
    pub(super) fn extract(&self, keys: &[&str]) -> Result<Extract, String> {
        Ok(self.template(keys)?.map_or(Extract::Text, Extract::Template))
    }

    /// Returns how surely commands are delivered, and whether the broker keeps them.
    pub(super) fn delivery(&self) -> (Qos, bool) {
        let qos = match self.number("qos") {
            Some(qos) if qos >= 2.0 => Qos::ExactlyOnce,
            Some(qos) if qos >= 1.0 => Qos::AtLeastOnce,
            Some(_) => Qos::AtMostOnce,
            None => Qos::AtLeastOnce,
        };
        (qos, self.flag("retain"))
    }

    /// Returns what says whether the component can be reached, and how several count.
    pub(super) fn availability(&self) -> Result<(Vec<SaysAvailable>, AvailabilityMode), String> {
        let mut says = Vec::new();
        for item in list(&self.entries, "availability") {
            let Value::Map(item) = item else { continue };
            let item = Config { component: self.component, object: self.object, entries: Value::Map(Arc::clone(item)) };
            let topic = item.topic("topic")?.ok_or("its `availability` has no `topic`")?;
            says.push(item.says(topic, &["value_template"])?);
        }
        if let Some(topic) = self.topic("availability_topic")? {
            says.push(self.says(topic, &["availability_template"])?);
        }
        let mode = match self.text("availability_mode") {
            Some("all") => AvailabilityMode::All,
            Some("any") => AvailabilityMode::Any,
            _ => AvailabilityMode::Latest,
        };
        Ok((says, mode))
    }

    fn says(&self, topic: TopicFilter, template: &[&str]) -> Result<SaysAvailable, String> {
        let word = |key, usual| Arc::new([Arc::from(self.word(key, usual).to_string())]);
        let (yes, no) = (word("payload_available", "online"), word("payload_not_available", "offline"));
        Ok(SaysAvailable { topic, extract: self.extract(template)?, yes, no })
    }
}
