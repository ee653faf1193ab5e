//! Decodes the triggers `device` and `input`.

use std::collections::BTreeSet;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::range::Hysteresis;
use crate::lang::rule_file::trigger::optional;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::model::{DeviceFilter, Name, TopicFilter, Value, ValuePath, any_device, input_topic};
use crate::rules::{DeviceChoice, DeviceTrigger, InputKind, StateTrigger, TriggerKind};

use super::check::Nodes;

/// The variables that a trigger on devices sets.
const VARIABLES: [&str; 3] = ["device", "area", "property"];

/// Returns the variables that the triggers in `node` set beside those of all triggers.
pub(in crate::lang::rule_file) fn device_variables(node: &Node) -> Vec<Name> {
    let mut is_there = false;
    node.walk(&mut |node| is_there |= node.get("device").is_some());
    if is_there { VARIABLES.map(Name::from).into() } else { Vec::new() }
}

impl Decoder<'_> {
    /// Reports a wildcard that a variable of triggers on devices would hide.
    pub(in crate::lang::rule_file) fn check_device_wildcards(&mut self, when: &Node, wildcards: &BTreeSet<Name>) {
        for name in VARIABLES.iter().filter(|name| wildcards.contains(**name)) {
            let span = self.mark(when);
            let message = format!("a wildcard can't be named `{name}` here: triggers on devices set `{name}`");
            let found = self.findings.error(Code::RESERVED_NAME, span, message);
            found.help(format!("choose another name, e.g. `+my_{name}`"));
        }
    }

    /// Returns a trigger on a property of devices.
    pub(in crate::lang::rule_file) fn device_trigger(&mut self, fields: &mut Fields<'_>) -> Option<DeviceTrigger> {
        let node = fields.take("device")?;
        let devices = self.device_choice(node);
        let property_node = fields.need("field", &self.reader.text);
        let property = property_node.and_then(|node| self.plain_text(node));
        let lasting = ["from", "for", "above", "below", "hysteresis"]
            .into_iter()
            .find_map(|key| fields.entry(key).map(|entry| (key, &entry.value)));
        let compared = ["from", "to"].map(|key| fields.entry(key).map(|entry| &entry.value));
        let state = self.change(fields);
        let (devices, property, mut state) = (devices?, property?, state?);
        state.filter = self.property_filter(&property, property_node?)?;
        self.check_read(&devices, &property, Nodes { device: node, property: property_node?, lasting, compared });
        Some(DeviceTrigger { devices, property, state })
    }

    /// Returns the filter of a property of any device.
    pub(super) fn property_filter(&mut self, property: &str, node: &Node) -> Option<TopicFilter> {
        match TopicFilter::parse(&any_device(property)) {
            Ok(filter) => Some(filter),
            Err(error) => {
                let span = self.mark(node);
                self.findings.error(Code::BAD_NAME, span, error.to_string());
                None
            }
        }
    }

    /// Returns which devices are meant: a name, a list of them, or a map that selects.
    pub(super) fn device_choice(&mut self, node: &Node) -> Option<DeviceChoice> {
        match &node.kind {
            NodeKind::List(items) if !items.is_empty() => {
                let names: Vec<Option<Name>> = items.iter().map(|item| self.plain_text(item)).collect();
                names.into_iter().collect::<Option<_>>().map(DeviceChoice::Names)
            }
            NodeKind::Map(_) => self.device_filter(node).map(DeviceChoice::Where),
            _ => {
                let fixed = self.fixed(node, "the name of a device, a list of them, or `{ area: …, has: … }`")?;
                Some(DeviceChoice::Names(vec![fixed.text]))
            }
        }
    }

    /// Returns a selector: `{ area: hall, kind: light, has: on }`.
    pub(super) fn device_filter(&mut self, node: &Node) -> Option<DeviceFilter> {
        let mut fields = Fields::of(node, "a selector of devices", &self.reader.text, &mut self.reader.findings)?;
        let area = fields.take("area").map(|node| self.plain_text(node));
        let kind = fields.take("kind").map(|node| self.device_kind(node));
        let has = fields.take("has").map(|node| self.texts(node)).unwrap_or_default();
        let is_empty = area.is_none() && kind.is_none() && has.is_empty();
        fields.finish(&mut self.reader.findings);
        if is_empty {
            let span = self.mark(node);
            let found = self.findings.error(Code::MISSING_KEY, span, "a selector needs `area`, `kind` or `has`");
            found.help("write e.g. `{ area: hall, has: occupancy }`");
            return None;
        }
        let kind = optional(kind)?.map(|kind| Name::from(kind.as_str()));
        Some(DeviceFilter { area: optional(area)?, kind, has })
    }

    /// Returns what must change, as for `state`; its filter is of no meaning yet.
    fn change(&mut self, fields: &mut Fields<'_>) -> Option<StateTrigger> {
        let from = fields.take("from").map(|node| self.values(node));
        let to = fields.take("to").map(|node| self.values(node));
        let range = self.range(fields, Hysteresis::Allowed);
        let hold = fields.take("for").map(|node| self.duration(node));
        let catch_up = fields.take("catch_up").map(|node| self.duration(node));
        let ignored = self.ignored_in(fields, "to");
        Some(StateTrigger {
            filter: TopicFilter::parse("#").ok()?,
            field: ValuePath::default(),
            from: optional(from)?,
            to: optional(to)?,
            range: range?,
            hold: optional(hold)?,
            catch_up: optional(catch_up)?,
            ignored,
        })
    }

    /// Returns a trigger on an input: a change of its value, or each press of a button.
    pub(in crate::lang::rule_file) fn input_trigger(&mut self, fields: &mut Fields<'_>) -> Option<TriggerKind> {
        let node = fields.take("input")?;
        let fixed = self.fixed(node, "the name of an input");
        let state = self.change(fields);
        let (fixed, mut state) = (fixed?, state?);
        if !self.known_input(&fixed.text, fixed.span.clone()) {
            return None;
        }
        let filter = TopicFilter::parse(input_topic(&fixed.text)?.as_str()).ok()?;
        let kind = self.context.inputs.get(&fixed.text).map(|input| input.kind.clone());
        self.beside.insert(format!("input {}", fixed.text));
        if kind == Some(InputKind::Button) {
            for key in ["from", "to", "above", "below", "hysteresis", "for"] {
                if let Some(entry) = fields.entry(key) {
                    let message =
                        format!("`{key}` doesn't work with the button `{}`, which is only pressed", fixed.text);
                    self.reader.findings.error(Code::CANNOT_HOLD, entry.key_span.clone(), message);
                }
            }
            return Some(TriggerKind::Topic { filter, payload: None, condition: None, retained: false });
        }
        if let Some(kind) = kind {
            for values in [&mut state.from, &mut state.to].into_iter().flatten() {
                self.check_input_values(&kind, &fixed.text, values, node);
            }
        }
        state.filter = filter;
        Some(TriggerKind::State(state))
    }

    /// Makes values of an input typed, and reports those that it never has.
    pub(super) fn check_input_values(&mut self, kind: &InputKind, name: &str, values: &mut [Value], node: &Node) {
        for value in values {
            match kind.accept(value) {
                Ok(typed) => *value = typed,
                Err(why) => {
                    let span = self.mark(node);
                    self.findings.error(Code::NEVER_EQUAL, span, format!("the input `{name}` {why}"));
                }
            }
        }
    }
}
