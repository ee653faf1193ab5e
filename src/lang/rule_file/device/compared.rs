//! Checks the values that triggers and conditions compare a property with: one that it never is makes a rule that never runs.

use std::sync::Arc;

use crate::devices::{Device, Holds, Property};
use crate::lang::Code;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::Value;

impl Decoder<'_> {
    /// Reports what `node` has of values that the property never is.
    pub(super) fn check_compared(&mut self, device: &Device, property: &Property, node: &Node) {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        for item in items {
            let Some(scalar) = item.as_scalar().filter(|scalar| !scalar.text.as_str().contains("${")) else { continue };
            if may_be(&property.holds, &scalar.value) {
                continue;
            }
            let (text, span) = (scalar.text.as_str().to_owned(), self.mark(item));
            let (name, of) = (&property.name, &device.name);
            let message = format!("`{name}` of `{of}` is {}, never `{text}`", words(&property.holds));
            self.findings.warning(Code::UNFIT_COMMAND, span, message);
        }
    }
}

/// Returns whether a property may be `value`. One that was never said is `()`.
fn may_be(holds: &Holds, value: &Value) -> bool {
    let is_known = |known: &Arc<[Arc<str>]>| known.is_empty() || known.iter().any(|word| **word == *value.to_string());
    match holds {
        _ if value.is_null() => true,
        Holds::Boolean => matches!(value, Value::Bool(_)),
        Holds::Number(_) | Holds::Duration => matches!(value, Value::Int(_) | Value::Float(_)),
        Holds::Words(known) => is_known(known),
        // Which events there are is often told in part.
        Holds::Event(_) | Holds::Text | Holds::Color | Holds::Press | Holds::Sound | Holds::Any => true,
    }
}

/// Returns what a property may be.
fn words(holds: &Holds) -> String {
    match holds {
        Holds::Boolean => "`true` or `false`".to_owned(),
        Holds::Words(known) => {
            let known: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            match known.as_slice() {
                [one] => one.clone(),
                known => format!("one of {}", known.join(", ")),
            }
        }
        _ => "a number".to_owned(),
    }
}
