//! Decodes the actions `set` and `input`, and the `confirm` of a `publish`.

use std::sync::Arc;

use crate::devices::Device;
use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::optional;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{Name, Value};
use crate::rules::{ActionKind, Confirm, PublishConfirm, SetAction};
use crate::script::Template;

/// How often a command that isn't confirmed is sent again, unless the rule says.
const RETRIES: u32 = 2;

impl Decoder<'_> {
    /// Returns the action `set`.
    pub(in crate::lang::rule_file) fn set(&mut self, fields: &mut Fields<'_>) -> Option<ActionKind> {
        let node = fields.take("set")?;
        let target = self.target(node);
        let to_node = fields.need("to", &self.reader.text);
        let to = to_node.and_then(|node| match &node.kind {
            NodeKind::Map(entries) if !entries.is_empty() => self.template(node),
            NodeKind::Scalar(scalar) if scalar.text.as_str().contains("${") => self.template(node),
            _ => {
                self.wrong_type(node, "a map of properties (`{ on: true, brightness: 40 }`)");
                None
            }
        });
        let if_changed = fields.take("if_changed").map_or(Some(false), |node| self.flag(node));
        let confirm = self.confirm(fields);
        let (known, target) = (self.known_targets(node), target?);
        if let Some(to_node) = to_node {
            for device in &known {
                self.check_command(device, to_node);
                if confirm.as_ref().is_some_and(Option::is_some) {
                    self.check_confirm(device, to_node, fields);
                }
            }
        }
        Some(ActionKind::Set(SetAction { target, to: to?, if_changed: if_changed?, confirm: confirm? }))
    }

    pub(in crate::lang::rule_file) fn target(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::Map(_) => {
                let has_expression =
                    |node: &Node| node.as_scalar().is_some_and(|scalar| scalar.text.as_str().contains("${"));
                let mut is_computed = false;
                node.walk(&mut |node| is_computed |= has_expression(node));
                if !is_computed {
                    let filter = self.device_filter(node)?;
                    self.check_filter(&filter, node);
                }
                self.template(node)
            }
            NodeKind::List(items) if items.is_empty() => {
                self.wrong_type(node, "the name of a device, a list of them, or `{ area: …, has: … }`");
                None
            }
            NodeKind::List(_) => self.template(node),
            NodeKind::Scalar(_) | NodeKind::Closure(_) => self.text_template(node, "the name of a device"),
        }
    }

    /// Returns the devices that are written out and known. Reports names that aren't known.
    pub(in crate::lang::rule_file) fn known_targets(&mut self, node: &Node) -> Vec<Arc<Device>> {
        let names: Vec<&Node> = match &node.kind {
            NodeKind::List(items) => items.iter().collect(),
            NodeKind::Scalar(_) => vec![node],
            NodeKind::Map(_) | NodeKind::Closure(_) => Vec::new(),
        };
        let mut found = Vec::new();
        for node in names {
            let Some(scalar) = node.as_scalar() else { continue };
            let text = scalar.text.as_str().to_owned();
            if !text.contains("${") {
                found.extend(self.known_device(&text, node.span.clone()));
            }
        }
        found
    }

    /// Returns how a command is confirmed, if it is.
    #[expect(clippy::option_option, reason = "not given, given and broken, given and read are three things")]
    fn confirm(&mut self, fields: &mut Fields<'_>) -> Option<Option<Confirm>> {
        let within = fields.take("confirm").map(|node| self.duration_template(node));
        let retry = self.retry(fields, within.is_some());
        let Some(within) = optional(within)? else { return Some(None) };
        Some(Some(Confirm { within, retry: retry? }))
    }

    /// Returns how often a command is sent again.
    fn retry(&mut self, fields: &mut Fields<'_>, has_confirm: bool) -> Option<u32> {
        let entry = fields.take_entry("retry");
        if let Some(entry) = entry.filter(|_| !has_confirm) {
            let message = "`retry` has no effect without `confirm`, which says how long to wait for the device";
            let found = self.findings.error(Code::KEY_WITHOUT_EFFECT, entry.key_span.clone(), message);
            found.help("add e.g. `confirm: 10s`");
            return None;
        }
        let Some(entry) = entry else { return Some(RETRIES) };
        self.integer(&entry.value, 0..101).and_then(|times| u32::try_from(times).ok())
    }

    /// Reports a command of which nothing can be seen to have worked.
    fn check_confirm(&mut self, device: &Device, to: &Node, fields: &Fields<'_>) {
        let entries = to.as_map().unwrap_or_default();
        if entries.iter().any(|entry| entry.key.as_str().contains("${")) {
            return;
        }
        let set = entries.iter().filter_map(|entry| device.property(entry.key.as_str()));
        let known: Vec<_> = set.map(|(_, property)| property).collect();
        if known.is_empty() || known.iter().any(|property| property.can_confirm()) {
            return;
        }
        let span = fields.entry("confirm").map_or(to.span.clone(), |entry| entry.key_span.clone());
        let names: Vec<String> = known.iter().map(|property| format!("`{}`", property.name)).collect();
        let message = format!("`{}` never says whether it did this: {}", device.name, names.join(", "));
        let found = self.findings.warning(Code::UNFIT_COMMAND, span, message);
        found.help("leave out `confirm`");
    }

    /// Returns what a topic must say after a message was published.
    pub(in crate::lang::rule_file) fn publish_confirm(
        &mut self,
        node: &Node,
        retry: Option<u32>,
    ) -> Option<PublishConfirm> {
        let mut fields = Fields::of(node, "`confirm`", &self.reader.text, &mut self.reader.findings)?;
        let state = fields.need("state", &self.reader.text).and_then(|node| {
            let template = self.text_template(node, "a topic")?;
            if let Some(text) = template.as_constant().and_then(Value::as_text) {
                self.check_constant_topic(text, node)?;
            }
            Some(template)
        });
        let field = fields.take("field").map(|node| self.path(node));
        let is = fields.need("is", &self.reader.text).and_then(|node| self.values(node));
        let within = fields.need("within", &self.reader.text).and_then(|node| self.duration_template(node));
        fields.finish(&mut self.reader.findings);
        let confirm = Confirm { within: within?, retry: retry? };
        Some(PublishConfirm { state: state?, field: optional(field)?.unwrap_or_default(), is: is?, confirm })
    }

    /// Returns the `retry` beside the `confirm` of a `publish`.
    pub(in crate::lang::rule_file) fn publish_retry(&mut self, fields: &mut Fields<'_>) -> Option<u32> {
        let has_confirm = fields.has("confirm");
        self.retry(fields, has_confirm)
    }

    /// Returns the action `input`: the inputs and their new values.
    pub(in crate::lang::rule_file) fn input_action(&mut self, node: &Node) -> Option<ActionKind> {
        let Some(entries) = node.as_map().filter(|entries| !entries.is_empty()) else {
            self.wrong_type(node, "a map of inputs and values (`{ vacation: true }`)");
            return None;
        };
        let mut values: Vec<Option<(Name, Template)>> = Vec::new();
        for entry in entries {
            let name: Name = entry.key.as_str().into();
            let is_known = self.known_input(&name, entry.key_span.clone());
            let value = self.template(&entry.value);
            let kind = self.context.inputs.get(&name).map(|input| input.kind.clone());
            if let (Some(kind), Some(constant)) = (kind, value.as_ref().and_then(Template::as_constant)) {
                let mut constant = [constant.clone()];
                self.check_input_values(&kind, &name, &mut constant, &entry.value);
            }
            values.push(value.filter(|_| is_known).map(|value| (name, value)));
        }
        values.into_iter().collect::<Option<Vec<_>>>().map(ActionKind::Input)
    }
}
