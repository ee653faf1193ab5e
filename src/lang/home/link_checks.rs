//! Checks of a home that uses another broker: what only homerule's own broker can tell.

use std::sync::Arc;

use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;
use crate::lang::{Code, Diagnostic};
use crate::rules::{Rule, TriggerKind};

use super::checks::span_of;

/// Reports `client` triggers: another broker doesn't tell who connects.
pub(in crate::lang) fn check_clients(rules: &[(FileText, Arc<Rule>)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (text, rule) in rules {
        let mut findings = Findings::new(text.file());
        let waits = rule.actions().flat_map(|action| action.kind.triggers());
        for trigger in rule.triggers().iter().chain(waits) {
            if let TriggerKind::Client { .. } = trigger.kind {
                let message = "`client` never fires with `broker.url`: only homerule's own broker knows who connects";
                let help = "use what the device itself says, e.g. its availability topic";
                findings.warning(Code::KEY_WITHOUT_EFFECT, span_of(&trigger.place, text), message).help(help);
            }
        }
        found.extend(findings.into_vec());
    }
    found
}
