//! How a target is told: the request that tells it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::engine::condition::evaluator::Evaluator;
use crate::engine::condition::scope::{Scope, ThreadScope};
use crate::engine::effect::HttpCall;
use crate::model::{Map, Value};
use crate::rules::{Http, NtfyTarget, Rule, TargetKind, TelegramTarget};
use crate::script::{Failure, Reads};

use super::notice::Notice;

/// How long a delivery may take, unless the target says.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many letters a message of Telegram may have.
const LONGEST_OF_TELEGRAM: usize = 4096;

/// A button as it's shown.
pub(super) struct Shown {
    /// What is pressed by its key.
    pub(super) key: String,
    /// Where it leads, as far as others can reach the home.
    pub(super) url: Option<String>,
}

/// Returns where a button leads.
pub(super) fn url_of(public_url: &str, webhook: &str, key: &str) -> String {
    let mut encoded = String::new();
    for byte in webhook.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            // Writing into a text can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    format!("{public_url}/hook/{encoded}?key={key}")
}

/// Returns the request that tells `notice` to a target; `None`: it isn't told by one.
///
/// # Errors
/// When a text of the target can't be evaluated.
pub(super) fn call_of(
    evaluator: &mut Evaluator,
    kind: &TargetKind,
    notice: &Notice,
    shown: &[Shown],
) -> Result<Option<HttpCall>, Failure> {
    Ok(match kind {
        TargetKind::Ntfy(ntfy) => Some(to_ntfy(ntfy, notice, shown)),
        TargetKind::Telegram(telegram) => Some(to_telegram(telegram, notice, shown)),
        TargetKind::Http(http) => {
            let urls: Vec<Option<String>> = shown.iter().map(|shown| shown.url.clone()).collect();
            Some(to_http(evaluator, http, &notice.variables(&urls))?)
        }
        TargetKind::Publish(_) => None,
    })
}

fn to_ntfy(ntfy: &NtfyTarget, notice: &Notice, shown: &[Shown]) -> HttpCall {
    let mut body = json!({ "topic": &*ntfy.topic, "message": notice.message });
    let mut add = |key: &str, value: Json| {
        if let Json::Object(entries) = &mut body {
            entries.insert(key.to_owned(), value);
        }
    };
    if !notice.title.is_empty() {
        add("title", json!(notice.title));
    }
    if let Some(priority) = notice.priority {
        add("priority", json!(priority));
    }
    if !notice.tags.is_empty() {
        add("tags", json!(notice.tags));
    }
    let actions: Vec<Json> = notice
        .buttons
        .iter()
        .zip(shown)
        .filter_map(|(button, shown)| {
            let url = shown.url.as_ref()?;
            Some(json!({ "action": "http", "label": button.text, "url": url, "method": "POST", "clear": true }))
        })
        .collect();
    if !actions.is_empty() {
        add("actions", json!(actions));
    }
    let token = ntfy.token.iter().map(|token| ("Authorization".to_owned(), format!("Bearer {token}")));
    post(format!("{}/", ntfy.server), token.collect(), &body)
}

fn to_telegram(telegram: &TelegramTarget, notice: &Notice, shown: &[Shown]) -> HttpCall {
    let text = match (notice.title.as_str(), notice.message.as_str()) {
        ("", message) => message.to_owned(),
        (title, message) => format!("{title}\n{message}"),
    };
    let mut body = json!({ "chat_id": &*telegram.chat, "text": cut(&text) });
    let mut add = |key: &str, value: Json| {
        if let Json::Object(entries) = &mut body {
            entries.insert(key.to_owned(), value);
        }
    };
    if !notice.title.is_empty() {
        // Telegram counts in units of UTF-16.
        let length = notice.title.encode_utf16().count().min(LONGEST_OF_TELEGRAM);
        add("entities", json!([{ "type": "bold", "offset": 0, "length": length }]));
    }
    if notice.priority.is_some_and(|priority| priority < 3) {
        add("disable_notification", json!(true));
    }
    if !notice.buttons.is_empty() {
        let row = |(button, shown): (&super::notice::NoticeButton, &Shown)| json!([{ "text": button.text, "callback_data": shown.key }]);
        let rows: Vec<Json> = notice.buttons.iter().zip(shown).map(row).collect();
        add("reply_markup", json!({ "inline_keyboard": rows }));
    }
    post(telegram.url("sendMessage"), Vec::new(), &body)
}

/// Returns the text as far as Telegram takes it.
fn cut(text: &str) -> String {
    if text.encode_utf16().count() <= LONGEST_OF_TELEGRAM {
        return text.to_owned();
    }
    let (mut kept, mut length) = (String::new(), 1);
    for letter in text.chars() {
        length += letter.len_utf16();
        if length > LONGEST_OF_TELEGRAM {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

fn post(url: String, mut headers: Vec<(String, String)>, body: &Json) -> HttpCall {
    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    HttpCall { method: "POST".to_owned(), url, headers, body: body.to_string().into_bytes(), timeout: TIMEOUT }
}

fn to_http(evaluator: &mut Evaluator, http: &Http, variables: &Map) -> Result<HttpCall, Failure> {
    // The rule may be gone: a target's texts read nothing of it.
    let rule = Rule::vacant();
    let scope = Scope {
        rule: &rule,
        memory: Arc::default(),
        firing: None,
        locals: variables,
        thread: ThreadScope::default(),
        each_message: Value::Null,
    };
    let reads = &mut Reads::default();
    let method = evaluator.text(&scope, &http.method, reads)?;
    let url = evaluator.text(&scope, &http.url, reads)?;
    let mut headers = Vec::new();
    for (name, value) in &http.headers {
        headers.push((evaluator.text(&scope, name, reads)?, evaluator.text(&scope, value, reads)?));
    }
    let body = match &http.body {
        Some(body) => evaluator.render(&scope, body, reads)?,
        None => Value::Map(Arc::new(variables.clone())),
    };
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if matches!(body, Value::Map(_) | Value::List(_)) && !has_type {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let timeout = evaluator.duration(&scope, &http.timeout, reads)?;
    Ok(HttpCall { method, url, headers, body: body.to_payload(), timeout })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_telegram_would_refuse_is_cut() {
        assert_eq!(cut("short"), "short");
        let cut = cut(&"ä🎉".repeat(3000));
        assert!(cut.encode_utf16().count() <= LONGEST_OF_TELEGRAM && cut.ends_with('…'));
    }

    #[test]
    fn a_webhook_of_any_name_has_a_url() {
        assert_eq!(url_of("https://home.example", "open door", "k"), "https://home.example/hook/open%20door?key=k");
    }
}
