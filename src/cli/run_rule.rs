//! `homerule run-rule`: runs a rule by hand.

use clap::Args;
use serde_json::{Map, Value, json};

use super::link::daemon_client::{DaemonArguments, encoded};
use super::{Exit, Failure};

/// Runs what a rule does, whether its conditions hold or not.
#[derive(Debug, Args)]
pub(super) struct RunRule {
    /// The rule: `tv:dim-lights`, or `dim-lights` alone.
    rule: String,
    /// A variable for it, `room=hall`; a value is read as a payload is.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    with: Vec<(String, Value)>,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl RunRule {
    pub(super) fn execute(self) -> Result<Exit, Failure> {
        let client = self.daemon.client()?;
        let with: Map<String, Value> = self.with.into_iter().collect();
        client.post_json(&format!("/api/rules/{}/run", encoded(&self.rule)), &json!({ "with": with }))?;
        Ok(Exit::Well)
    }
}

fn variable(text: &str) -> Result<(String, Value), String> {
    let Some((name, value)) = text.split_once('=') else { return Err("write it as `name=value`".to_owned()) };
    if name.is_empty() {
        return Err("it needs a name before the `=`".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}
