//! Asks Telegram for answers: which buttons people pressed. Only while one may be pressed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::{debug, warn};

use crate::daemon::home::input::Link;
use crate::engine::HttpCall;
use crate::model::Payload;
use crate::rules::TelegramTarget;

use super::http;

/// How long Telegram waits for an answer before it says that there is none.
const LONG_POLL: Duration = Duration::from_secs(25);

/// How long a request may take beside that.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The most bytes of an answer.
const LONGEST_ANSWER: u64 = 1 << 20;

/// What somebody is told whose press does nothing.
const TOO_LATE: &str = "This button was pressed already, or its time is over.";

/// The bots that are asked.
pub(super) struct Bots {
    link: Link,
    by_url: BTreeMap<String, JoinHandle<()>>,
}

impl Bots {
    pub(super) fn new(link: Link) -> Bots {
        Bots { link, by_url: BTreeMap::new() }
    }

    /// Asks these from now on, as long as their buttons may be pressed.
    pub(super) fn ask(&mut self, targets: Vec<TelegramTarget>) {
        self.by_url.retain(|_, task| !task.is_finished());
        for target in targets {
            let link = self.link.clone();
            self.by_url.entry(target.url("getUpdates")).or_insert_with(|| tokio::spawn(listen(link, target)));
        }
    }
}

/// Asks one bot, until none of its buttons may be pressed, or the daemon stops.
async fn listen(link: Link, target: TelegramTarget) {
    let mut offset: Option<i64> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let asked = target.clone();
        let is_asked = link.act(move |home| home.asks_by_telegram().contains(&asked)).await;
        if !matches!(is_asked, Ok(true)) {
            return;
        }
        match updates(&target, offset).await {
            Ok(updates) => {
                pause = FIRST_PAUSE;
                for update in &updates {
                    let id = update["update_id"].as_i64();
                    offset = offset.max(id.map(|id| id + 1));
                    if take(&link, &target, &update["callback_query"]).await.is_err() {
                        return;
                    }
                }
            }
            Err(reason) => {
                if pause == FIRST_PAUSE {
                    warn!("Telegram doesn't say which buttons were pressed: {reason}. It's asked again.");
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Returns what happened since, as soon as something does.
async fn updates(target: &TelegramTarget, offset: Option<i64>) -> Result<Vec<Value>, String> {
    let mut body = json!({ "timeout": LONG_POLL.as_secs(), "allowed_updates": ["callback_query"] });
    if let (Some(offset), Value::Object(entries)) = (offset, &mut body) {
        entries.insert("offset".to_owned(), json!(offset));
    }
    let mut answer = call(target, "getUpdates", &body, LONG_POLL + PATIENCE).await?;
    match answer.get_mut("result").map(Value::take) {
        Some(Value::Array(updates)) => Ok(updates),
        _ => Err("it answered what isn't a list of updates".to_owned()),
    }
}

/// Presses the button that somebody pressed there.
async fn take(link: &Link, target: &TelegramTarget, query: &Value) -> Result<(), crate::daemon::home::input::Stopping> {
    let Some(id) = query["id"].as_str() else { return Ok(()) };
    let key = query["data"].as_str().unwrap_or_default().to_owned();
    let from = &query["from"];
    let by = from["username"].as_str().or_else(|| from["first_name"].as_str()).map(Arc::from);
    let is_pressed = link.act(move |home| home.press(None, &key, Payload::default(), by)).await?;
    // Once this is answered, what was pressed is on the disk: then Telegram may forget it.
    link.act(|_| ()).await?;
    let mut body = json!({ "callback_query_id": id });
    if let (false, Value::Object(entries)) = (is_pressed, &mut body) {
        entries.insert("text".to_owned(), json!(TOO_LATE));
    }
    if let Err(reason) = call(target, "answerCallbackQuery", &body, PATIENCE).await {
        debug!("Telegram wasn't told that a button was pressed: {reason}.");
    }
    Ok(())
}

/// Calls a method of the bot. What goes wrong is said without its token.
async fn call(target: &TelegramTarget, method: &str, body: &Value, timeout: Duration) -> Result<Value, String> {
    let call = HttpCall {
        method: "POST".to_owned(),
        url: target.url(method),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        timeout,
    };
    let done = spawn_blocking(move || -> Result<(u16, Vec<u8>), String> {
        let mut response = http::response(&call).map_err(|error| super::deliver::in_words(&error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        Ok((status, body.map_err(|error| super::deliver::in_words(&error))?))
    });
    let (status, body) = done.await.map_err(|_| "the request was cut off".to_owned())??;
    if !(200..300).contains(&status) {
        return Err(format!("it answered {status}"));
    }
    serde_json::from_slice(&body).map_err(|_| "it answered what isn't JSON".to_owned())
}
