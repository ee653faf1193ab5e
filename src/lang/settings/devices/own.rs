//! Decodes devices that say nothing of themselves.

use std::sync::Arc;

use crate::devices::{Kind, OwnDevice, OwnProperty, OwnSet};
use crate::lang::Code;
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::settings::decoder::given;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::{TopicFilter, Value};

impl Reader<'_> {
    pub(super) fn own_device(&mut self, node: &Node) -> Option<OwnDevice> {
        let mut fields = Fields::of(node, "a device", &self.text, &mut self.findings)?;
        let name = fields.need("name", &self.text).and_then(|node| self.plain_text(node));
        let area = given(&mut fields, "area").and_then(|node| self.plain_text(node));
        let aliases = given(&mut fields, "aliases").map(|node| self.texts(node)).unwrap_or_default();
        let kind = given(&mut fields, "kind").and_then(|node| self.device_kind(node));
        let state = given(&mut fields, "state").and_then(|node| self.filter(node));
        let set = given(&mut fields, "set").and_then(|node| self.command_topic(node));
        let properties = match fields.need("properties", &self.text) {
            None => Vec::new(),
            Some(node) => match node.as_map() {
                Some(entries) => entries
                    .iter()
                    .filter_map(|entry| self.own_property(entry, (state.is_some(), set.is_some())))
                    .collect(),
                None => {
                    self.wrong_type(node, "a map of properties (`on: { path: state }`)");
                    Vec::new()
                }
            },
        };
        fields.finish(&mut self.findings);
        Some(OwnDevice { name: name?, area, aliases, kind, state, set, properties })
    }

    pub(in crate::lang) fn device_kind(&mut self, node: &Node) -> Option<Kind> {
        self.word(node, &Kind::ALL.map(|kind| (kind.as_str(), kind)))
    }

    fn own_property(&mut self, entry: &Entry, (is_said, is_set): (bool, bool)) -> Option<OwnProperty> {
        let name: Arc<str> = entry.key.as_str().into();
        let mut property = OwnProperty { name: Arc::clone(&name), ..OwnProperty::default() };
        if entry.value.is_null() {
            return Some(property);
        }
        let mut fields = Fields::of(&entry.value, "a property of a device", &self.text, &mut self.findings)?;
        property.path = given(&mut fields, "path").and_then(|node| self.keys(node)).unwrap_or_default();
        property.topic = given(&mut fields, "topic").and_then(|node| self.filter(node));
        property.values = given(&mut fields, "values").map(|node| self.words_of_device(node)).unwrap_or_default();
        property.unit = given(&mut fields, "unit").and_then(|node| self.plain_text(node));
        property.range = given(&mut fields, "range").and_then(|node| self.ends(node));
        property.set = given(&mut fields, "set").and_then(|node| self.own_set(node));
        fields.finish(&mut self.findings);
        if !(is_said || is_set || property.topic.is_some() || property.set.is_some()) {
            let message = format!("`{name}` has no topic: neither it nor its device says where it's said or set");
            let found = self.findings.error(Code::MISSING_KEY, entry.key_span.clone(), message);
            found.help("add `topic:` to it, or `state:` to its device");
        }
        Some(property)
    }

    fn own_set(&mut self, node: &Node) -> Option<OwnSet> {
        if node.as_map().is_none() {
            return Some(OwnSet { topic: self.command_topic(node)?, path: None });
        }
        let mut fields = Fields::of(node, "the `set` of a property", &self.text, &mut self.findings)?;
        let topic = fields.need("topic", &self.text).and_then(|node| self.command_topic(node));
        let path = given(&mut fields, "path").and_then(|node| self.keys(node));
        fields.finish(&mut self.findings);
        Some(OwnSet { topic: topic?, path })
    }

    /// Returns the topic of commands, which has no wildcard.
    fn command_topic(&mut self, node: &Node) -> Option<TopicFilter> {
        let topic = self.topic(node)?;
        TopicFilter::parse(topic.as_str()).ok()
    }

    /// Returns the keys of a path within maps: `state`, `a.b`.
    fn keys(&mut self, node: &Node) -> Option<Vec<Arc<str>>> {
        let text = self.plain_text(node)?;
        let keys: Vec<Arc<str>> = text.split('.').map(Arc::from).collect();
        if keys.iter().all(|key| !key.is_empty() && !key.contains(['[', ']'])) {
            return Some(keys);
        }
        let message = format!("`{text}` isn't a path of keys");
        self.findings
            .error(Code::BAD_PATH, node.span.clone(), message)
            .help("write `state`, or `a.b` for `{ a: { b: … } }`");
        None
    }

    /// Returns the device's word for each value of rules.
    fn words_of_device(&mut self, node: &Node) -> Vec<(Value, Value)> {
        match &node.kind {
            NodeKind::Map(entries) => {
                let word = |entry: &Entry| Some((entry.key_value.clone(), self.value(&entry.value)?));
                entries.iter().filter_map(word).collect()
            }
            // Words that are the same on both sides.
            NodeKind::List(items) => {
                let words: Vec<Value> = items.iter().filter_map(|item| self.value(item)).collect();
                words.into_iter().map(|word| (word.clone(), word)).collect()
            }
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {
                self.wrong_type(node, "a map of values to the device's words (`{ true: ON, false: OFF }`)");
                Vec::new()
            }
        }
    }

    fn ends(&mut self, node: &Node) -> Option<(f64, f64)> {
        let NodeKind::List(items) = &node.kind else {
            self.wrong_type(node, "a range (`[0, 100]`)");
            return None;
        };
        let ends: Vec<f64> = items.iter().filter_map(|item| self.number(item)).collect();
        match ends.as_slice() {
            [low, high] if low.to_bits() != high.to_bits() => Some((*low, *high)),
            _ => {
                let span = self.mark(node);
                self.findings.error(Code::OUT_OF_RANGE, span, "a range has two different ends: `[0, 100]`");
                None
            }
        }
    }
}
