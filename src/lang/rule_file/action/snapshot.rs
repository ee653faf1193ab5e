//! Decodes `extend`, `snapshot` and `restore`.

use std::time::Duration;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::optional;
use crate::lang::yaml::tree::Node;
use crate::model::TopicFilter;
use crate::rules::{ActionKind, ExtendTo, Snapshot};
use crate::script::Template;

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

    /// Returns the filter of the topics that are remembered.
    fn snapshot_target(&mut self, node: &Node) -> Option<Template> {
        let template = self.text_template(node, "a topic filter (`zigbee2mqtt/lamp/+`)")?;
        let Some(text) = template.as_constant().and_then(crate::model::Value::as_text) else { return Some(template) };
        if !text.contains('/') {
            let span = self.mark(node);
            let message = format!("`{text}` names a device, and only topics can be remembered so far");
            let found = self.findings.error(Code::BAD_FILTER, span, message);
            found.help("name the topics, e.g. `snapshot: zigbee2mqtt/lamp/+`");
            return None;
        }
        if let Err(error) = TopicFilter::parse(text) {
            let message = format!("`{text}` isn't a valid topic filter: {error}");
            let span = self.mark(node);
            self.findings.error(Code::BAD_FILTER, span, message);
            return None;
        }
        Some(template)
    }

    pub(super) fn restore(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let name = fields.take("restore").and_then(|node| self.text_template(node, "the name of a snapshot"));
        let to = fields.need("to", &self.reader.text).map(|node| {
            // There the topic is the one that is restored, whatever started the rule.
            let no_message = std::mem::replace(&mut self.names.no_message, false);
            let to = self.text_template(node, "a topic (`\"${topic}/set\"`)");
            self.names.no_message = no_message;
            to
        });
        Some(ActionKind::Restore { name: name?, to: optional(to)? })
    }
}
