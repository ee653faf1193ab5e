//! A `for` that nothing ends: the topic is only known to say what holds, so it always runs out once it has begun; or one that never
//! runs out, because the value changes more often than that.
//!
//! Silent unless the topic is known to say the same again and nothing in between, and where a rule or a device may say otherwise.

use crate::analysis::Pattern;
use crate::lang::Code;
use crate::model::{Payload, Value};
use crate::rules::{StateTrigger, Trigger, TriggerKind};

use super::{Checked, Claim, Suspicion};

/// How many samples show how often a value changes.
const ENOUGH: usize = 10;

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled) {
        let waits = node.rule.actions().flat_map(|action| action.kind.triggers());
        for trigger in node.rule.triggers().iter().chain(waits) {
            let TriggerKind::State(state) = &trigger.kind else { continue };
            if state.hold.is_none() {
                continue;
            }
            let message = never_broken(home, state).or_else(|| never_over(home, state));
            found.extend(message.map(|(message, help)| suspicion(trigger, message, help, &node.rule.id)));
        }
    }
    found
}

fn suspicion(trigger: &Trigger, message: String, help: &str, rule: &crate::model::RuleId) -> Suspicion {
    Suspicion {
        code: Code::ENDLESS_FOR,
        place: trigger.place.clone(),
        related: Vec::new(),
        message,
        help: help.to_owned(),
        rules: vec![rule.clone()],
        needs_witness: false,
        claim: Claim::Runs(rule.clone()),
    }
}

/// All that is ever said holds.
fn never_broken(home: &Checked<'_>, state: &StateTrigger) -> Option<(String, &'static str)> {
    let pattern = Pattern::of_filter(&state.filter);
    let wanted = state.to.as_ref().filter(|_| state.range.is_none() && state.from.is_none())?;
    let heard: Vec<_> = home.known.matching(&pattern).collect();
    let values: Vec<Value> = heard.iter().flat_map(|(_, heard)| heard.values(&state.field)).collect();
    let holds = |value: &Value| wanted.iter().any(|wanted| value.matches(wanted));
    let is_told = heard.iter().any(|(_, heard)| !heard.domains.is_empty());
    let ends = heard
        .iter()
        .flat_map(|(_, heard)| &heard.payloads)
        .any(|payload: &Payload| !payload.value().at(&state.field).is_some_and(holds));
    let repeats = heard.iter().any(|(_, heard)| heard.repeats);
    if values.is_empty() || ends || is_told || !repeats || home.graph.writers(&pattern).next().is_some() {
        return None;
    }
    let text = values.first().map(|value| value.to_json().to_string()).unwrap_or_default();
    Some((
        format!("nothing ends this `for`: `{pattern}` is only known to say `{text}`, so a single message is enough"),
        "wait for silence instead (`silent: TOPIC`, `for: …`), or let the sensor say the opposite too",
    ))
}

/// The value changes more often.
fn never_over(home: &Checked<'_>, state: &StateTrigger) -> Option<(String, &'static str)> {
    if state.to.is_some() || state.from.is_some() || state.range.is_some() {
        return None;
    }
    let pattern = Pattern::of_filter(&state.filter);
    let hold = state.hold?;
    let never = |samples: &[(jiff::Timestamp, Payload)]| {
        let mut changes: Vec<jiff::Timestamp> = Vec::new();
        let mut last: Option<&Value> = None;
        for (at, payload) in samples {
            let Some(value) = payload.value().at(&state.field) else { continue };
            if last != Some(value) {
                changes.push(*at);
                last = Some(value);
            }
        }
        changes.len() >= ENOUGH
            && changes.windows(2).all(|pair| {
                let [one, other] = pair else { return true };
                u128::try_from(other.duration_since(*one).as_millis()).is_ok_and(|ms| ms < hold.as_millis())
            })
    };
    let (topic, _) = home.known.matching(&pattern).find(|(_, heard)| never(&heard.samples))?;
    Some((
        format!("this `for` never ends: `{topic}` was recorded to change more often, so it always begins anew"),
        "say which value must last: `to:`, `above:` or `below:`",
    ))
}
