//! Secrets: values that rules use and nobody is shown.
//!
//! A value that is one is masked at any length, and one within a text from six characters on: shorter ones are in texts by
//! chance. What is derived from a secret isn't masked (docs/language/reuse.md).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Map, Message, Payload, Value};

/// What is shown in place of a secret.
pub const MASK: &str = "•••";

/// So many characters a secret must have to be masked within a text.
const SHORTEST_WITHIN: usize = 6;

/// The secrets of a home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The longest first, so that one that contains another is masked whole.
    texts: Vec<Arc<str>>,
}

impl Secrets {
    /// Returns these secrets. An empty text is none.
    #[must_use]
    pub fn new(texts: impl IntoIterator<Item = Arc<str>>) -> Secrets {
        let texts: BTreeSet<Arc<str>> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let mut texts: Vec<Arc<str>> = texts.into_iter().collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Secrets { texts }
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns these and `others`.
    #[must_use]
    pub fn with(&self, others: &Secrets) -> Secrets {
        Secrets::new(self.texts.iter().chain(&others.texts).cloned())
    }

    /// Returns `text` masked; `None` where it has no secret.
    #[must_use]
    pub fn mask_text(&self, text: &str) -> Option<String> {
        if self.texts.iter().any(|secret| **secret == *text) {
            return Some(MASK.to_owned());
        }
        let mut masked = Cow::Borrowed(text);
        for secret in &self.texts {
            if secret.chars().count() >= SHORTEST_WITHIN && masked.contains(&**secret) {
                masked = Cow::Owned(masked.replace(&**secret, MASK));
            }
        }
        match masked {
            Cow::Borrowed(_) => None,
            Cow::Owned(masked) => Some(masked),
        }
    }

    /// Returns `value` masked; `None` where it has no secret.
    #[must_use]
    pub fn mask_value(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Null | Value::Bool(_) | Value::Time(_) => None,
            // A payload that is nothing but digits is read as a number.
            Value::Int(_) | Value::Float(_) => {
                let text = value.to_string();
                self.texts.iter().any(|secret| **secret == *text).then(|| Value::text(MASK))
            }
            Value::Text(text) => self.mask_text(text).map(Value::text),
            Value::Blob(bytes) => {
                let has = |secret: &Arc<str>| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                let long = |secret: &&Arc<str>| secret.chars().count() >= SHORTEST_WITHIN;
                self.texts.iter().filter(long).any(has).then(|| Value::text(MASK))
            }
            Value::List(items) => {
                let masked: Vec<Option<Value>> = items.iter().map(|item| self.mask_value(item)).collect();
                masked.iter().any(Option::is_some).then(|| {
                    let pairs = items.iter().zip(masked);
                    Value::List(Arc::new(pairs.map(|(item, masked)| masked.unwrap_or_else(|| item.clone())).collect()))
                })
            }
            Value::Map(entries) => {
                let masked: Vec<(Option<String>, Option<Value>)> =
                    entries.iter().map(|(key, value)| (self.mask_text(key), self.mask_value(value))).collect();
                masked.iter().any(|(key, value)| key.is_some() || value.is_some()).then(|| {
                    let pairs = entries.iter().zip(masked).map(|((key, value), (masked_key, masked))| {
                        (masked_key.map_or_else(|| key.clone(), Arc::from), masked.unwrap_or_else(|| value.clone()))
                    });
                    Value::Map(Arc::new(pairs.collect::<Map>()))
                })
            }
        }
    }

    /// Returns `payload` masked; `None` where it has no secret.
    #[must_use]
    pub fn mask_payload(&self, payload: &Payload) -> Option<Payload> {
        if self.is_empty() {
            return None;
        }
        if let Some(masked) = payload.text().and_then(|text| self.mask_text(text)) {
            return Some(Payload::masked(masked));
        }
        // What JSON escapes is found in what it means.
        let masked = self.mask_value(payload.value())?;
        Some(Payload::masked(masked.to_payload()))
    }

    /// Returns `message` with its payload masked; `None` where it has no secret. Its topic stays: it is no place for one.
    #[must_use]
    pub fn mask_message(&self, message: &Message) -> Option<Message> {
        let payload = self.mask_payload(&message.payload)?;
        Some(Message { payload, ..message.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(["hunter2", "hunter2-long", "1234", "a\"b\"c\"d"].map(Arc::from))
    }

    #[test]
    fn a_text_that_is_a_secret_is_masked_and_one_within_it_from_six_characters_on() {
        let masked = |text| secrets().mask_text(text);
        assert_eq!(masked("1234").as_deref(), Some("•••"));
        assert_eq!(masked("at 1234"), None, "a short one is in texts by chance");
        assert_eq!(masked("Bearer hunter2!").as_deref(), Some("Bearer •••!"));
        assert_eq!(masked("x hunter2-long hunter2").as_deref(), Some("x ••• •••"));
        assert_eq!(masked("nothing"), None);
        assert_eq!(Secrets::default().mask_text("hunter2"), None);
        assert!(Secrets::new([Arc::from("")]).is_empty());
    }

    #[test]
    fn a_payload_is_masked_wherever_a_secret_is_in_its_value() {
        let masked = |payload: &str| {
            let payload = secrets().mask_payload(&Payload::from_bytes(payload.to_owned()))?;
            Some(payload.text().unwrap().to_owned())
        };
        assert_eq!(masked("1234").as_deref(), Some("•••"), "read as a number");
        assert_eq!(masked(r#"{"pin":1234,"on":true}"#).as_deref(), Some(r#"{"pin":"•••","on":true}"#));
        assert_eq!(masked(r#"["1234",{"1234":0}]"#).as_deref(), Some(r#"["•••",{"•••":0}]"#));
        assert_eq!(masked(r#"{"key":"a\"b\"c\"d"}"#).as_deref(), Some(r#"{"key":"•••"}"#));
        assert_eq!(masked(r#"{"pin":12345}"#), None);
        let blob = Payload::from_bytes(b"\xff hunter2".to_vec());
        assert_eq!(secrets().mask_payload(&blob).unwrap().text(), Some("•••"));
    }
}
