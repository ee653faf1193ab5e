//! Checks of the whole home: mistakes that only show once all rules are read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Name, Place, RuleId};
use crate::rules::{Action, ActionKind, BlockId, Condition, ConditionKind, RepeatKind, Rule, RuleReference};

use crate::lang::diagnostic::findings::Findings;
use crate::lang::rule_file::RuleFile;
use crate::lang::text::FileText;
use crate::lang::{Code, Diagnostic, Label};

/// Checks `rules`, each with the text of its file.
pub(in crate::lang) fn check(rules: &[(FileText, Arc<Rule>)]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (text, rule) in rules {
        let mut findings = Findings::new(text.file());
        for block in &rule.blocks {
            for action in &block.actions {
                check_repeat(rule, action, text, &mut findings);
            }
        }
        found.extend(findings.into_vec());
    }
    found.extend(check_circles(rules));
    found
}

/// Reports rules with the same id: two files may differ only in their extension.
pub(in crate::lang) fn check_ids(files: &[Arc<RuleFile>]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&RuleId, Label> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for file in files {
        let mut findings = Findings::new(file.text.file());
        for rule in file.rules.iter().chain(&file.invariants) {
            let text = "the first one is here".to_owned();
            let label = Label { file: file.text.file(), span: rule.key_span.clone(), text };
            let Some(other) = first.get(&rule.id) else {
                first.insert(&rule.id, label);
                continue;
            };
            let message =
                format!("`{}` is in `{}` too, so two rules have the id `{}`", rule.id.key(), other.file, rule.id);
            let found = findings.error(Code::DUPLICATE_RULE, rule.key_span.clone(), message);
            found.related.push(other.clone());
            found.help("rename one of the files: an id starts with the file's path without its extension");
        }
        diagnostics.extend(findings.into_vec());
    }
    diagnostics
}

/// Reports inputs with the same name: each is one in the whole home.
pub(in crate::lang) fn check_inputs(files: &[Arc<RuleFile>]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&Name, Label> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for file in files {
        let mut findings = Findings::new(file.text.file());
        for (input, span) in &file.inputs {
            let text = "the first one is here".to_owned();
            let label = Label { file: file.text.file(), span: span.clone(), text };
            let Some(other) = first.get(&input.name) else {
                first.insert(&input.name, label);
                continue;
            };
            let message = format!("there are two inputs named `{}`", input.name);
            let found = findings.error(Code::BAD_NAME, span.clone(), message);
            found.related.push(other.clone());
            found.help("inputs are there for all files: give this one another name");
        }
        diagnostics.extend(findings.into_vec());
    }
    diagnostics
}

/// Reports a `repeat` that never ends: nothing in it waits, and nothing in it changes its condition.
fn check_repeat(rule: &Rule, action: &Action, text: &FileText, findings: &mut Findings) {
    let ActionKind::Repeat { kind: RepeatKind::While(condition) | RepeatKind::Until(condition), body } = &action.kind
    else {
        return;
    };
    let mut turn = Turn::default();
    turn.look_at(rule, *body);
    let asked = variables_of(condition);
    if turn.waits || turn.stops || asked.iter().any(|name| turn.sets.contains(name)) {
        return;
    }
    let span = span_of(&action.place, text);
    let message = "this `repeat` never ends: nothing in it waits or changes its condition";
    let found = findings.error(Code::ENDLESS_REPEAT, span, message);
    found.help("add a `delay`, or write `repeat: { every: 30s, until: … }`");
}

/// What one pass of a `repeat` does towards its end.
#[derive(Default)]
struct Turn {
    waits: bool,
    stops: bool,
    sets: BTreeSet<Name>,
}

impl Turn {
    fn look_at(&mut self, rule: &Rule, block: BlockId) {
        // The count of passes changes with each.
        self.sets.insert("repeat".into());
        for action in rule.block(block) {
            match &action.kind {
                ActionKind::Let(variables) => self.sets.extend(variables.iter().map(|(name, _)| name.clone())),
                ActionKind::Remember(_) | ActionKind::Script(_) => {
                    self.sets.insert("memory".into());
                }
                ActionKind::Stop(_) => self.stops = true,
                other => self.waits |= may_wait(other),
            }
            for inner in action.kind.blocks() {
                self.look_at(rule, inner);
            }
        }
    }
}

/// Returns whether time may pass while an action runs, not counting its inner lists.
fn may_wait(kind: &ActionKind) -> bool {
    match kind {
        ActionKind::Set(set) => set.confirm.is_some(),
        ActionKind::Publish(messages) => messages.iter().any(|message| message.confirm.is_some()),
        ActionKind::Delay(_)
        | ActionKind::Wait(_)
        | ActionKind::Http(_)
        | ActionKind::Exec(_)
        | ActionKind::Run { .. }
        | ActionKind::Repeat { kind: RepeatKind::Every { .. }, .. } => true,
        ActionKind::Scene { .. }
        | ActionKind::Input(_)
        | ActionKind::Notify(_)
        | ActionKind::SceneByName(_)
        | ActionKind::If { .. }
        | ActionKind::Choose { .. }
        | ActionKind::ChooseCase { .. }
        | ActionKind::Repeat { .. }
        | ActionKind::Parallel(_)
        | ActionKind::Let(_)
        | ActionKind::Remember(_)
        | ActionKind::Script(_)
        | ActionKind::Switch { .. }
        | ActionKind::Cancel(_)
        | ActionKind::Extend { .. }
        | ActionKind::Forget(_)
        | ActionKind::Resume(_)
        | ActionKind::Snapshot(_)
        | ActionKind::Restore { .. }
        | ActionKind::Log { .. }
        | ActionKind::Stop(_) => false,
    }
}

fn variables_of(condition: &Condition) -> BTreeSet<Name> {
    match &condition.kind {
        ConditionKind::Expression(expression) => expression.variables().clone(),
        ConditionKind::All(conditions) | ConditionKind::Any(conditions) => {
            conditions.iter().flat_map(variables_of).collect()
        }
        ConditionKind::Not(condition) => variables_of(condition),
        ConditionKind::State(_) | ConditionKind::Device(_) | ConditionKind::Time(_) | ConditionKind::Sun { .. } => {
            BTreeSet::new()
        }
    }
}

/// A rule that runs another before anything has waited.
struct Call<'a> {
    to: &'a RuleId,
    place: &'a Place,
}

/// Reports rules that run each other in a circle without waiting.
fn check_circles(rules: &[(FileText, Arc<Rule>)]) -> Vec<Diagnostic> {
    let mut calls: BTreeMap<&RuleId, Vec<Call<'_>>> = BTreeMap::new();
    for (_, rule) in rules {
        let mut found = Vec::new();
        if let Some(then) = rule.then {
            collect_calls(rule, then, &mut found);
        }
        calls.insert(&rule.id, found);
    }
    let texts: BTreeMap<Arc<str>, &FileText> = rules.iter().map(|(text, _)| (text.file(), text)).collect();
    let mut reported: BTreeSet<&RuleId> = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for (_, rule) in rules {
        if reported.contains(&rule.id) {
            continue;
        }
        let Some(circle) = circle_from(&rule.id, &calls) else { continue };
        reported.extend(circle.iter().map(|call| call.to));
        diagnostics.extend(report_circle(&rule.id, &circle, &texts));
    }
    diagnostics
}

/// Collects the rules that a list of actions runs before it waits, and returns whether it waits.
fn collect_calls<'a>(rule: &'a Rule, block: BlockId, found: &mut Vec<Call<'a>>) -> bool {
    for action in rule.block(block) {
        if let ActionKind::Run { rule: RuleReference::Fixed(to), .. } = &action.kind {
            found.push(Call { to, place: &action.place });
            continue;
        }
        if may_wait(&action.kind) {
            return true;
        }
        let mut all_wait = true;
        let inner = action.kind.blocks();
        for block in &inner {
            all_wait &= collect_calls(rule, *block, found);
        }
        if all_wait && matches!(&action.kind, ActionKind::Parallel(blocks) if !blocks.is_empty()) {
            return true;
        }
    }
    false
}

/// Returns the shortest chain of calls from `start` back to it.
fn circle_from<'a>(start: &RuleId, calls: &'a BTreeMap<&RuleId, Vec<Call<'a>>>) -> Option<Vec<&'a Call<'a>>> {
    let mut ways: Vec<Vec<&Call<'_>>> = calls.get(start)?.iter().map(|call| vec![call]).collect();
    let mut seen: BTreeSet<&RuleId> = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let Some(last) = way.last() else { continue };
            if last.to == start {
                return Some(way);
            }
            if !seen.insert(last.to) {
                continue;
            }
            for call in calls.get(last.to).into_iter().flatten() {
                longer.push(way.iter().copied().chain([call]).collect());
            }
        }
        ways = longer;
    }
    None
}

fn report_circle(start: &RuleId, circle: &[&Call<'_>], texts: &BTreeMap<Arc<str>, &FileText>) -> Option<Diagnostic> {
    let (first, others) = circle.split_first()?;
    let text = texts.get(&first.place.file)?;
    let names: Vec<String> = circle.iter().map(|call| format!("`{}`", call.to)).collect();
    let message = match others {
        [] => format!("the rule `{start}` runs itself without waiting"),
        _ => format!(
            "these rules run each other in a circle without waiting: `{start}` runs {}",
            names.join(", which runs ")
        ),
    };
    let mut findings = Findings::new(text.file());
    let found = findings.error(Code::RUN_CIRCLE, span_of(first.place, text), message);
    found.help("add a `delay` or a `wait` to one of them, or use `repeat`");
    for call in others {
        if let Some(text) = texts.get(&call.place.file) {
            let span = span_of(call.place, text);
            found.related.push(Label { file: text.file(), span, text: "it continues here".to_owned() });
        }
    }
    findings.into_vec().pop()
}

/// Returns the bytes from a place to the end of its line.
pub(super) fn span_of(place: &Place, text: &FileText) -> std::ops::Range<usize> {
    let start = text.offset(place);
    let end = text.line_range(text.line(start)).map_or(start, |line| line.end);
    text.first_line(&(start..end))
}
