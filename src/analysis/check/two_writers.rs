//! Two rules that publish different values to one topic from one message or instant: which one counts is decided by their order.
//!
//! Silent about notices, about what is published after a delay, about maps without a key in common, about a rule that answers
//! what the other publishes there, and wherever no message shows it (conditions that exclude each other).

use crate::analysis::graph::{Node, Writing};
use crate::lang::Code;
use crate::rules::{Start, TriggerKind};

use super::words::{clash, is_notice};
use super::{Checked, Claim, Suspicion};

/// How many pairs are looked at.
const MOST: usize = 200;

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found: Vec<Suspicion> = Vec::new();
    let rules: Vec<&Node> = home.graph.rules.iter().filter(|node| node.rule.enabled && !node.rule.dry_run).collect();
    for (index, one) in rules.iter().enumerate() {
        for other in rules.iter().skip(index + 1).filter(|other| other.rule.id.maker() != one.rule.id.maker()) {
            if found.len() < MOST && may_wake_together(one, other) {
                found.extend(pair(one, other));
            }
        }
    }
    found
}

fn pair(one: &Node, other: &Node) -> Option<Suspicion> {
    let (first, second) = one.writes.iter().find_map(|first| {
        let second = other.writes.iter().find(|second| are_rivals(first, second))?;
        Some((first, second))
    })?;
    // A rule that answers what the other publishes there means to have the last word.
    let answers = |node: &Node, writing: &Writing| node.wakes().any(|reading| reading.pattern.meets(&writing.pattern));
    if answers(one, second) || answers(other, first) {
        return None;
    }
    let (a, b) = (&one.rule.id, &other.rule.id);
    Some(Suspicion {
        code: Code::TWO_WRITERS,
        place: second.place.clone(),
        related: vec![(first.place.clone(), "and here".to_owned())],
        message: format!(
            "`{a}` and `{b}` can publish different values to `{}` at the same moment: the later one in the files wins",
            second.pattern
        ),
        help: "give their conditions something that excludes the other, or make one rule of both".to_owned(),
        rules: vec![a.clone(), b.clone()],
        needs_witness: true,
        claim: Claim::Clash { one: a.clone(), other: b.clone(), pattern: second.pattern.clone() },
    })
}

fn are_rivals(one: &Writing, other: &Writing) -> bool {
    let is_command = |writing: &Writing| {
        !writing.is_delayed && !writing.pattern.is_anything() && !is_notice(&writing.pattern, writing.value.as_ref())
    };
    let may_clash = match (&one.value, &other.value) {
        (Some(one), Some(other)) => clash(one, other),
        _ => true,
    };
    is_command(one) && is_command(other) && may_clash && one.pattern.meets(&other.pattern)
}

/// Returns whether one message or time may wake both.
fn may_wake_together(one: &Node, other: &Node) -> bool {
    let hears = |node: &Node, by: &Node| {
        node.wakes().any(|reading| by.writes.iter().any(|writing| writing.pattern.meets(&reading.pattern)))
    };
    let in_common = one.wakes().any(|reading| other.wakes().any(|other| other.pattern.meets(&reading.pattern)));
    in_common || (is_timed(one) && is_timed(other)) || hears(one, other) || hears(other, one)
}

fn is_timed(node: &Node) -> bool {
    match &node.rule.start {
        Start::While(_) => true,
        Start::When(triggers) => triggers.iter().any(|trigger| {
            matches!(
                trigger.kind,
                TriggerKind::Schedule { .. }
                    | TriggerKind::AtExpression { .. }
                    | TriggerKind::Event(_)
                    | TriggerKind::Webhook(_)
            )
        }),
    }
}
