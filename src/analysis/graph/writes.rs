//! What a rule writes: what it publishes, by itself, in a scene or from a script, and which other rules it steers.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::devices::Directory;
use crate::model::{Name, RuleId, Value};
use crate::rules::{
    Action, ActionKind, BlockId, Notify, Publish, RepeatKind, Rule, RuleEntry, RuleReference, Ruleset, SetAction,
    Snapshot, TargetKind, snapshot_key, snapshot_name,
};
use crate::script::{Closure, Piece, Template, TopicCall};

use super::devices;
use super::names::Names;
use super::{OtherRule, Writing};
use crate::analysis::Pattern;

/// What a rule writes: by topic, which inputs it sets, and which other rules it steers.
type Written = (Vec<Writing>, Vec<Name>, Vec<(OtherRule, RuleId)>);

/// Returns what `rule` writes, and which other rules it steers.
pub(super) fn of(rule: &Rule, rules: &Ruleset, devices: &Directory) -> Written {
    let mut writer = Writer {
        rule,
        devices,
        rules,
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
    rules: &'a Ruleset,
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
        for set in action.kind.sets() {
            self.set(set, action, is_delayed);
        }
        match &action.kind {
            ActionKind::SceneByName(name) => {
                let scenes = self.rule.scenes.clone();
                let wanted = name.as_constant().map(ToString::to_string);
                let is_meant = |scene: &str| wanted.as_deref().is_none_or(|wanted| wanted == scene);
                for (_, scene) in scenes.iter().filter(|(scene, _)| is_meant(scene)) {
                    self.scene(scene, action, is_delayed);
                }
            }
            ActionKind::Input(values) => self.sets.extend(values.iter().map(|(name, _)| Arc::clone(name))),
            ActionKind::Script(closure) => self.closure(closure, action, is_delayed),
            ActionKind::Notify(notify) => self.notify(notify, action, is_delayed),
            ActionKind::Restore { name, to } => self.restore(name, to.as_ref(), action, is_delayed),
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

    fn scene(&mut self, scene: &ActionKind, action: &Action, is_delayed: bool) {
        scene.messages().iter().for_each(|message| self.message(message, action, is_delayed));
        scene.sets().iter().for_each(|set| self.set(set, action, is_delayed));
    }

    fn set(&mut self, set: &SetAction, action: &Action, is_delayed: bool) {
        for (pattern, value) in devices::told(self.devices, set) {
            self.add(pattern, value, action, is_delayed);
        }
    }

    /// What a snapshot remembered is put back: topics where `to` says, devices where they listen.
    fn restore(&mut self, name: &Template, to: Option<&Template>, action: &Action, is_delayed: bool) {
        let name = name.as_constant().map(snapshot_name);
        let file = self.rule.id.file();
        let mut patterns: BTreeSet<Pattern> = BTreeSet::new();
        for (id, snapshot) in snapshots(self.rule, self.rules) {
            let is_it = match (&name, snapshot.fixed_name()) {
                (Some(name), Some(taken)) => {
                    let key = snapshot_key(id.file(), &taken);
                    *name == key || snapshot_key(file, name) == key
                }
                _ => id.file() == file,
            };
            if !is_it {
                continue;
            }
            let (topics, remembered) = devices::remembered(self.devices, snapshot)
                .map_or((true, Vec::new()), |(topics, remembered)| (!topics.is_empty(), remembered));
            if let Some(to) = to.filter(|_| topics) {
                patterns.extend(self.names.topics(to));
            }
            patterns.extend(remembered.iter().flat_map(|device| devices::listens(device)));
        }
        for pattern in patterns {
            self.add(pattern, None, action, is_delayed);
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
                        self.scene(scene, action, is_delayed);
                    }
                }
                "set" => self.set_in_script(&call, action, is_delayed),
                _ => {}
            }
        }
    }

    /// A script commands a device whose name is written out: `set("Hall lamp", #{ on: true })`.
    fn set_in_script(&mut self, call: &TopicCall, action: &Action, is_delayed: bool) {
        let [Piece::Text(name)] = call.topic.as_slice() else { return };
        let set = SetAction {
            target: Template::Constant(Value::text(name.as_str())),
            to: Template::Constant(call.value.clone().unwrap_or_default()),
            if_changed: false,
            confirm: None,
        };
        self.set(&set, action, is_delayed);
    }

    /// Targets of notifications may be topics.
    fn notify(&mut self, notify: &Notify, action: &Action, is_delayed: bool) {
        let named = match notify.targets.as_constant() {
            Some(Value::List(names)) => Some(names.iter().filter_map(Value::as_text).collect::<Vec<_>>()),
            Some(name) => Some(name.as_text().into_iter().collect()),
            None => None,
        };
        let rules = self.rules;
        for target in rules.targets.iter() {
            let is_meant = named.as_ref().is_none_or(|named| named.contains(&&*target.name));
            if let (true, TargetKind::Publish(message)) = (is_meant, &target.kind) {
                for pattern in self.names.topics(&message.topic) {
                    self.add(pattern, None, action, is_delayed);
                }
            }
        }
    }

    fn add(&mut self, pattern: Pattern, value: Option<Value>, action: &Action, is_delayed: bool) {
        let (place, path) = (action.place.clone(), action.path.clone());
        self.found.push(Writing { pattern, value, is_delayed, place, path });
    }
}

/// Returns the snapshots that `rule` and the others of its home take, each with the id of the rule.
fn snapshots<'a>(rule: &'a Rule, rules: &'a Ruleset) -> impl Iterator<Item = (&'a RuleId, &'a Snapshot)> {
    let others = rules.entries.iter().filter_map(|entry| match entry {
        RuleEntry::Rule(other) if other.id != rule.id => Some(&**other),
        RuleEntry::Rule(_) | RuleEntry::EachTopic(_) => None,
    });
    std::iter::once(rule).chain(others).flat_map(|rule| {
        rule.actions().filter_map(|action| match &action.kind {
            ActionKind::Snapshot(snapshot) => Some((&rule.id, snapshot)),
            _ => None,
        })
    })
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
