//! What a rule reads: its triggers, its conditions, what it waits for, and what it puts into what it publishes.

use crate::devices::Directory;
use crate::model::{Place, RuleId, Value, input_topic};
use crate::rules::{
    Action, ActionKind, Condition, ConditionKind, IfChanged, Per, Question, RepeatKind, Rule, RuleReference, Ruleset,
    Snapshot, Start, Trigger, TriggerKind,
};
use crate::script::{Closure, Expression, Template};

use super::devices;
use super::names::Names;
use super::{How, OtherRule, Reading};
use crate::analysis::Pattern;

/// What a rule reads: by topic, by the name of a device or an input, and of other rules.
type Read = (Vec<Reading>, Vec<Reading>, Vec<(OtherRule, RuleId)>);

/// Returns what `rule` reads, and which other rules it asks of.
pub(super) fn of(rule: &Rule, rules: &Ruleset, devices: &Directory) -> Read {
    let mut reader =
        Reader { rule, rules, devices, names: Names::of(rule), found: Vec::new(), named: Vec::new(), asks: Vec::new() };
    match &rule.start {
        Start::When(triggers) => triggers.iter().for_each(|trigger| reader.trigger(trigger, How::Wakes)),
        Start::While(start) => {
            reader.condition(&start.condition, How::Wakes);
            if let Some(topic) = &rule.each_topic {
                reader.add(Pattern::of_topic(topic), How::Wakes, String::new(), &rule.place);
            }
        }
    }
    if let Some(condition) = &rule.condition {
        reader.condition(condition, How::Asked);
    }
    if let Some(condition) = rule.invariant.as_ref().and_then(|invariant| invariant.form.condition()) {
        reader.condition(condition, How::Used);
    }
    for (_, template) in &rule.variables {
        reader.template(template, &rule.place);
    }
    if let Per::Expressions(expressions) = &rule.per {
        for expression in expressions {
            reader.expression(expression, How::Used);
        }
    }
    for action in rule.actions() {
        reader.action(action);
    }
    (reader.found, reader.named, reader.asks)
}

struct Reader<'a> {
    rule: &'a Rule,
    rules: &'a Ruleset,
    devices: &'a Directory,
    names: Names<'a>,
    found: Vec<Reading>,
    named: Vec<Reading>,
    asks: Vec<(OtherRule, RuleId)>,
}

impl Reader<'_> {
    fn add(&mut self, pattern: Pattern, how: How, path: String, place: &Place) {
        self.found.push(Reading { pattern, how, path, is_optional: false, place: place.clone() });
    }

    fn found_by_name(&mut self, found: Option<(Pattern, String)>, how: How, place: &Place) {
        let reading = |(pattern, path)| Reading { pattern, how, path, is_optional: false, place: place.clone() };
        self.named.extend(found.map(reading));
    }

    fn trigger(&mut self, trigger: &Trigger, how: How) {
        let path = match &trigger.kind {
            TriggerKind::State(state) => state.field.to_string(),
            _ => String::new(),
        };
        if let TriggerKind::Device(heard) = &trigger.kind {
            for device in devices::chosen(self.devices, &heard.devices) {
                for (pattern, path) in devices::said(&device, &heard.property) {
                    self.add(pattern, how, path, &trigger.place);
                }
            }
            return;
        }
        if let Some(filter) = trigger.filter() {
            self.add(Pattern::of_filter(filter), how, path, &trigger.place);
        }
        match &trigger.kind {
            TriggerKind::Topic { condition: Some(Question::Expression(expression)), .. } => {
                self.expression(expression, How::Asked);
            }
            TriggerKind::Topic { condition: Some(Question::Closure(closure)), .. } => self.closure(closure),
            TriggerKind::AtExpression { expression, .. } => self.expression(expression, how),
            _ => {}
        }
    }

    fn condition(&mut self, condition: &Condition, how: How) {
        for part in condition.with_inner() {
            match &part.kind {
                ConditionKind::Expression(expression) => self.expression(expression, how),
                ConditionKind::State(state) => {
                    for pattern in self.names.topics(&state.topic) {
                        self.add(pattern, how, state.field.to_string(), &part.place);
                    }
                }
                ConditionKind::Device(asked) => {
                    let name = asked.device.as_constant().and_then(Value::as_text).unwrap_or_default();
                    for device in devices::named(self.devices, name) {
                        for (pattern, path) in devices::said(&device, &asked.property) {
                            self.add(pattern, how, path, &part.place);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn expression(&mut self, expression: &Expression, how: How) {
        let place = expression.source().place(0);
        for mention in expression.topics() {
            for pattern in self.names.topics_of_pieces(&mention.topic) {
                self.add(pattern, how, mention.path.clone(), &place);
                if let Some(last) = self.found.last_mut() {
                    last.is_optional = mention.is_optional;
                }
            }
        }
        for mention in expression.input_mentions() {
            let input = input_topic(&mention.input).map(|topic| (Pattern::of_topic(&topic), String::new()));
            self.found_by_name(input, how, &place);
        }
        for mention in expression.device_mentions() {
            let Some((property, _)) = &mention.property else { continue };
            for device in devices::named(self.devices, &mention.device) {
                for said in devices::said(&device, property) {
                    self.found_by_name(Some(said), how, &place);
                }
            }
        }
        for mention in expression.rule_mentions() {
            let named = mention.rule.as_ref().map(|name| self.rules.names.find(name, self.rule.id.file()));
            self.asks.extend(named.into_iter().flatten().map(|id| (OtherRule::Asks, id)));
        }
    }

    fn template(&mut self, template: &Template, _place: &Place) {
        for expression in template.expressions() {
            self.expression(expression, How::Used);
        }
    }

    fn closure(&mut self, closure: &Closure) {
        for call in closure.topic_calls() {
            if !call.reads() {
                continue;
            }
            for pattern in self.names.topics_of_pieces(&call.topic) {
                self.add(pattern, How::Asked, String::new(), &closure.place());
            }
        }
    }

    fn action(&mut self, action: &Action) {
        for condition in action.kind.conditions() {
            let how = match &action.kind {
                ActionKind::Wait(_) | ActionKind::Repeat { kind: RepeatKind::Every { .. }, .. } => How::Awaited,
                _ => How::Asked,
            };
            self.condition(condition, how);
        }
        for trigger in action.kind.triggers() {
            self.trigger(trigger, How::Awaited);
        }
        for message in action.kind.messages() {
            self.template(&message.topic, &action.place);
            self.template(&message.payload, &action.place);
            if let IfChanged::Topic(topic) = &message.if_changed {
                for pattern in self.names.topics(topic) {
                    self.add(pattern, How::Used, String::new(), &action.place);
                }
            }
        }
        match &action.kind {
            ActionKind::ChooseCase { on, .. } => self.expression(on, How::Asked),
            ActionKind::Script(closure) => self.closure(closure),
            ActionKind::Let(entries) | ActionKind::Remember(entries) => {
                for (_, template) in entries {
                    self.template(template, &action.place);
                }
            }
            ActionKind::Log { text, .. } => self.template(text, &action.place),
            ActionKind::Run { rule: RuleReference::Fixed(id), with, .. } => {
                self.asks.push((OtherRule::Runs, id.clone()));
                for (_, template) in with {
                    self.template(template, &action.place);
                }
            }
            ActionKind::Snapshot(snapshot) => self.snapshot(snapshot, action),
            _ => {}
        }
    }

    /// What is remembered is read.
    fn snapshot(&mut self, snapshot: &Snapshot, action: &Action) {
        let Some((patterns, remembered)) = devices::remembered(self.devices, snapshot) else {
            for pattern in self.names.topics(&snapshot.target) {
                self.add(pattern, How::Used, String::new(), &action.place);
            }
            return;
        };
        for pattern in patterns {
            self.add(pattern, How::Used, String::new(), &action.place);
        }
        for (pattern, path) in remembered.iter().flat_map(|device| devices::says(device)) {
            self.add(pattern, How::Used, path, &action.place);
        }
    }
}
