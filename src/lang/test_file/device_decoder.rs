//! Decodes steps and expectations that name devices and inputs.

use std::sync::Arc;

use crate::lang::Code;
use crate::lang::reader::fields::Fields;
use crate::lang::yaml::tree::{Entry, Node, NodeKind};
use crate::model::{Map, Name, Value};

use super::decoder::Decoder;
use super::{DeviceSays, Expected, ExpectedSet, InputStep, Obeying};

impl Decoder<'_> {
    /// Returns what a device says.
    pub(super) fn device_says(&mut self, fields: &mut Fields<'_>) -> Option<DeviceSays> {
        let device = fields.take("device").and_then(|node| self.plain_text(node));
        let says = fields.take("says").map(|node| self.properties(node));
        let available = fields.take("available").map(|node| self.flag(node));
        if says.is_none() && available.is_none() {
            let span = self.text.first_line(&fields.span());
            let found = self.findings.error(Code::MISSING_KEY, span, "a step `device` needs `says` or `available`");
            found.help("write e.g. `says: { occupancy: true }`");
        }
        Some(DeviceSays {
            device: device?,
            says: says.unwrap_or_else(|| Some(Map::default()))?,
            available: available.map_or(Some(None), |available| available.map(Some))?,
        })
    }

    fn properties(&mut self, node: &Node) -> Option<Map> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of properties (`{ on: true, brightness: 40 }`)");
            return None;
        };
        let values: Vec<Option<(Arc<str>, Value)>> =
            entries.iter().map(|entry| Some((entry.key.as_str().into(), self.value(&entry.value)?))).collect();
        values.into_iter().collect()
    }

    /// Returns the inputs that are set.
    pub(super) fn input_step(&mut self, node: &Node) -> Option<InputStep> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of inputs and values (`{ vacation: true }`)");
            return None;
        };
        let values: Vec<Option<(Name, Value)>> =
            entries.iter().map(|entry| Some((entry.key.as_str().into(), self.value(&entry.value)?))).collect();
        values.into_iter().collect::<Option<Vec<_>>>().map(InputStep)
    }

    /// Returns what devices must have been told: a map in any order, or a list in this one.
    pub(super) fn expected_set(&mut self, node: &Node) -> Option<Expected<ExpectedSet>> {
        let is_nothing = |node: &Node| node.as_scalar().is_some_and(|scalar| scalar.text.as_str() == "nothing");
        match &node.kind {
            NodeKind::Map(entries) => self.told(entries).map(Expected::AnyOrder),
            NodeKind::List(items) => {
                let told: Vec<Option<Vec<ExpectedSet>>> = items
                    .iter()
                    .map(|item| match item.as_map() {
                        Some(entries) => self.told(entries),
                        None => {
                            self.wrong_type(item, "a map of a device to its properties");
                            None
                        }
                    })
                    .collect();
                let told: Option<Vec<Vec<ExpectedSet>>> = told.into_iter().collect();
                told.map(|told| Expected::InOrder(told.into_iter().flatten().collect()))
            }
            NodeKind::Scalar(_) if is_nothing(node) => Some(Expected::AnyOrder(Vec::new())),
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {
                self.wrong_type(node, "a map of devices to their properties, a list of these or `nothing`");
                None
            }
        }
    }

    fn told(&mut self, entries: &[Entry]) -> Option<Vec<ExpectedSet>> {
        let told: Vec<Option<ExpectedSet>> = entries
            .iter()
            .map(|entry| {
                Some(ExpectedSet { device: entry.key.as_str().into(), values: self.properties(&entry.value)? })
            })
            .collect();
        told.into_iter().collect()
    }

    /// Returns which devices do what they are told: `obey`, `deaf`, or `{ obey: [Lamp] }`.
    pub(super) fn obeying(&mut self, node: &Node) -> Option<Obeying> {
        if node.as_map().is_none() {
            return self
                .word(node, &[("obey", true), ("deaf", false)])
                .map(|obey| if obey { Obeying::All } else { Obeying::None });
        }
        let mut fields = self.fields(node, "`devices` of a test")?;
        let names = self.need(&mut fields, "obey").map(|node| self.texts(node));
        self.finish(fields);
        Some(Obeying::Some(names?))
    }
}
