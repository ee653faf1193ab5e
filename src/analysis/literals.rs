//! The values that rules compare topics with, as far as they're written out: what a home takes for different.

use crate::model::{Place, Value, ValuePath};
use crate::rules::{ActionKind, Condition, ConditionKind, Question, Range, Rule, Start, Trigger, TriggerKind};
use crate::script::{Expression, Read};

use super::graph::names::Names;
use super::{Graph, Pattern};

/// A value that something of a topic is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// Of which topics.
    pub pattern: Pattern,
    /// Which part of the value.
    pub path: String,
    /// With what.
    pub value: Value,
    /// Whether it's asked if it's more or less, rather than equal.
    pub is_order: bool,
    /// Whether it's asked if it's something else.
    pub is_unequal: bool,
    /// Where.
    pub place: Place,
}

/// Returns what the rules of `graph` compare topics with.
#[must_use]
pub fn literals(graph: &Graph) -> Vec<Literal> {
    graph.all().flat_map(|node| literals_of(&node.rule)).collect()
}

/// Returns what `rule` compares topics with.
#[must_use]
pub fn literals_of(rule: &Rule) -> Vec<Literal> {
    let mut finder =
        Finder { rule, names: Names::of(rule), place: rule.place.clone(), is_unequal: false, found: Vec::new() };
    rule.triggers().iter().for_each(|trigger| finder.trigger(trigger));
    if let Start::While(start) = &rule.start {
        finder.condition(&start.condition);
    }
    if let Some(condition) = &rule.condition {
        finder.condition(condition);
    }
    if let Some(condition) = rule.invariant.as_ref().and_then(|invariant| invariant.form.condition()) {
        finder.condition(condition);
    }
    for (_, template) in &rule.variables {
        template.expressions().into_iter().for_each(|expression| finder.expression(expression));
    }
    for action in rule.actions() {
        action.kind.triggers().iter().for_each(|trigger| finder.trigger(trigger));
        action.kind.conditions().into_iter().for_each(|condition| finder.condition(condition));
        if let ActionKind::ChooseCase { on, cases, .. } = &action.kind {
            let Some((read, path)) = on.accesses() else { continue };
            finder.place = action.place.clone();
            for case in cases {
                finder.add(&read, &path, &case.value, false);
            }
        }
    }
    finder.found
}

struct Finder<'a> {
    rule: &'a Rule,
    names: Names<'a>,
    place: Place,
    is_unequal: bool,
    found: Vec<Literal>,
}

impl Finder<'_> {
    fn trigger(&mut self, trigger: &Trigger) {
        self.place = trigger.place.clone();
        let Some(filter) = trigger.filter() else { return };
        let pattern = Pattern::of_filter(filter);
        match &trigger.kind {
            TriggerKind::Topic { payload, condition, .. } => {
                payload.iter().flatten().for_each(|value| self.pattern_value(&pattern, "", value));
                if let Some(Question::Expression(expression)) = condition {
                    self.expression(expression);
                }
            }
            TriggerKind::State(state) => {
                for value in state.from.iter().chain(&state.to).flatten() {
                    self.pattern_value(&pattern, &state.field.to_string(), value);
                }
                self.range(&pattern, &state.field, state.range.as_ref());
            }
            _ => {}
        }
    }

    fn condition(&mut self, condition: &Condition) {
        for part in condition.with_inner() {
            self.place = part.place.clone();
            match &part.kind {
                ConditionKind::Expression(expression) => self.expression(expression),
                ConditionKind::State(state) => {
                    for pattern in self.names.topics(&state.topic) {
                        for value in state.is.iter().flatten() {
                            self.pattern_value(&pattern, &state.field.to_string(), value);
                        }
                        self.range(&pattern, &state.field, state.range.as_ref());
                    }
                }
                _ => {}
            }
        }
    }

    fn expression(&mut self, expression: &Expression) {
        for compared in expression.comparisons() {
            self.place = expression.source().place(0);
            self.is_unequal = compared.is_unequal;
            self.add(&compared.read, &compared.path, &compared.with, compared.is_order);
        }
        self.is_unequal = false;
    }

    fn add(&mut self, read: &Read, path: &str, value: &Value, is_order: bool) {
        let (place, is_unequal) = (self.place.clone(), self.is_unequal);
        let mut add = |pattern: Pattern, path: String| {
            let (value, place) = (value.clone(), place.clone());
            self.found.push(Literal { pattern, path, value, is_order, is_unequal, place });
        };
        match read {
            Read::Topic(pieces) => {
                self.names.topics_of_pieces(pieces).into_iter().for_each(|pattern| add(pattern, path.to_owned()));
            }
            Read::Message => {
                if let Some(topic) = &self.rule.each_topic {
                    add(Pattern::of_topic(topic), path.to_owned());
                }
                for filter in self.rule.triggers().iter().filter_map(|trigger| trigger.filter()) {
                    add(Pattern::of_filter(filter), path.to_owned());
                }
            }
            Read::TriggerValue => {
                for trigger in self.rule.triggers() {
                    if let TriggerKind::State(state) = &trigger.kind {
                        let field = state.field.to_string();
                        let path = if field.is_empty() || path.is_empty() {
                            format!("{field}{path}")
                        } else {
                            format!("{field}.{path}")
                        };
                        add(Pattern::of_filter(&state.filter), path);
                    }
                }
            }
        }
    }

    /// Adds a value that matches key by key.
    fn pattern_value(&mut self, pattern: &Pattern, path: &str, value: &Value) {
        match value {
            Value::Map(entries) => {
                for (key, value) in entries.iter() {
                    let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                    self.pattern_value(pattern, &path, value);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.pattern_value(pattern, path, item)),
            value => {
                let (pattern, path, value) = (pattern.clone(), path.to_owned(), value.clone());
                let place = self.place.clone();
                self.found.push(Literal { pattern, path, value, is_order: false, is_unequal: false, place });
            }
        }
    }

    fn range(&mut self, pattern: &Pattern, path: &ValuePath, range: Option<&Range>) {
        for number in range.into_iter().flat_map(|range| [range.above, range.below]).flatten() {
            let value = Value::Float(number);
            let (pattern, path, place) = (pattern.clone(), path.to_string(), self.place.clone());
            self.found.push(Literal { pattern, path, value, is_order: true, is_unequal: false, place });
        }
    }
}
