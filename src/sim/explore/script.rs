//! A journal as the steps of a test.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lang::Yaml;
use crate::model::format_duration;

use super::journal::{Act, Entry, Journal};
use super::world::{Home, Outcome, World};

/// Returns when a test of a journal begins, in local time.
pub(in crate::sim) fn begin(home: &Home, journal: &Journal) -> Yaml {
    let zone = home.options.calendar.zone.clone();
    Yaml::text(journal.start.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// Returns whether the devices of the home do what they are told, as a key of a test.
pub(in crate::sim) fn obeying(home: &Home) -> Option<(String, Yaml)> {
    home.obey.knows_devices().then(|| ("devices".to_owned(), Yaml::text("obey")))
}

/// Returns the way from a test at `path` of a home to the folder of its rules.
pub(in crate::sim) fn way_to_rules(path: &str, folder: &str) -> String {
    format!("{}{folder}", "../".repeat(path.matches('/').count()))
}

/// Returns a journal as steps, with what devices answer, where that is told. `rules` is the way to the folder of the rules.
///
/// # Errors
/// When a test can't tell it; in words.
pub(in crate::sim) fn steps(
    home: &Home,
    journal: &Journal,
    rules: &str,
    tells_answers: bool,
) -> Result<Vec<Yaml>, String> {
    let mut steps = Vec::new();
    let mut world = World::start(home, journal.start);
    for entry in &journal.entries {
        world.note_outcomes();
        let before = world.now;
        world.apply(entry);
        let mut answers: Vec<(Duration, Yaml)> = Vec::new();
        for outcome in world.outcomes.take().unwrap_or_default() {
            let Outcome::Answered { at, topic, payload } = outcome else { continue };
            // Tests let devices answer by themselves.
            if home.obey.is_of_device(&topic) {
                continue;
            }
            let at = Duration::try_from(at.duration_since(before)).unwrap_or_default();
            answers.push((at, inline([("publish", json!(topic.as_str())), ("payload", payload.value().to_json())])));
        }
        if !tells_answers {
            answers.clear();
        }
        let (early, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(at, _)| *at < entry.after);
        let mut passed = Duration::ZERO;
        for (at, answer) in early {
            steps.extend(pass(at.saturating_sub(passed)));
            passed = passed.max(at);
            steps.push(answer);
        }
        steps.extend(pass(entry.after.saturating_sub(passed)));
        steps.extend(step(entry, rules)?);
        steps.extend(late.into_iter().map(|(_, answer)| answer));
    }
    Ok(steps)
}

fn pass(time: Duration) -> Option<Yaml> {
    (!time.is_zero()).then(|| inline([("after", Value::from(format_duration(time)))]))
}

fn step(entry: &Entry, rules: &str) -> Result<Option<Yaml>, String> {
    Ok(Some(match &entry.act {
        Act::Say { topic, payload, retain } => {
            if payload.text().is_none() {
                return Err("a test can't say bytes that aren't text".to_owned());
            }
            let retain = retain.then(|| ("retain", json!(true)));
            let said = [("publish", json!(topic.as_str())), ("payload", payload.value().to_json())];
            inline(said.into_iter().chain(retain))
        }
        Act::Pass => return Ok(None),
        Act::Restart(down) => inline([("restart", Value::from(format_duration(*down)))]),
        Act::Kill(down) => inline([("restart", json!({ "down": format_duration(*down), "killed": true }))]),
        Act::Reload => inline([("reload", json!(rules))]),
        Act::Webhook(name) => inline([("webhook", json!(&**name))]),
        Act::Client(id, is_connected) => {
            let is = if *is_connected { "connected" } else { "disconnected" };
            inline([("client", json!({ "id": &**id, "is": is }))])
        }
    }))
}

/// Returns a map on one line.
pub(in crate::sim) fn inline<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Yaml {
    Yaml::Inline(entries.into_iter().map(|(key, value)| (key.to_owned(), Yaml::Value(value))).collect())
}
