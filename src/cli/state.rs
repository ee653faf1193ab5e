//! `homerule state`: what the home's topics hold.

use clap::Args;
use jiff::Timestamp;

use super::link::daemon_client::DaemonArguments;
use super::status::other_version;
use super::{Exit, Failure, print};
use crate::api::StateAnswer;
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
        let states: Vec<StateAnswer> = serde_json::from_value(answer).map_err(|error| other_version(&error))?;
        let rows: Vec<[String; 3]> = states.iter().map(|state| row(state, now)).collect();
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

fn row(state: &StateAnswer, now: Timestamp) -> [String; 3] {
    let escaped = |text: &str| text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
    let payload = state.told().in_words(escaped);
    let seconds = now.duration_since(state.at).as_secs().max(0).unsigned_abs();
    let age = format!("{} ago", format_duration(std::time::Duration::from_secs(seconds)));
    [state.topic.clone(), payload, age]
}
