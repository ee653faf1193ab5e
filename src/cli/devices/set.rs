//! `homerule set`: commands a device.

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::link::daemon_client::{DaemonArguments, encoded};
use crate::cli::{Exit, Failure};

/// Commands a device: `homerule set "Hall lamp" on=true brightness=40%`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    /// The device's name or id.
    device: String,
    /// What its properties are to be: `on=true`, `brightness=40%`, `brightness=+10%`, `color=#ff0000`.
    #[arg(required = true, value_name = "PROPERTY=VALUE")]
    values: Vec<String>,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Set {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        let mut wanted = Map::default();
        for given in &self.values {
            let Some((property, value)) = given.split_once('=').filter(|(property, _)| !property.is_empty()) else {
                return Err(Failure::new(format!("`{given}` isn't `PROPERTY=VALUE`: write e.g. `on=true`")));
            };
            wanted.insert(property.to_owned(), read(value));
        }
        let path = format!("/api/devices/{}/set", encoded(&self.device));
        self.daemon.client()?.post_json(&path, &Value::Object(wanted))?;
        Ok(Exit::Well)
    }
}

/// Reads a value as YAML would: a boolean, a number, JSON, or else a text.
pub(super) fn read(text: &str) -> Value {
    // A sign or a percentage changes a value by so much: that is a text.
    if text.starts_with('+') || text.starts_with('-') {
        return Value::String(text.to_owned());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_read_as_in_a_rule() {
        for (text, value) in [
            ("true", json!(true)),
            ("40", json!(40)),
            ("40%", json!("40%")),
            ("+10", json!("+10")),
            ("-0.5", json!("-0.5")),
            ("#ff0000", json!("#ff0000")),
            ("{\"hue\":10,\"saturation\":50}", json!({ "hue": 10, "saturation": 50 })),
            ("heat", json!("heat")),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }
}
