//! How a state of Home Assistant, which is always text, is told from a value of ours, and the other way round.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

/// How Home Assistant's text and our value go together.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang::import::home_assistant) enum Codec {
    /// The payload is Home Assistant's text; we read it as JSON where it is JSON.
    Raw,
    /// A boolean: `on` is true.
    OnOff,
    /// Each word of Home Assistant with its value here.
    Words(Vec<(String, Json)>),
    /// Some words with their values here; all others are the payload.
    Open(Vec<(String, Json)>),
    /// A number.
    Number,
    /// A text that is the same in both.
    Text,
    /// A time of day: `07:00:00` there, `07:00` here.
    Clock,
}

impl Codec {
    /// Returns the value here of a state there; `None` if it never is this state.
    pub(in crate::lang::import::home_assistant) fn value(&self, text: &str) -> Option<Json> {
        match self {
            Codec::Raw => Some(payload_value(text)),
            Codec::OnOff => match text {
                "on" => Some(json!(true)),
                "off" => Some(json!(false)),
                _ => None,
            },
            Codec::Words(words) => words.iter().find(|(word, _)| word == text).map(|(_, value)| value.clone()),
            Codec::Open(words) => {
                let known = words.iter().find(|(word, _)| word == text).map(|(_, value)| value.clone());
                Some(known.unwrap_or_else(|| payload_value(text)))
            }
            Codec::Number => text.trim().parse::<f64>().ok().map(|_| payload_value(text.trim())),
            Codec::Text => Some(json!(text)),
            Codec::Clock => Some(json!(text.strip_suffix(":00").filter(|rest| rest.len() == 5).unwrap_or(text))),
        }
    }

    /// Returns an expression for Home Assistant's text of `value`, an expression that is known not to be `()`.
    pub(in crate::lang::import::home_assistant) fn text_of(&self, value: &str) -> String {
        match self {
            Codec::Text => value.to_owned(),
            Codec::OnOff => format!("ha::on_off({value})"),
            Codec::Raw | Codec::Number => format!("ha::text({value})"),
            Codec::Clock => format!("ha::clock({value})"),
            Codec::Words(words) | Codec::Open(words) => {
                let mut written = String::new();
                for (word, wanted) in words {
                    let wanted = crate::lang::import::home_assistant::expression::literal(wanted);
                    let word = crate::lang::import::home_assistant::expression::quoted(word);
                    let _ = write!(written, "if {value} == {wanted} {{ {word} }} else ");
                }
                format!("({written}{{ ha::text({value}) }})")
            }
        }
    }
}

/// Returns what a payload is read as: JSON where it is JSON, else text.
pub(in crate::lang::import::home_assistant) fn payload_value(text: &str) -> Json {
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Null) | Err(_) => json!(text),
        Ok(value) => value,
    }
}
