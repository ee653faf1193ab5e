//! A trial of each trigger.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::asked::{Reading, fulfilled, near, other};
use super::settle::{millis, settle};
use super::situation::{Situation, put, reading, wanted};
use super::tree::{items, plain, text, texts};
use crate::lang::import::home_assistant::write::Doc;
use crate::model::format_duration;

/// A test without its expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The rule's key.
    pub rule: String,
    /// The rule and all that it runs or asks for, as a test beside their files names them: `automations.yaml:hall-light`.
    pub rules: Vec<String>,
    /// Whether it's a start that triggers.
    pub is_start: bool,
    /// What the test is called.
    pub name: String,
    /// The local times at which it may begin: the first at which the rule runs is meant.
    pub starts: Vec<String>,
    /// Retained messages that are there before.
    pub given: BTreeMap<String, Json>,
    /// The steps, as a test file writes them.
    pub steps: Vec<Json>,
}

/// When tests begin, from the most likely time to the least: a Monday, then a Saturday.
const STARTS: [&str; 9] = [
    "2024-06-03T12:00:00",
    "2024-06-03T23:30:00",
    "2024-06-03T08:00:00",
    "2024-06-03T03:00:00",
    "2024-06-03T18:00:00",
    "2024-06-03T21:55:00",
    "2024-01-08T18:00:00",
    "2024-06-08T12:00:00",
    "2024-06-08T22:30:00",
];

/// The days on which something at a time of day is tried: from Monday to Sunday.
const DAYS: [&str; 7] =
    ["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06", "2024-06-07", "2024-06-08", "2024-06-09"];

/// Returns the trials of a rule, one for each trigger that can be made to fire.
pub(in crate::lang::import::home_assistant) fn trials(key: &str, title: &str, doc: &Doc) -> Vec<Trial> {
    let rule = plain(doc);
    if rule.get("enabled") == Some(&json!(false)) {
        return Vec::new();
    }
    let situation = Situation::of(&rule);
    let after = rule.get("then").map_or(1000, settle);
    let mut made: Vec<Attempt> = match rule.get("while") {
        Some(condition) => begin(condition, &rule, &situation).into_iter().collect(),
        None => {
            let triggers = rule.get("when").map(items).unwrap_or_default();
            let is_on = |trigger: &&Json| trigger.get("enabled") != Some(&json!(false));
            triggers.into_iter().filter(is_on).filter_map(|trigger| fire(trigger, &rule, &situation)).collect()
        }
    };
    let several = made.len() > 1;
    let numbered = made.drain(..).enumerate();
    numbered
        .map(|(index, attempt)| {
            let name = if several { format!("{title}, trigger {}", index + 1) } else { title.to_owned() };
            attempt.trial(key, name, after)
        })
        .collect()
}

/// What is done so that a trigger fires.
struct Attempt {
    situation: Situation,
    starts: Vec<String>,
    steps: Vec<Json>,
    is_start: bool,
}

impl Attempt {
    fn new(situation: Situation, steps: Vec<Json>) -> Attempt {
        let starts = STARTS.into_iter().map(ToOwned::to_owned).collect();
        Attempt { situation, starts, steps, is_start: false }
    }

    fn trial(self, key: &str, name: String, after: u64) -> Trial {
        let Attempt { situation, starts, steps, is_start } = self;
        let mut all: Vec<Json> = Vec::new();
        all.extend(situation.devices.into_iter().map(|(device, says)| json!({ "device": device, "says": says })));
        if !situation.inputs.is_empty() {
            all.push(json!({ "input": situation.inputs }));
        }
        all.extend(steps);
        all.push(json!({ "after": format_duration(Duration::from_millis(after)) }));
        let (rule, rules, given) = (key.to_owned(), Vec::new(), situation.topics);
        Trial { rule, rules, is_start, name, starts, given, steps: all }
    }
}

/// Makes a `while` begin: by what makes its condition hold.
fn begin(condition: &Json, rule: &Json, situation: &Situation) -> Option<Attempt> {
    let mut wished = Situation::default();
    for part in items(condition) {
        wished.fulfil(part);
    }
    let mut steps = Vec::new();
    let mut before = situation.clone();
    for (topic, payload) in &wished.topics {
        before.topics.remove(topic);
        steps.push(json!({ "publish": topic, "payload": payload }));
    }
    for (device, says) in &wished.devices {
        before.devices.remove(device);
        steps.push(json!({ "device": device, "says": says }));
    }
    if !wished.inputs.is_empty() {
        before.inputs.retain(|input, _| !wished.inputs.contains_key(input));
        steps.push(json!({ "input": wished.inputs }));
    }
    if steps.is_empty() {
        return None;
    }
    steps.extend(text(rule, "for").map(|hold| json!({ "after": hold })));
    Some(Attempt::new(before, steps))
}

/// Makes a trigger fire.
fn fire(trigger: &Json, rule: &Json, situation: &Situation) -> Option<Attempt> {
    if reading(trigger).is_some() {
        return changed(trigger, rule, situation);
    }
    if trigger.get("topic").is_some() {
        return heard(trigger, rule, situation);
    }
    if let Some(at) = trigger.get("at") {
        return at_time(items(at).first()?.as_str()?, situation);
    }
    if let Some(every) = text(trigger, "every") {
        let mut attempt = Attempt::new(situation.clone(), vec![json!({ "after": "20s" })]);
        let daily = millis(every).is_some_and(|every| every > 0 && 43_200_000 % every == 0);
        if !daily {
            attempt.steps = vec![json!({ "after": every })];
        }
        attempt.starts = ["12:00", "00:00", "18:00", "08:00", "22:00"].into_iter().map(shortly_before).collect();
        return Some(attempt);
    }
    if trigger.get("sun").is_some() {
        return Some(Attempt::new(situation.clone(), vec![json!({ "after": "1d" })]));
    }
    if let Some(cron) = text(trigger, "cron") {
        let is_hourly = cron.split(' ').rev().nth(3) == Some("*");
        let after = if is_hourly { "1h" } else { "1d" };
        return Some(Attempt::new(situation.clone(), vec![json!({ "after": after })]));
    }
    if let Some(hook) = text(trigger, "webhook") {
        return Some(Attempt::new(situation.clone(), vec![json!({ "webhook": hook, "payload": {} })]));
    }
    match text(trigger, "event") {
        Some("started") => {
            let steps = vec![json!({ "restart": "1s" })];
            Some(Attempt { is_start: true, ..Attempt::new(situation.clone(), steps) })
        }
        Some("stopping") => Some(Attempt::new(situation.clone(), vec![json!({ "restart": "10s" })])),
        _ => None,
    }
}

/// Makes a value change: from one that doesn't trigger to one that does.
fn changed(trigger: &Json, rule: &Json, situation: &Situation) -> Option<Attempt> {
    let reading = reading(trigger)?;
    let (mut before, mut steps) = (situation.clone(), Vec::new());
    let was = trigger.get("from").and_then(|from| items(from).into_iter().next().cloned());
    let is = wanted(trigger, "to");
    let (was, is) = match (was, is) {
        (Some(was), Some(is)) => (was, is),
        (Some(was), None) => {
            let is = other(&was);
            (was, is)
        }
        (None, Some(is)) => (outside(trigger, &is), is),
        (None, None) => known_pair(situation, &reading, rule),
    };
    match &reading {
        Reading::State(topic, path) => {
            before.set(&reading, was);
            let mut payload = before.topics.get(topic).cloned().unwrap_or(Json::Null);
            put(&mut payload, path.as_deref(), is, true);
            steps.push(json!({ "publish": topic, "payload": payload }));
        }
        Reading::Device(device, property) => {
            // An event has nothing before it.
            if property != "action" {
                before.set(&reading, was);
            }
            steps.push(json!({ "device": device, "says": { (property.clone()): is } }));
        }
        Reading::Input(input) => {
            before.set(&reading, was);
            steps.push(json!({ "input": { (input.clone()): is } }));
        }
        Reading::Message(_) => return None,
    }
    steps.extend(text(trigger, "for").map(|hold| json!({ "after": hold })));
    Some(Attempt::new(before, steps))
}

/// Returns a value outside of what triggers.
fn outside(trigger: &Json, is: &Json) -> Json {
    let bound = |key: &str| trigger.get(key).and_then(Json::as_f64);
    match (bound("above"), bound("below")) {
        (Some(above), _) => near(above - 1.0),
        (None, Some(below)) => near(below + 1.0),
        (None, None) => other(is),
    }
}

/// Returns two values of something that any change of triggers: the second is what the rule asks for, if it does.
fn known_pair(situation: &Situation, reading: &Reading, rule: &Json) -> (Json, Json) {
    let known = match reading {
        Reading::State(topic, None) => situation.topics.get(topic).cloned(),
        Reading::State(topic, Some(path)) => situation
            .topics
            .get(topic)
            .and_then(|payload| payload.pointer(&format!("/{}", path.replace('.', "/"))))
            .cloned(),
        Reading::Device(device, property) => situation.devices.get(device).and_then(|says| says.get(property)).cloned(),
        Reading::Input(input) => situation.inputs.get(input).cloned(),
        Reading::Message(_) => None,
    };
    // What is asked of the value that triggers.
    let mut is_number = false;
    texts(rule, &mut |text| {
        is_number |= ["number(value", "number(old", "ha::int(value"].iter().any(|sign| text.contains(sign));
    });
    let other_value = if is_number { json!(20) } else { json!("on") };
    let is = known.filter(|value| !value.is_object()).unwrap_or(other_value);
    (other(&is), is)
}

/// Lets a message come.
fn heard(trigger: &Json, rule: &Json, situation: &Situation) -> Option<Attempt> {
    let topic = text(trigger, "topic")?;
    let levels: Vec<&str> =
        topic.split('/').map(|level| if level.starts_with(['+', '#']) { "any" } else { level }).collect();
    let mut payload = trigger.get("payload").and_then(|payload| items(payload).into_iter().next().cloned());
    let conditions = rule.get("if").map(items).unwrap_or_default();
    let conditions = conditions.into_iter().filter_map(Json::as_str).chain(text(trigger, "where"));
    for condition in conditions {
        for (reading, value) in fulfilled(condition) {
            if let Reading::Message(path) = reading {
                let mut whole = payload.take().unwrap_or(Json::Null);
                put(&mut whole, path.as_deref(), value, true);
                payload = Some(whole);
            }
        }
    }
    let payload = payload.unwrap_or_else(|| json!("on"));
    let mut before = situation.clone();
    before.topics.remove(topic);
    Some(Attempt::new(before, vec![json!({ "publish": levels.join("/"), "payload": payload })]))
}

/// Lets it be a time of day.
fn at_time(at: &str, situation: &Situation) -> Option<Attempt> {
    if at.starts_with("${") {
        return Some(Attempt::new(situation.clone(), vec![json!({ "after": "1d" })]));
    }
    let mut attempt = Attempt::new(situation.clone(), vec![json!({ "until": at })]);
    let minute = at.get(..5)?;
    attempt.starts = DAYS.iter().map(|day| on_day(day, minute)).collect();
    Some(attempt)
}

/// Returns a moment ten seconds before a minute of the first day.
fn shortly_before(minute: &str) -> String {
    on_day("2024-06-03", minute)
}

/// Returns a moment shortly before a minute of a day; at midnight, of the day before.
fn on_day(day: &str, minute: &str) -> String {
    let (hour, minute) = minute.split_once(':').unwrap_or((minute, "0"));
    let (hour, minute) = (hour.parse::<u32>().unwrap_or(0), minute.parse::<u32>().unwrap_or(0));
    let (day_number, rest) = (day.get(8..).and_then(|number| number.parse::<u32>().ok()).unwrap_or(3), day.get(..8));
    let total = hour * 60 + minute;
    let (day_number, total) = if total == 0 { (day_number - 1, 24 * 60) } else { (day_number, total) };
    let before = total - 1;
    format!("{}{day_number:02}T{:02}:{:02}:50", rest.unwrap_or("2024-06-"), before / 60, before % 60)
}
