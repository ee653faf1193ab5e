//! Decodes `expect_notify`: what people must have been told.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::Value;

use super::decoder::Decoder;
use super::{Expected, ExpectedCall, Pattern};

impl Decoder<'_> {
    /// Returns what targets must have been told: a map in any order, or a list in this one.
    pub(super) fn expected_notices(&mut self, node: &Node) -> Option<Expected<ExpectedCall>> {
        let is_nothing = |node: &Node| node.as_scalar().is_some_and(|scalar| scalar.text.as_str() == "nothing");
        match &node.kind {
            NodeKind::Map(entries) => self.notices(entries).map(Expected::AnyOrder),
            NodeKind::List(items) => {
                let read: Vec<_> = items
                    .iter()
                    .map(|item| match item.as_map() {
                        Some(entries) => self.notices(entries),
                        None => {
                            self.wrong_type(item, "a map of a target to what it's told");
                            None
                        }
                    })
                    .collect();
                let read: Option<Vec<Vec<ExpectedCall>>> = read.into_iter().collect();
                read.map(|read| Expected::InOrder(read.into_iter().flatten().collect()))
            }
            NodeKind::Scalar(_) if is_nothing(node) => Some(Expected::AnyOrder(Vec::new())),
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {
                self.wrong_type(
                    node,
                    "a map of targets to what they're told (`{ phone: The washing is done. }`), or `nothing`",
                );
                None
            }
        }
    }

    /// Returns what each target of a map is told; a list means several notifications.
    fn notices(&mut self, entries: &[Entry]) -> Option<Vec<ExpectedCall>> {
        let mut read = Vec::new();
        for entry in entries {
            let told = match &entry.value.kind {
                NodeKind::List(items) => items.as_slice(),
                NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(&entry.value),
            };
            read.extend(told.iter().map(|node| self.notice(entry.key.as_str(), node)));
        }
        read.into_iter().collect()
    }

    /// Returns what a target is told: a text, a pattern of one, or a map of what is asked of it.
    fn notice(&mut self, target: &str, node: &Node) -> Option<ExpectedCall> {
        let mut parts: IndexMap<Arc<str>, Pattern> = IndexMap::new();
        parts.insert("target".into(), Pattern::Equals(Value::text(target)));
        let entries = node.as_map().unwrap_or_default();
        let is_pattern = matches!(entries, [entry] if Pattern::KEYS.contains(&entry.key.as_str()));
        if node.as_map().is_none() || is_pattern {
            parts.insert("message".into(), self.text_pattern(node)?);
            return Some(ExpectedCall { pattern: Pattern::Contains(parts) });
        }
        let mut fields = self.fields(node, "a notification")?;
        let message = fields.take("message").map(|node| self.text_pattern(node));
        let title = fields.take("title").map(|node| self.text_pattern(node));
        let priority = fields.take("priority").map(|node| self.part_pattern(node));
        let tags = fields.take("tags").map(|node| self.part_pattern(node));
        let buttons = fields.take("buttons").map(|node| self.read_pattern(node, Pattern::at_least));
        self.finish(fields);
        let read =
            [("message", message), ("title", title), ("priority", priority), ("tags", tags), ("buttons", buttons)];
        for (key, pattern) in read {
            if let Some(pattern) = pattern {
                parts.insert(key.into(), pattern?);
            }
        }
        Some(ExpectedCall { pattern: Pattern::Contains(parts) })
    }

    fn part_pattern(&mut self, node: &Node) -> Option<Pattern> {
        self.read_pattern(node, Pattern::of_part)
    }
}
