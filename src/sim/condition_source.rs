//! What a rule's condition says, as it stands in its file: a trace names only its path.

use crate::model::RuleId;
use crate::rules::{
    ActionKind, Condition, ConditionKind, RepeatKind, Rule, RuleEntry, Ruleset, Start, Until, Wait, WaitFor,
};

/// Returns the text of the expression that stands at `path` in the rule `id`; `None` where another kind of condition,
/// or none, stands there.
pub(super) fn condition_source<'a>(rules: &'a Ruleset, id: &RuleId, path: &str) -> Option<&'a str> {
    let rule = rules.entries.iter().find_map(|entry| match entry {
        RuleEntry::Rule(rule) if rule.id == *id => Some(rule),
        RuleEntry::Rule(_) | RuleEntry::EachTopic(_) => None,
    })?;
    conditions(rule).into_iter().find_map(|condition| find(condition, path))
}

/// Returns the outermost conditions of a rule.
fn conditions(rule: &Rule) -> Vec<&Condition> {
    let mut found: Vec<&Condition> = rule.condition.iter().collect();
    if let Start::While(start) = &rule.start {
        found.push(&start.condition);
    }
    for action in rule.blocks.iter().flat_map(|block| &block.actions) {
        match &action.kind {
            ActionKind::If { condition, .. }
            | ActionKind::Wait(Wait { what: WaitFor::Until(condition), .. })
            | ActionKind::Repeat { kind: RepeatKind::While(condition) | RepeatKind::Until(condition), .. }
            | ActionKind::Repeat { kind: RepeatKind::Every { until: Until::Condition(condition), .. }, .. } => {
                found.push(condition);
            }
            ActionKind::Choose { branches, .. } => found.extend(branches.iter().map(|branch| &branch.condition)),
            ActionKind::Publish(_)
            | ActionKind::Scene { .. }
            | ActionKind::Script(_)
            | ActionKind::Delay(_)
            | ActionKind::Wait(_)
            | ActionKind::ChooseCase { .. }
            | ActionKind::Repeat { .. }
            | ActionKind::Parallel(_)
            | ActionKind::Let(_)
            | ActionKind::Remember(_)
            | ActionKind::Run { .. }
            | ActionKind::Switch { .. }
            | ActionKind::Cancel(_)
            | ActionKind::Log { .. }
            | ActionKind::Http(_)
            | ActionKind::Exec(_)
            | ActionKind::Stop(_) => {}
        }
    }
    found
}

fn find<'a>(condition: &'a Condition, path: &str) -> Option<&'a str> {
    match &condition.kind {
        ConditionKind::Expression(expression) if &*condition.path == path => Some(expression.source().as_str()),
        ConditionKind::All(inner) | ConditionKind::Any(inner) => inner.iter().find_map(|inner| find(inner, path)),
        ConditionKind::Not(inner) => find(inner, path),
        ConditionKind::Expression(_) | ConditionKind::State(_) | ConditionKind::Time(_) | ConditionKind::Sun { .. } => {
            None
        }
    }
}
