//! `homerule input`: shows the inputs, or sets one.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::link::daemon_client::{DaemonArguments, encoded};
use crate::cli::{Exit, Failure, print};

/// Shows the inputs, one of them, or sets one: `homerule input vacation on`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Input {
    /// The input's name.
    name: Option<String>,
    /// Its new value; `default` is what the file says.
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Input {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let client = self.daemon.client()?;
        if let (Some(name), Some(value)) = (&self.name, &self.value) {
            let value = match value.as_str() {
                "default" => Value::Null,
                text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
            };
            let answer = client.post_json(&format!("/api/inputs/{}", encoded(name)), &json!({ "value": value }))?;
            if self.json {
                print::json(&answer)?;
            }
            return Ok(Exit::Well);
        }
        let answer = client.get("/api/inputs", &[])?;
        let all = answer.as_array().cloned().unwrap_or_default();
        let is_it = |input: &Value| input.get("name").and_then(Value::as_str) == self.name.as_deref();
        let found: Vec<Value> = all.into_iter().filter(|input| self.name.is_none() || is_it(input)).collect();
        if let (Some(name), true) = (&self.name, found.is_empty()) {
            return Err(Failure::new(format!("there is no input `{name}`")));
        }
        if self.json {
            print::json(&Value::Array(found))?;
            return Ok(Exit::Well);
        }
        for input in &found {
            let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
            let value = match input.get("value") {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(true)) => "on".to_owned(),
                Some(Value::Bool(false)) => "off".to_owned(),
                Some(other) => other.to_string(),
            };
            print::line(&format!("{:24} {value} ({})", text("name"), text("type")));
        }
        if found.is_empty() {
            print::line("no rule file has `inputs:`");
        }
        Ok(Exit::Well)
    }
}
