//! What a `state` trigger or condition passes over: its own `ignore`, and `values.ignore` of homerule.yaml.

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::rules::Ignored;

use crate::lang::rule_file::decoder::Decoder;

impl Decoder<'_> {
    /// Returns what the map in `fields` passes over. Warns where `wanted`, the key of what it waits for, names some of it.
    pub(in crate::lang::rule_file) fn ignored_in(&mut self, fields: &mut Fields<'_>, wanted: &'static str) -> Ignored {
        let own = fields.take("ignore").map(|node| self.ignored(node));
        let mut ignored = own.unwrap_or_default();
        ignored.extend(self.context.ignored.iter().cloned());
        if !self.context.ignored.is_empty() {
            // What the settings say is part of what the rule means.
            self.beside.insert(format!("ignored {:?}", self.context.ignored));
        }
        let ignored = Ignored(ignored);
        for key in [wanted, "from"] {
            if let Some(node) = fields.entry(key).map(|entry| &entry.value) {
                self.warn_of_ignored(node, &ignored);
            }
        }
        ignored
    }

    fn warn_of_ignored(&mut self, node: &Node, ignored: &Ignored) {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        for item in items {
            let Some(scalar) = item.as_scalar().filter(|scalar| ignored.0.contains(&scalar.value)) else { continue };
            let (text, span) = (scalar.text.as_str().to_owned(), self.mark(item));
            let message = format!("`{text}` is ignored, so this never matches");
            let found = self.findings.warning(Code::IGNORED_VALUE, span, message);
            found.help("take it out of `ignore`, or ask `state('topic')` in an expression, which gives it");
        }
    }
}
