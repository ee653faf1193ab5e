//! Payloads that are skipped (`ignore`): a text, or a list of them.

use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::Value;

use super::Reader;

impl Reader<'_> {
    /// Returns the payloads, or values within them, that are skipped.
    pub(in crate::lang) fn ignored(&mut self, node: &Node) -> Vec<Value> {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        items.iter().filter_map(|item| self.ignored_value(item)).collect()
    }

    fn ignored_value(&mut self, node: &Node) -> Option<Value> {
        match node.as_scalar() {
            Some(scalar) if !scalar.value.is_null() => Some(scalar.value.clone()),
            _ => {
                self.wrong_type(node, "a text (`unavailable`), or a list of them");
                None
            }
        }
    }
}
