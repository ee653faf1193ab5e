//! Checks names of devices and properties against the devices that the home's files know.

use std::ops::Range;
use std::sync::Arc;

use crate::devices::{Device, Found, Property};
use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::file_span;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Code, near};
use crate::model::{DeviceFilter, Name, Value};
use crate::rules::DeviceChoice;
use crate::script::Expression;

impl Decoder<'_> {
    /// Returns the device that a name means, if the home's files know it. Reports one that they don't know.
    pub(in crate::lang::rule_file) fn known_device(&mut self, name: &str, span: Range<usize>) -> Option<Arc<Device>> {
        let devices = Arc::clone(self.context.devices.as_ref()?);
        match devices.registry.find(name) {
            Found::One(device) => Some(Arc::clone(device)),
            Found::Several(several) => {
                let labels: Vec<String> =
                    several.iter().map(|device| devices.registry.label(device).to_string()).collect();
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let message = format!("several devices are called `{name}`");
                let found = self.findings.warning(Code::UNFIT_COMMAND, span, message);
                found.help(format!("choose one of {}", near::list(&labels)));
                None
            }
            Found::None(near) => {
                if !devices.is_kept && devices.registry.devices().next().is_none() {
                    self.context.note_unknown_device();
                    return None;
                }
                let message = format!("no device is called `{name}`");
                let found = self.findings.warning(Code::UNKNOWN_DEVICE, span.clone(), message);
                match near {
                    Some(near) => found.suggest(span, Some(Suggestion::guess(&near))),
                    None => {
                        found.help("run `homerule devices --save` if it's new, and `homerule devices` for their names")
                    }
                };
                None
            }
        }
    }

    /// Returns the property of a device. Reports one that it doesn't have.
    pub(super) fn known_property<'d>(
        &mut self,
        device: &'d Device,
        property: &str,
        span: Range<usize>,
    ) -> Option<&'d Property> {
        if let Some((_, property)) = device.property(property) {
            return Some(property);
        }
        if property == "available" {
            return None;
        }
        let names: Vec<&str> = device.properties.iter().map(|property| &*property.name).collect();
        let message = format!("`{}` has no property `{property}`", device.name);
        let found = self.findings.warning(Code::UNFIT_COMMAND, span.clone(), message);
        found.suggest(span, near::suggestion(property, &names).map(Suggestion::doubted));
        None
    }

    /// Checks the devices and inputs that an expression names.
    pub(in crate::lang::rule_file) fn check_devices_in(&mut self, expression: &Expression) {
        const OF_DEVICES: [&str; 7] = ["name", "id", "area", "kind", "available", "age", "properties"];
        for mention in expression.device_mentions() {
            let at = file_span(expression.source(), mention.at.clone());
            let Some(device) = self.known_device(&mention.device, at) else { continue };
            let Some((property, at)) = &mention.property else { continue };
            if !OF_DEVICES.contains(&&**property) {
                let at = file_span(expression.source(), at.clone());
                self.known_property(&device, property, at);
            }
        }
        for mention in expression.input_mentions() {
            let at = file_span(expression.source(), mention.at.clone());
            self.known_input(&mention.input, at);
        }
    }

    /// Checks a property that a trigger or condition reads of devices, and how: `node` says what is wrong where.
    pub(super) fn check_read(&mut self, choice: &DeviceChoice, property: &str, nodes: Nodes<'_>) {
        let DeviceChoice::Names(names) = choice else {
            if let DeviceChoice::Where(filter) = choice {
                self.check_filter(filter, nodes.device);
            }
            return;
        };
        for (index, name) in names.iter().enumerate() {
            let node = match &nodes.device.kind {
                NodeKind::List(items) => items.get(index).unwrap_or(nodes.device),
                _ => nodes.device,
            };
            let Some(device) = self.known_device(name, node.span.clone()) else { continue };
            let Some(known) = self.known_property(&device, property, nodes.property.span.clone()) else { continue };
            if let Some((key, node)) = nodes.lasting.filter(|_| known.holds.is_event()) {
                let span = self.mark(node);
                let message = format!("`{key}` doesn't work with `{property}`, which happens and doesn't last");
                let found = self.findings.error(Code::CANNOT_HOLD, span, message);
                found.help("use `to:` with the value that the event has");
            }
            for node in nodes.compared.into_iter().flatten() {
                self.check_compared(&device, known, node);
            }
        }
    }

    /// Warns about a selector that fits no device that is known.
    pub(super) fn check_filter(&mut self, filter: &DeviceFilter, node: &Node) {
        let Some(devices) = self.context.devices.clone() else { return };
        if devices.registry.devices().next().is_none() {
            return;
        }
        if devices.registry.select(filter).next().is_some() {
            return;
        }
        let span = self.mark(node);
        let found = self.findings.warning(Code::UNKNOWN_DEVICE, span, "no device that is known fits this");
        let areas: std::collections::BTreeSet<&str> =
            devices.registry.devices().filter_map(|device| device.area.as_deref()).collect();
        let near = filter.area.as_deref().filter(|area| !areas.contains(area));
        found.help_if(
            near.and_then(|area| near::nearest(area, areas.iter().copied()))
                .map(|near| format!("did you mean the area `{near}`?")),
        );
    }

    /// Checks a command that is written out: properties, and values that don't depend on a run.
    pub(in crate::lang::rule_file) fn check_command(&mut self, device: &Device, to: &Node) {
        let Some(entries) = to.as_map() else { return };
        for entry in entries {
            if entry.key.as_str().contains("${") {
                continue;
            }
            let value = self.written_value(&entry.value);
            if let Err(error) = device.check(entry.key.as_str(), value.as_ref()) {
                let span = match error {
                    crate::devices::CommandError::WrongValue { .. } => self.mark(&entry.value),
                    _ => entry.key_span.clone(),
                };
                self.findings.warning(Code::UNFIT_COMMAND, span, error.to_string());
            }
        }
    }

    /// Returns a value without expressions, or with those that are known at load.
    fn written_value(&mut self, node: &Node) -> Option<Value> {
        let mut has_expression = false;
        node.walk(&mut |node| {
            has_expression |= node.as_scalar().is_some_and(|scalar| scalar.text.as_str().contains("${"));
        });
        if has_expression { None } else { self.value(node) }
    }

    /// Returns whether an input of that name is there. Reports one that isn't.
    pub(super) fn known_input(&mut self, name: &str, span: Range<usize>) -> bool {
        if self.context.inputs.contains_key(name) || !self.context.is_complete {
            return true;
        }
        let names: Vec<Name> = self.context.inputs.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let message = format!("there is no input `{name}`");
        let found = self.findings.error(Code::UNKNOWN_INPUT, span.clone(), message);
        match names.as_slice() {
            [] => {
                found.help(format!("define it at the top of a rule file: `inputs: {{ {name}: {{ type: toggle }} }}`"))
            }
            names => found.suggest(span, near::suggestion(name, names).map(Suggestion::doubted)),
        };
        false
    }
}

/// The parts of a trigger or condition that findings point at.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'n> {
    pub(super) device: &'n Node,
    pub(super) property: &'n Node,
    /// A key that only makes sense for what lasts.
    pub(super) lasting: Option<(&'static str, &'n Node)>,
    /// The values that it is compared with.
    pub(super) compared: [Option<&'n Node>; 2],
}
