//! What a rule writes: what it publishes, by itself, in a scene or from a script, and which other rules it steers.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::devices::Directory;
use crate::model::{Name, RuleId, Value};
use crate::rules::{Action, ActionKind, BlockId, Publish, RepeatKind, Rule, RuleReference};
use crate::script::{Closure, Piece, Template};

use super::devices;
use super::names::Names;
use super::{OtherRule, Writing};
use crate::analysis::{Level, Pattern};

/// What a rule writes: by topic, which inputs it sets, and which other rules it steers.
type Written = (Vec<Writing>, Vec<Name>, Vec<(OtherRule, RuleId)>);

/// Returns what `rule` writes, and which other rules it steers.
pub(super) fn of(rule: &Rule, devices: &Directory) -> Written {
    let mut writer = Writer {
        rule,
        devices,
        names: Names::of(rule),
        found: Vec::new(),
        sets: Vec::new(),
        steers: Vec::new(),
        seen: BTreeSet::new(),
    };
    for block in [rule.then, rule.otherwise].into_iter().flatten() {
        writer.block(block, false);
    }
    (writer.found, writer.sets, writer.steers)
}

struct Writer<'a> {
    rule: &'a Rule,
    devices: &'a Directory,
    names: Names<'a>,
    found: Vec<Writing>,
    sets: Vec<Name>,
    steers: Vec<(OtherRule, RuleId)>,
    seen: BTreeSet<BlockId>,
}

impl Writer<'_> {
    /// Looks at a list of actions, and returns whether time may pass in it.
    fn block(&mut self, block: BlockId, is_delayed: bool) -> bool {
        if !self.seen.insert(block) {
            return is_delayed;
        }
        let mut is_delayed = is_delayed;
        for action in self.rule.block(block) {
            self.action(action, is_delayed);
            // What ends a wait leads to what comes behind it; a time alone delays it.
            is_delayed |= matches!(action.kind, ActionKind::Delay(_) | ActionKind::Wait(_));
            let inner: Vec<bool> =
                action.kind.blocks().into_iter().map(|inner| self.block(inner, is_delayed)).collect();
            is_delayed |= inner.contains(&true)
                || matches!(&action.kind, ActionKind::Repeat { kind: RepeatKind::Every { .. }, .. });
        }
        is_delayed
    }

    fn action(&mut self, action: &Action, is_delayed: bool) {
        for message in action.kind.messages() {
            self.message(message, action, is_delayed);
        }
        match &action.kind {
            ActionKind::SceneByName(name) => {
                let scenes = self.rule.scenes.clone();
                let wanted = name.as_constant().map(ToString::to_string);
                let is_meant = |scene: &str| wanted.as_deref().is_none_or(|wanted| wanted == scene);
                for (_, scene) in scenes.iter().filter(|(scene, _)| is_meant(scene)) {
                    scene.messages().iter().for_each(|message| self.message(message, action, is_delayed));
                }
            }
            ActionKind::Set(set) => {
                for (pattern, value) in devices::told(self.devices, set) {
                    self.add(pattern, value, action, is_delayed);
                }
            }
            ActionKind::Input(values) => self.sets.extend(values.iter().map(|(name, _)| Arc::clone(name))),
            ActionKind::Script(closure) => self.closure(closure, action, is_delayed),
            ActionKind::Restore { to: Some(to), .. } => {
                for pattern in self.names.topics(to) {
                    self.add(pattern, None, action, is_delayed);
                }
            }
            ActionKind::Restore { to: None, .. } => self.add(Pattern::new(vec![Level::Many]), None, action, is_delayed),
            ActionKind::Switch { rule: RuleReference::Fixed(id), .. }
            | ActionKind::Cancel(RuleReference::Fixed(id))
            | ActionKind::Extend { rule: RuleReference::Fixed(id), .. }
            | ActionKind::Forget(RuleReference::Fixed(id)) => self.steers.push((OtherRule::Steers, id.clone())),
            _ => {}
        }
    }

    fn message(&mut self, message: &Publish, action: &Action, is_delayed: bool) {
        for pattern in self.names.topics(&message.topic) {
            self.add(pattern, constant(&message.payload), action, is_delayed);
        }
    }

    fn closure(&mut self, closure: &Closure, action: &Action, is_delayed: bool) {
        for call in closure.topic_calls() {
            match call.function.as_str() {
                "publish" => {
                    let value = call.value.map(|value| crate::model::Payload::from_value(&value).value().clone());
                    for pattern in self.names.topics_of_pieces(&call.topic) {
                        self.add(pattern, value.clone(), action, is_delayed);
                    }
                }
                "scene" => {
                    let name = match call.topic.as_slice() {
                        [Piece::Text(name)] => Some(name.as_str()),
                        _ => None,
                    };
                    let scenes = self.rule.scenes.clone();
                    for (_, scene) in scenes.iter().filter(|(scene, _)| name.is_none_or(|name| *name == ***scene)) {
                        scene.messages().iter().for_each(|message| self.message(message, action, is_delayed));
                    }
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, pattern: Pattern, value: Option<Value>, action: &Action, is_delayed: bool) {
        let (place, path) = (action.place.clone(), action.path.clone());
        self.found.push(Writing { pattern, value, is_delayed, place, path });
    }
}

/// Returns what a payload is, where it holds no expression: as the message is read.
fn constant(payload: &Template) -> Option<Value> {
    let read = |value: &Value| crate::model::Payload::from_value(value).value().clone();
    match payload {
        Template::Constant(value) => Some(read(value)),
        Template::Map(entries) => {
            let entry =
                |(key, value): &(Template, Template)| Some((key.as_constant()?.to_string().into(), constant(value)?));
            Some(Value::Map(entries.iter().map(entry).collect::<Option<crate::model::Map>>()?.into()))
        }
        Template::Expression(_) | Template::Text(_) | Template::List(_) => None,
    }
}
