//! A rule that wakes itself, or a circle of rules, through topics or through devices that answer.
//!
//! Silent wherever no message shows it: where a condition ends the circle, or a value that stays the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::analysis::graph::{Node, Writing};
use crate::analysis::{Pattern, state_of};
use crate::lang::Code;

use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let rules = &home.graph.rules;
    let next: Vec<Vec<(usize, &Writing)>> = rules.iter().map(|node| woken_by(home, node)).collect();
    let mut told: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut found = Vec::new();
    for start in 0..rules.len() {
        let Some(circle) = circle(start, &next) else { continue };
        let members: BTreeSet<usize> = circle.iter().copied().collect();
        if !told.insert(members) {
            continue;
        }
        let nodes: Vec<&Node> = circle.iter().filter_map(|index| rules.get(*index)).collect();
        let first = next.get(start).into_iter().flatten().find(|(to, _)| circle.get(1).unwrap_or(&start) == to);
        let Some((_, writing)) = first else { continue };
        let names: Vec<String> = nodes.iter().map(|node| format!("`{}`", node.rule.id)).collect();
        let message = match names.as_slice() {
            [one] => format!("{one} wakes itself by what it publishes, and goes on without end"),
            several => format!("these rules wake each other without end: {}", several.join(", then ")),
        };
        found.push(Suspicion {
            code: Code::WAKES_ITSELF,
            place: writing.place.clone(),
            related: nodes.iter().skip(1).map(|node| (node.rule.place.clone(), "it goes on here".to_owned())).collect(),
            message,
            help: "trigger on a change (`state:` with `to:`) instead of each message, or leave out what is so already with `if_changed: TOPIC`"
                .to_owned(),
            rules: nodes.iter().map(|node| node.rule.id.clone()).collect(),
            needs_witness: true,
            claim: Claim::Endless(nodes.iter().map(|node| node.rule.id.clone()).collect()),
        });
    }
    found
}

/// Returns the rules that what `node` publishes may wake.
fn woken_by<'a>(home: &Checked<'a>, node: &'a Node) -> Vec<(usize, &'a Writing)> {
    let mut found = Vec::new();
    for writing in node.writes.iter().filter(|writing| !writing.pattern.is_anything()) {
        let mut heard = vec![writing.pattern.clone()];
        let command = writing.pattern.as_topic();
        heard.extend(command.as_ref().and_then(|command| home.known.answers_on(command)).map(Pattern::of_topic));
        heard.extend(command.as_ref().and_then(state_of).map(|state| Pattern::of_topic(&state)));
        for (index, other) in home.graph.rules.iter().enumerate().filter(|(_, other)| other.rule.enabled) {
            if other.wakes().any(|reading| heard.iter().any(|heard| heard.meets(&reading.pattern))) {
                found.push((index, writing));
            }
        }
    }
    found
}

/// Returns the shortest way from a rule back to it.
fn circle(start: usize, next: &[Vec<(usize, &Writing)>]) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut waiting: VecDeque<usize> = [start].into();
    while let Some(from) = waiting.pop_front() {
        for (to, _) in next.get(from)? {
            if *to == start {
                let mut way = vec![from];
                while let Some(earlier) = way.last().filter(|last| **last != start).and_then(|last| before.get(last)) {
                    way.push(*earlier);
                }
                way.reverse();
                return Some(way);
            }
            if *to != start && !before.contains_key(to) {
                before.insert(*to, from);
                waiting.push_back(*to);
            }
        }
    }
    None
}
