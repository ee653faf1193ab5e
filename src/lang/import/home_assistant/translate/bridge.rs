//! The automation that Home Assistant needs to carry out what it is asked for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Returns `homeassistant-bridge.yaml`: it allows only `actions`.
pub(in crate::lang::import::home_assistant) fn bridge(actions: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "# Add this to Home Assistant's automations: it carries out what homerule asks for, and nothing else.\n\
         - id: homerule_bridge\n\
         \x20 alias: homerule bridge\n\
         \x20 mode: parallel\n\
         \x20 max: 50\n\
         \x20 triggers:\n\
         \x20   - trigger: mqtt\n\
         \x20     topic: homerule/home_assistant/call\n\
         \x20 variables:\n\
         \x20   allowed:\n",
    );
    for action in actions {
        let _ = writeln!(text, "      - {action}");
    }
    text.push_str(
        "  conditions:\n\
         \x20   - condition: template\n\
         \x20     value_template: \"{{ trigger.payload_json.action in allowed }}\"\n\
         \x20 actions:\n\
         \x20   - choose:\n\
         \x20       - conditions: \"{{ trigger.payload_json.target.values() | map('count') | sum > 0 }}\"\n\
         \x20         sequence:\n\
         \x20           - action: \"{{ trigger.payload_json.action }}\"\n\
         \x20             target: \"{{ trigger.payload_json.target }}\"\n\
         \x20             data: \"{{ trigger.payload_json.data }}\"\n\
         \x20     default:\n\
         \x20       - action: \"{{ trigger.payload_json.action }}\"\n\
         \x20         data: \"{{ trigger.payload_json.data }}\"\n",
    );
    text
}
