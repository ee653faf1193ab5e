//! Decodes the conditions `device` and `input`.

use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::range::Hysteresis;
use crate::lang::rule_file::trigger::optional;
use crate::model::{Value, ValuePath, any_device, input_topic};
use crate::rules::{DeviceChoice, DeviceCondition, StateCondition};
use crate::script::Template;

use super::check::Nodes;

impl Decoder<'_> {
    /// Returns a condition on a property of a device.
    pub(in crate::lang::rule_file) fn device_condition(&mut self, fields: &mut Fields<'_>) -> Option<DeviceCondition> {
        let node = fields.take("device")?;
        let device = self.text_template(node, "the name of a device");
        let property_node = fields.need("field", &self.reader.text);
        let property = property_node.and_then(|node| self.plain_text(node));
        let compared = [fields.entry("is").map(|entry| &entry.value), None];
        let state = self.value_condition(fields);
        let (device, property, mut state) = (device?, property?, state?);
        self.property_filter(&property, property_node?)?;
        state.topic = Template::Constant(Value::text(any_device(&property)));
        if let Some(name) = device.as_constant().and_then(Value::as_text) {
            let choice = DeviceChoice::Names(vec![name.into()]);
            self.check_read(
                &choice,
                &property,
                Nodes { device: node, property: property_node?, lasting: None, compared },
            );
        }
        Some(DeviceCondition { device, property, state })
    }

    /// Returns a condition on an input: on its value, as the condition `state` is on a topic's.
    pub(in crate::lang::rule_file) fn input_condition(&mut self, fields: &mut Fields<'_>) -> Option<StateCondition> {
        let node = fields.take("input")?;
        let fixed = self.fixed(node, "the name of an input");
        let state = self.value_condition(fields);
        let (fixed, mut state) = (fixed?, state?);
        if !self.known_input(&fixed.text, fixed.span.clone()) {
            return None;
        }
        state.topic = Template::Constant(Value::Text(input_topic(&fixed.text)?.text()));
        let kind = self.context.inputs.get(&fixed.text).map(|input| input.kind.clone());
        if let (Some(kind), Some(values)) = (kind, &mut state.is) {
            self.check_input_values(&kind, &fixed.text, values, node);
        }
        Some(state)
    }

    /// Returns what a value must be; its topic is of no meaning yet.
    fn value_condition(&mut self, fields: &mut Fields<'_>) -> Option<StateCondition> {
        let is = fields.take("is").map(|node| self.values(node));
        let range = self.range(fields, Hysteresis::Unknown);
        let hold = fields.take("for").map(|node| self.duration(node));
        let ignored = self.ignored_in(fields, "is");
        Some(StateCondition {
            topic: Template::Constant(Value::Null),
            field: ValuePath::default(),
            is: optional(is)?,
            range: range?,
            hold: optional(hold)?,
            ignored,
        })
    }
}
