//! A trigger or a condition that waits for a value which is never said: `true` where `ON` and `OFF` are, or a field that isn't there.
//!
//! Silent unless values of the topic are known: all of them, as a device tells them, or at least two, one of which was probably
//! meant. A rule that also accepts what is said means the other for other devices.

use crate::analysis::{Domain, Heard, Literal, Pattern, literals_of};
use crate::lang::{Code, nearest};
use crate::model::{Payload, Topic, Value, ValuePath};

use super::words::is_taken_for;
use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled) {
        let literals = literals_of(&node.rule);
        let mut seen: Vec<(&Pattern, &str)> = Vec::new();
        for literal in literals.iter().filter(|literal| !literal.is_unequal) {
            if seen.contains(&(&literal.pattern, &literal.path)) {
                continue;
            }
            seen.push((&literal.pattern, &literal.path));
            let group: Vec<&Literal> = literals
                .iter()
                .filter(|other| other.pattern == literal.pattern && other.path == literal.path && !other.is_unequal)
                .collect();
            if home.graph.writers(&literal.pattern).next().is_some() {
                continue;
            }
            if let Some((topic, why)) = never(home, &group) {
                found.push(suspicion(literal, &node.rule.id, topic, why));
            }
        }
    }
    found
}

/// Why a value is never said.
struct Why {
    message: String,
    help: String,
    values: Vec<(Payload, Payload)>,
}

/// Returns the topic and the reason why none of these values is ever said there.
fn never(home: &Checked<'_>, group: &[&Literal]) -> Option<(Topic, Why)> {
    let first = group.first()?;
    let path = ValuePath::parse(&first.path).ok()?;
    let heard: Vec<(&Topic, &Heard)> = home.known.matching(&first.pattern).collect();
    let (topic, _) = heard.first()?;
    let said: Vec<Value> = heard.iter().flat_map(|(_, heard)| heard.values(&path)).collect();
    let domains: Vec<&Domain> = heard.iter().filter_map(|(_, heard)| heard.domains.get(&first.path)).collect();
    let why = if said.is_empty() {
        missing(&first.path, &heard)?
    } else if group.iter().all(|literal| !literal.is_order) {
        unequal(group, &said, &domains)?
    } else if group.iter().all(|literal| literal.is_order) {
        unordered(group, &said)?
    } else {
        return None;
    };
    Some(((*topic).clone(), why))
}

/// The field isn't there, but one of a like name is.
fn missing(path: &str, heard: &[(&Topic, &Heard)]) -> Option<Why> {
    let payloads: Vec<&Payload> = heard.iter().flat_map(|(_, heard)| &heard.payloads).collect();
    let keys: Vec<String> = payloads
        .iter()
        .filter_map(|payload| match payload.value() {
            Value::Map(map) => Some(map.keys().map(ToString::to_string)),
            _ => None,
        })
        .flatten()
        .collect();
    let near = nearest(path, keys.iter().map(String::as_str)).filter(|_| !path.is_empty() && payloads.len() >= 2)?;
    Some(Why {
        message: format!("no message has a field `{path}`"),
        help: format!("did you mean `{near}`?"),
        values: Vec::new(),
    })
}

fn unequal(group: &[&Literal], said: &[Value], domains: &[&Domain]) -> Option<Why> {
    let is_said = |value: &Value| said.iter().any(|said| said.matches(value));
    if group.iter().any(|literal| is_said(&literal.value)) {
        return None;
    }
    let wanted = group.first()?;
    let meant = said.iter().find(|said| is_taken_for(&wanted.value, said));
    let is_whole = !domains.is_empty()
        && group.iter().all(|literal| domains.iter().all(|domain| !domain.contains(&literal.value)));
    if !(is_whole || (meant.is_some() && said.len() >= 2)) {
        return None;
    }
    let text = |value: &Value| value.to_json().to_string();
    let known: Vec<String> = said.iter().take(6).map(|value| format!("`{}`", text(value))).collect();
    let help = match meant {
        Some(meant) => format!("write `{}`", text(meant)),
        None => format!("it says {}", known.join(", ")),
    };
    let values =
        meant.map(|meant| (Payload::from_value(meant), Payload::from_value(&wanted.value))).into_iter().collect();
    Some(Why {
        message: format!("`{}` is never said there, only {}", text(&wanted.value), known.join(", ")),
        help,
        values,
    })
}

/// What isn't a number is never above or below one.
fn unordered(group: &[&Literal], said: &[Value]) -> Option<Why> {
    let is_number =
        |value: &Value| value.as_number().is_some() || value.as_text().is_some_and(|text| text.parse::<f64>().is_ok());
    let wanted = group.first()?;
    if said.len() < 2 || said.iter().any(is_number) {
        return None;
    }
    let known: Vec<String> = said.iter().take(6).map(|value| format!("`{}`", value.to_json())).collect();
    Some(Why {
        message: format!("what is said there is never above or below `{}`: only {}", wanted.value, known.join(", ")),
        help: "wait for one of these with `to:`, or name the field that holds the number".to_owned(),
        values: Vec::new(),
    })
}

fn suspicion(literal: &Literal, rule: &crate::model::RuleId, topic: Topic, why: Why) -> Suspicion {
    Suspicion {
        code: Code::NEVER_SAID,
        place: literal.place.clone(),
        related: Vec::new(),
        message: format!("this waits in vain on `{}`: {}", literal.pattern, why.message),
        help: why.help,
        rules: vec![rule.clone()],
        needs_witness: false,
        claim: Claim::ActsIf { rule: rule.clone(), topic: topic.clone(), instead: topic, values: why.values },
    }
}
