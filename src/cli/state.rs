//! `homerule state`: what the home's topics hold.

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::link::daemon_client::DaemonArguments;
use super::{Exit, Failure, print};
use crate::model::{TopicFilter, format_duration};

/// Shows the last payload of topics, and how long ago it came.
#[derive(Debug, Args)]
pub(super) struct State {
    /// Which topics: `home/#`, `home/+/light`.
    filter: Option<String>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl State {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let filter = self.filter.as_deref().unwrap_or("#");
        let filter = TopicFilter::parse(filter).map_err(|error| Failure::new(format!("`{filter}`: {error}")))?;
        let query = self.filter.as_ref().map(|_| filter.plain());
        let query: Vec<(&str, &str)> = query.iter().map(|filter| ("filter", filter.as_str())).collect();
        let answer = self.daemon.client()?.get("/api/state", &query)?;
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let now = Timestamp::now();
        let rows: Vec<[String; 3]> = answer.as_array().into_iter().flatten().map(|state| row(state, now)).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let (topic_width, payload_width) = (width(0), width(1).min(60));
        for [topic, payload, age] in &rows {
            print::line(&format!("{topic:topic_width$}  {payload:payload_width$}  {age}"));
        }
        if rows.is_empty() {
            print::line("no topic has a state");
        }
        Ok(Exit::Well)
    }
}

fn row(state: &Value, now: Timestamp) -> [String; 3] {
    let text = |key: &str| state.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let payload = match state.get("payload") {
        Some(Value::String(payload)) if payload.is_empty() => match state.get("too_large").and_then(Value::as_u64) {
            Some(bytes) => format!("({bytes} bytes, too large to keep)"),
            None => "(empty)".to_owned(),
        },
        Some(Value::String(payload)) => payload.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'"),
        _ => "(no text)".to_owned(),
    };
    let at: Option<Timestamp> = text("at").parse().ok();
    let age = at.map_or(String::new(), |at| {
        let seconds = now.duration_since(at).as_secs().max(0).unsigned_abs();
        format!("{} ago", format_duration(std::time::Duration::from_secs(seconds)))
    });
    [text("topic"), payload, age]
}
