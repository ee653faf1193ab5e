//! `homerule devices`: lists the devices, or keeps what they say of themselves in the home.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use clap::Args;
use serde_json::Value;

use crate::cli::link::daemon_client::DaemonArguments;
use crate::cli::{Exit, Failure, print};
use crate::lang::DEVICES_FILE;
use crate::model::format_duration;

/// Lists the devices that the daemon knows: what they are called, what they have and what they said.
#[derive(Debug, Args)]
pub(in crate::cli) struct Devices {
    /// Only those whose name, area, kind or id contains this.
    text: Option<String>,
    /// Write what they say of themselves to `devices.jsonl` in the home, for `check`, `test` and git.
    #[arg(long, conflicts_with_all = ["json", "text"])]
    save: bool,
    /// Write one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArguments,
}

impl Devices {
    pub(in crate::cli) fn execute(self) -> Result<Exit, Failure> {
        if self.save {
            return self.save();
        }
        let mut answer = self.daemon.client()?.get("/api/devices", &[])?;
        if let (Some(text), Some(devices)) = (&self.text, answer.get_mut("devices").and_then(Value::as_array_mut)) {
            devices.retain(|device| is_meant(device, text));
        }
        if self.json {
            print::json(&answer)?;
            return Ok(Exit::Well);
        }
        let devices = answer.get("devices").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for device in devices {
            show(device);
        }
        for found in answer.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
            print::line(&format!("{}: {}", text(found, "about"), text(found, "message")));
        }
        if devices.is_empty() {
            print::line("no device is known; docs/devices.md says what to switch on so that they are found");
        }
        Ok(Exit::Well)
    }

    fn save(&self) -> Result<Exit, Failure> {
        let lines = self.daemon.client()?.get_text("/api/devices-kept")?;
        let path = self.daemon.home().join(DEVICES_FILE);
        let before = fs::read_to_string(&path).unwrap_or_default();
        // Sorted by topic, so that a change of one device changes one line; what says the same stays as it is.
        let by_topic = |lines: &str| -> BTreeMap<String, String> {
            let parsed = lines.lines().filter_map(|line| Some((serde_json::from_str::<Value>(line).ok()?, line)));
            parsed.map(|(value, line)| (text(&value, "topic"), line.to_owned())).collect()
        };
        let (before, sorted) = (by_topic(&before), by_topic(&lines));
        let mut kept = String::new();
        for (topic, line) in &sorted {
            let same = before.get(topic).filter(|before| payload(before) == payload(line));
            kept.push_str(same.unwrap_or(line));
            kept.push('\n');
        }
        write(&path, &kept).map_err(|error| Failure::new(format!("`{}` can't be written: {error}", path.display())))?;
        let messages =
            if sorted.len() == 1 { "1 definition".to_owned() } else { format!("{} definitions", sorted.len()) };
        print::line(&format!("wrote {messages} to {}", path.display()));
        Ok(Exit::Well)
    }
}

/// Returns what a line of a recording says.
fn payload(line: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(line).ok()?;
    line.as_object_mut()?.remove("tst");
    Some(line)
}

/// Writes a file whole: a reader sees the old text or the new one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("jsonl.new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_meant(device: &Value, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    ["name", "area", "kind", "id", "model"].iter().any(|key| text(device, key).to_lowercase().contains(&wanted))
}

/// Writes a device, and a line for each property.
fn show(device: &Value) {
    let area = device.get("area").and_then(Value::as_str).map(|area| format!(" in {area}")).unwrap_or_default();
    let reach = match device.get("available").and_then(Value::as_bool) {
        Some(true) => ", available",
        Some(false) => ", not available",
        None => "",
    };
    let age = device.get("age").and_then(Value::as_f64).map_or("never heard".to_owned(), |seconds| {
        format!("heard {} ago", format_duration(Duration::from_secs_f64(seconds.floor().max(0.0))))
    });
    let model = device.get("model").and_then(Value::as_str).map(|model| format!(", {model}")).unwrap_or_default();
    print::line(&format!("{} ({}{area}{reach}, {age})", text(device, "label"), text(device, "kind")));
    print::line(&format!("  {}{model}", text(device, "id")));
    for property in device.get("properties").and_then(Value::as_array).into_iter().flatten() {
        let unit = property.get("unit").and_then(Value::as_str).map(|unit| format!(" {unit}")).unwrap_or_default();
        let value = match property.get("value") {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let takes = if property.get("can_set").and_then(Value::as_bool) == Some(true) {
            takes(property)
        } else {
            String::new()
        };
        print::line(&format!("  {:20} {value}{unit}{takes}", text(property, "name")));
    }
    if let Some(reason) = device.get("refuses").and_then(Value::as_str) {
        print::line(&format!("  can't be commanded: {reason}"));
    }
    for found in device.get("diagnostics").and_then(Value::as_array).into_iter().flatten() {
        print::line(&format!("  problem: {}", found.as_str().unwrap_or_default()));
    }
}

/// Returns what a property takes, in brackets.
fn takes(property: &Value) -> String {
    let words: Vec<&str> =
        property.get("words").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let number = |key: &str| property.get(key).and_then(Value::as_f64);
    let range = match (number("min"), number("max")) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        _ => None,
    };
    let is_boolean = property.get("type").and_then(Value::as_str) == Some("boolean");
    let first = if is_boolean { Some("true, false".to_owned()) } else { range };
    let all: Vec<String> = first.into_iter().chain(words.into_iter().map(str::to_owned)).collect();
    if all.is_empty() { "  [set]".to_owned() } else { format!("  [{}]", all.join(", ")) }
}
