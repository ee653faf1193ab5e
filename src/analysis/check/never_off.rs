//! Something that a rule switches on by itself and that nothing ever switches off.
//!
//! Silent wherever anything could: another rule or branch that publishes something else there, a template, a scene, a script, a
//! device or test that says something else there, a time that the command itself has. Silent too where a person presses, where the rule
//! yields to a person, and where the device was recorded to go off by another's hand: then a person may end it, where each message of a topic starts the rule whatever it says, and in a home of one rule, which has only
//! begun.

use std::collections::BTreeSet;

use crate::analysis::graph::{Node, Writing};
use crate::analysis::{Level, state_of};
use crate::lang::Code;
use crate::model::{Payload, Topic, Value};
use crate::rules::{ActionKind, Start, Trigger, TriggerKind};

use super::words::{HANDS, has_word, is_notice, is_on};
use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    if home.graph.rules.iter().map(|node| node.rule.id.maker()).collect::<BTreeSet<_>>().len() < 2 {
        return found;
    }
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled && !node.rule.dry_run) {
        let restores = node.rule.actions().any(|action| matches!(action.kind, ActionKind::Restore { .. }));
        if is_by_hand(node) || is_by_any_message(node) || restores || node.rule.yields.is_some() {
            continue;
        }
        for writing in &node.writes {
            let Some(value) = writing.value.as_ref().filter(|value| is_on(value)) else { continue };
            if writing.pattern.is_anything() || is_notice(&writing.pattern, Some(value)) || may_end(home, writing) {
                continue;
            }
            let (rule, pattern) = (node.rule.id.clone(), writing.pattern.clone());
            found.push(Suspicion {
                code: Code::NEVER_OFF,
                place: writing.place.clone(),
                related: Vec::new(),
                message: format!("`{pattern}` is switched on here, and no rule ever switches it off"),
                help: "add what ends it: an `else` to a `while`, a `delay` and the opposite, or a second rule"
                    .to_owned(),
                rules: vec![rule.clone()],
                needs_witness: true,
                claim: Claim::Lasts { rule, pattern },
            });
        }
    }
    found
}

/// Returns whether something may be sent there that isn't the same.
fn may_end(home: &Checked<'_>, writing: &Writing) -> bool {
    let says_other = |other: &Writing| other.value.as_ref().is_none_or(|value| !is_on(value));
    let by_rules = home.graph.writers(&writing.pattern).any(|(_, other)| says_other(other));
    let by_others = home
        .known
        .matching(&writing.pattern)
        .any(|(_, heard)| heard.payloads.iter().any(|payload| !is_on(payload.value())));
    let by_hand = writing.pattern.as_topic().is_some_and(|topic| was_switched_off(home, &topic, writing));
    // A group, a scene of the bridge or a master switch may reach it: a command to something of the same kind.
    let of_all = home.graph.rules.iter().flat_map(|node| &node.writes).any(|other| {
        let names_all = other.pattern.levels().iter().filter_map(Level::as_text).any(|level| {
            let level = level.to_ascii_lowercase();
            level.starts_with("all") || level.contains("group") || level.contains("scene") || level == "everything"
        });
        names_all && says_other(other)
    });
    by_rules || by_others || by_hand || of_all
}

/// Returns whether the device was recorded to go off after it was on, though no rule switches it off: somebody does.
fn was_switched_off(home: &Checked<'_>, command: &Topic, writing: &Writing) -> bool {
    let told = home.known.answers_on(command).cloned().or_else(|| state_of(command));
    let Some(heard) = told.and_then(|state| home.known.topic(&state)) else { return false };
    let key = match writing.value.as_ref() {
        Some(Value::Map(map)) => map.iter().find(|(_, value)| is_on(value)).map(|(key, _)| key.to_string()),
        _ => None,
    };
    let is_on_then = |payload: &Payload| match (payload.value(), &key) {
        (Value::Map(map), Some(key)) => map.get(key.as_str()).map(is_on),
        (Value::Map(map), None) => map.get("state").map(is_on),
        (value, _) => Some(is_on(value)),
    };
    let states: Vec<bool> = heard.samples.iter().filter_map(|(_, payload)| is_on_then(payload)).collect();
    states.windows(2).any(|pair| pair == [true, false])
}

/// Returns whether each message of a topic starts the rule, whatever it says: then the topic is a command, not a state.
fn is_by_any_message(node: &Node) -> bool {
    let Start::When(triggers) = &node.rule.start else { return false };
    let is_any = |trigger: &Trigger| matches!(&trigger.kind, TriggerKind::Topic { payload: None, condition: None, .. });
    node.rule.condition.is_none() && triggers.iter().any(is_any)
}

/// Returns whether a person starts the rule: a press, a hook, a message that no device says by itself.
fn is_by_hand(node: &Node) -> bool {
    let Start::When(triggers) = &node.rule.start else { return false };
    triggers.iter().all(|trigger| {
        let field = match &trigger.kind {
            TriggerKind::State(state) => state.field.to_string(),
            TriggerKind::Webhook(_) => return true,
            _ => String::new(),
        };
        trigger.filter().is_some_and(|filter| has_word(&format!("{filter}/{field}"), &HANDS))
            || matches!(trigger.kind, TriggerKind::Sequence(_))
    })
}
