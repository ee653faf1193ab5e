//! A state topic published as a command, or a command topic read as a state.
//!
//! Silent unless it's known that a device speaks there and listens elsewhere: by what it tells of itself, or by the habits of its
//! bridge. A rule that speaks for a device of its own making, with commands that it hears itself, means it.

use std::collections::BTreeSet;

use crate::analysis::graph::{How, Node, Writing};
use crate::analysis::{Pattern, state_of};
use crate::lang::Code;
use crate::model::{Topic, Value};

use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled) {
        let mut told = BTreeSet::new();
        for writing in &node.writes {
            // Once for each topic, however often the rule publishes there.
            let suspicion = published_state(home, node, writing);
            found.extend(suspicion.filter(|_| told.insert(writing.pattern.to_string())));
        }
        found.extend(read_command(home, node));
    }
    found
}

fn published_state(home: &Checked<'_>, node: &Node, writing: &Writing) -> Option<Suspicion> {
    let state = writing.pattern.as_topic()?;
    let command = command_of(home, &state, writing.value.as_ref())?;
    // A rule that hears the commands speaks for a device.
    let heard = Pattern::of_topic(&command);
    if home.graph.rules.iter().any(|node| node.wakes().any(|reading| reading.pattern.meets(&heard))) {
        return None;
    }
    Some(Suspicion {
        code: Code::STATE_AS_COMMAND,
        place: writing.place.clone(),
        related: Vec::new(),
        message: format!("`{state}` is where the device says what it does: publishing there commands nothing"),
        help: format!("publish to `{command}`"),
        rules: vec![node.rule.id.clone()],
        needs_witness: false,
        claim: Claim::Publishes { rule: node.rule.id.clone(), pattern: writing.pattern.clone() },
    })
}

/// Returns where the device listens that speaks on `state`; `None` where nobody else is known to speak there.
fn command_of(home: &Checked<'_>, state: &Topic, value: Option<&Value>) -> Option<Topic> {
    if home.known.is_command(state) {
        return None;
    }
    if let Some(command) = home.known.listens_on(state) {
        return Some(command.clone());
    }
    let text = state.as_str();
    let levels: Vec<&str> = text.split('/').collect();
    let is_spoken = home.known.topic(state).is_some_and(|heard| !heard.by.is_empty());
    let is_switch = |value: &Value| match value {
        Value::Map(map) => {
            ["state", "brightness", "position", "color_temp", "color"].iter().any(|key| map.contains_key(*key))
        }
        _ => false,
    };
    match levels.as_slice() {
        ["zigbee2mqtt", name] if *name != "bridge" && (is_spoken || value.is_some_and(is_switch)) => {
            Topic::parse(&format!("{text}/set")).ok()
        }
        ["stat", device, what] if what.starts_with("POWER") => Topic::parse(&format!("cmnd/{device}/{what}")).ok(),
        ["tele", device, _] => Topic::parse(&format!("cmnd/{device}/POWER")).ok(),
        _ if is_spoken => {
            let candidates = ["set", "command", "cmd"].map(|word| Topic::parse(&format!("{text}/{word}")).ok());
            let is_known = |command: &Topic| {
                let pattern = Pattern::of_topic(command);
                home.known.speaks(&pattern)
                    || home.graph.writers(&pattern).any(|(_, writing)| !writing.pattern.is_anything())
            };
            candidates.into_iter().flatten().find(is_known)
        }
        _ => None,
    }
}

fn read_command(home: &Checked<'_>, node: &Node) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for reading in node.reads.iter().filter(|reading| matches!(reading.how, How::Asked | How::Wakes)) {
        let Some(command) = reading.pattern.as_topic() else { continue };
        let told = home.known.answers_on(&command).cloned();
        let by_habit = || state_of(&command).filter(|state| home.known.speaks(&Pattern::of_topic(state)));
        let Some(state) = told.or_else(by_habit) else { continue };
        // Whoever reads both knows the difference; whoever speaks for the device hears its commands.
        let speaks = home
            .graph
            .rules
            .iter()
            .any(|node| node.writes.iter().any(|writing| writing.pattern.meets(&Pattern::of_topic(&state))));
        let knows = node.reads.iter().any(|reading| reading.pattern.meets(&Pattern::of_topic(&state)));
        let is_said = home.known.topic(&command).is_some_and(|heard| !heard.by.is_empty());
        if speaks || knows || is_said && reading.how == How::Wakes {
            continue;
        }
        found.push(Suspicion {
            code: Code::STATE_AS_COMMAND,
            place: reading.place.clone(),
            related: Vec::new(),
            message: format!("`{command}` is where the device is told what to do: what it does is said on `{state}`"),
            help: format!("read `{state}`"),
            rules: vec![node.rule.id.clone()],
            needs_witness: false,
            claim: Claim::ActsIf { rule: node.rule.id.clone(), topic: command, instead: state, values: Vec::new() },
        });
    }
    found
}
