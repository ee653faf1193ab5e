//! A condition that is only read when its rule's trigger comes, and that changes meanwhile without waking the rule.
//!
//! Told only for lasting states of devices, asked beside a lasting state that wakes the rule: never for motion, light, time, modes,
//! presses, and never for notices. Silent wherever the order of both makes no difference, because another rule sees to it.

use crate::analysis::graph::{How, Node, Reading};
use crate::lang::Code;
use crate::rules::{Start, TriggerKind};

use super::words::{is_lasting, is_notice};
use super::{Checked, Claim, Suspicion};

pub(super) fn find(home: &Checked<'_>) -> Vec<Suspicion> {
    let mut found = Vec::new();
    for node in home.graph.rules.iter().filter(|node| node.rule.enabled && !node.rule.dry_run) {
        let acts = node.writes.iter().any(|writing| !is_notice(&writing.pattern, writing.value.as_ref()));
        let Some(wakes) = wakes(node).filter(|_| acts) else { continue };
        for asked in node.reads_of_devices().filter(|reading| reading.how == How::Asked) {
            if !is_lasting(&asked.pattern, &asked.path) || node.wakes().any(|wakes| wakes.pattern.meets(&asked.pattern))
            {
                continue;
            }
            let rule = &node.rule.id;
            found.push(Suspicion {
                code: Code::MISSING_TRIGGER,
                place: asked.place.clone(),
                related: vec![(wakes.place.clone(), "the rule only wakes here".to_owned())],
                message: format!(
                    "`{}` is only asked when the trigger comes: when it changes later, the rule does nothing",
                    asked.pattern
                ),
                help: "make it a `while` of both conditions, or add this topic as another trigger".to_owned(),
                rules: vec![rule.clone()],
                needs_witness: true,
                claim: Claim::OrderMatters {
                    rule: rule.clone(),
                    wakes: wakes.pattern.clone(),
                    asked: asked.pattern.clone(),
                },
            });
        }
    }
    found
}

/// Returns what wakes the rule, where that is a lasting state and nothing else does.
fn wakes(node: &Node) -> Option<&Reading> {
    let Start::When(triggers) = &node.rule.start else { return None };
    let lasts = triggers.iter().all(|trigger| matches!(&trigger.kind, TriggerKind::State(_) | TriggerKind::Device(_)));
    if lasts && node.wakes().all(|reading| is_lasting(&reading.pattern, &reading.path)) {
        node.wakes().next()
    } else {
        None
    }
}
