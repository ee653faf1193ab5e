//! Decodes `extend`, `snapshot` and `restore`.

use std::time::Duration;

use crate::devices::Found;
use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::optional;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{TopicFilter, Value};
use crate::rules::{ActionKind, ExtendTo, Snapshot};
use crate::script::Template;

/// What a snapshot is taken of.
const TARGET: &str =
    "a topic filter (`zigbee2mqtt/lamp/+`), or what `set` takes: a device, a list, `{ area: …, kind: … }`";

/// How long a snapshot is kept, unless the rule says.
const KEPT: Duration = Duration::from_hours(24);

impl Decoder<'_> {
    pub(super) fn extend(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let rule = fields.take("extend").and_then(|node| self.rule_reference(node));
        let (by, until) = (fields.take_entry("by"), fields.take_entry("until"));
        let to = match (by, until) {
            (Some(by), None) => self.duration_template(&by.value).map(ExtendTo::By),
            (None, Some(until)) => self.text_template(&until.value, "a time (`\"07:30\"`)").map(ExtendTo::Until),
            (Some(_), Some(_)) => {
                let help = "`by` says how much later, `until` says when";
                fields.conflict("by", "until", help, &mut self.reader.findings);
                None
            }
            (None, None) => {
                fields.need("by", &self.reader.text);
                None
            }
        };
        Some(ActionKind::Extend { rule: rule?, to: to? })
    }

    pub(super) fn snapshot(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let target = fields.take("snapshot").and_then(|node| self.snapshot_target(node));
        let name = fields.take("as").map(|node| self.text_template(node, "a name"));
        let replace = fields.take("replace").map(|node| self.flag(node));
        let keep = fields.take("keep").map(|node| self.interval(node));
        Some(ActionKind::Snapshot(Snapshot {
            target: target?,
            name: optional(name)?,
            replace: optional(replace)?.unwrap_or(false),
            keep: optional(keep)?.unwrap_or(KEPT),
        }))
    }

    /// Returns what is remembered: a filter of topics, what `set` takes, `{ device: NAME }`, or a list of these.
    fn snapshot_target(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::List(items) if items.is_empty() => {
                self.wrong_type(node, TARGET);
                None
            }
            NodeKind::List(items) => {
                let parts: Vec<_> = items.iter().map(|item| self.snapshot_target(item)).collect();
                parts.into_iter().collect::<Option<Vec<_>>>()?;
                self.template(node)
            }
            NodeKind::Map(_) => match node.get("device") {
                Some(device) => self.snapshot_device(node, device),
                None => self.target(node),
            },
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {
                let template = self.text_template(node, TARGET)?;
                let Some(text) = template.as_constant().and_then(Value::as_text) else { return Some(template) };
                if !text.contains('/') {
                    let text = text.to_owned();
                    self.known_device(&text, node.span.clone());
                    return Some(template);
                }
                if let Err(error) = TopicFilter::parse(text) {
                    let message = format!("`{text}` isn't a valid topic filter: {error}");
                    let span = self.mark(node);
                    self.findings.error(Code::BAD_FILTER, span, message);
                    return None;
                }
                self.check_meant_device(text, node);
                Some(template)
            }
        }
    }

    /// Returns `{ device: NAME }`, or a list of names there.
    fn snapshot_device(&mut self, node: &Node, device: &Node) -> Option<Template> {
        let mut fields = Fields::of(node, "the device of a snapshot", &self.reader.text, &mut self.reader.findings)?;
        fields.take("device");
        fields.finish(&mut self.reader.findings);
        if device.as_map().is_some() {
            self.wrong_type(device, "the name of a device, or a list of names");
            return None;
        }
        self.known_targets(device);
        self.target(device)?;
        self.template(node)
    }

    /// Warns about a filter that is the name or the id of a device.
    fn check_meant_device(&mut self, text: &str, node: &Node) {
        let Some(devices) = self.context.devices.clone() else { return };
        if text.contains(['+', '#']) || !matches!(devices.registry.find(text), Found::One(_)) {
            return;
        }
        let message = format!("`{text}` is a device, and a text with `/` names topics here");
        let found = self.findings.warning(Code::UNLIKELY_TOPIC, node.span.clone(), message);
        found.help(format!("to remember the device, write `{{ device: {text} }}`"));
    }

    pub(super) fn restore(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let name = fields.take("restore").and_then(|node| match &node.kind {
            NodeKind::Map(_) | NodeKind::List(_) => self.template(node),
            NodeKind::Scalar(_) | NodeKind::Closure(_) => self.text_template(node, "the name of a snapshot"),
        });
        let to = fields.take("to").map(|node| {
            // There the topic is the one that is restored, whatever started the rule.
            let no_message = std::mem::replace(&mut self.names.no_message, false);
            let to = self.text_template(node, "a topic (`\"${topic}/set\"`)");
            self.names.no_message = no_message;
            to
        });
        Some(ActionKind::Restore { name: name?, to: optional(to)? })
    }
}
