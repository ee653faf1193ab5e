//! Decodes `devices` and `discovery` (docs/devices.md).

use std::sync::Arc;

use crate::devices::{Discovery, Naming};
use crate::lang::reader::Reader;
use crate::lang::reader::fields::Fields;
use crate::lang::settings::decoder::given;
use crate::lang::yaml::tree::{Node, NodeKind};
use crate::lang::{Code, DiscoverySettings, Settings};
use crate::model::Topic;

impl Reader<'_> {
    /// Reads `devices`: filters that group topics, other names of known devices, and devices of the home's own.
    pub(in crate::lang::settings) fn devices(&mut self, node: &Node, settings: &mut Settings) {
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            NodeKind::Scalar(_) | NodeKind::Map(_) | NodeKind::Closure(_) => std::slice::from_ref(node),
        };
        for item in items {
            match &item.kind {
                NodeKind::Map(_) if item.get("device").is_some() => {
                    let naming = self.naming(item);
                    settings.named_devices.named.extend(naming);
                }
                NodeKind::Map(_) => {
                    let own = self.own_device(item);
                    let is_known = |name: &str| settings.named_devices.own.iter().any(|known| *known.name == *name);
                    if let Some(own) = own.as_ref().filter(|own| is_known(&own.name)) {
                        let (span, message) = (self.mark(item), format!("there are two devices named `{}`", own.name));
                        self.findings.error(Code::BAD_NAME, span, message).help("give one of them another `name`");
                    }
                    settings.named_devices.own.extend(own);
                }
                NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Closure(_) => {
                    settings.devices.extend(self.filter(item));
                }
            }
        }
    }

    fn naming(&mut self, node: &Node) -> Option<Naming> {
        let mut fields = Fields::of(node, "a known device", &self.text, &mut self.findings)?;
        let device = fields.take("device").and_then(|node| self.plain_text(node));
        let name = given(&mut fields, "name").and_then(|node| self.plain_text(node));
        let area = given(&mut fields, "area").and_then(|node| self.plain_text(node));
        let aliases = given(&mut fields, "aliases").map(|node| self.texts(node)).unwrap_or_default();
        fields.finish(&mut self.findings);
        Some(Naming { device: device?, name, area, aliases })
    }

    pub(in crate::lang::settings) fn discovery(&mut self, node: &Node) -> Option<DiscoverySettings> {
        let mut discovery = DiscoverySettings::default();
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("false" | "off") => return Some(DiscoverySettings { sources: Discovery::off(), ..discovery }),
            Some("true" | "on") => return Some(discovery),
            _ => {}
        }
        let mut fields = Fields::of(node, "`discovery`", &self.text, &mut self.findings)?;
        let sources = &mut discovery.sources;
        if let Some(node) = given(&mut fields, "zigbee2mqtt") {
            sources.zigbee2mqtt = match &node.kind {
                NodeKind::List(items) => items.iter().filter_map(|item| self.base_topic(item)).collect(),
                _ => self.source(node, "zigbee2mqtt").into_iter().collect(),
            };
        }
        if let Some(node) = given(&mut fields, "tasmota") {
            sources.tasmota = self.flag(node).unwrap_or(true);
        }
        // The older word for the same.
        for key in ["prefix", "home_assistant"] {
            if let Some(node) = given(&mut fields, key) {
                sources.home_assistant = self.source(node, "homeassistant");
            }
        }
        if let Some(node) = given(&mut fields, "homie") {
            sources.homie = self.source(node, "homie");
        }
        if let Some(node) = given(&mut fields, "shelly") {
            sources.shelly = self.flag(node).unwrap_or(true);
        }
        discovery.announce = given(&mut fields, "announce").and_then(|node| self.flag(node)).unwrap_or(false);
        discovery.birth = given(&mut fields, "birth").and_then(|node| self.flag(node)).unwrap_or(true);
        fields.finish(&mut self.findings);
        Some(discovery)
    }

    /// Returns the base topic of a source: `false` switches it off, `true` means the usual one.
    fn source(&mut self, node: &Node, usual: &str) -> Option<Arc<str>> {
        match node.as_scalar().map(|scalar| scalar.text.as_str()) {
            Some("false" | "off") => None,
            Some("true" | "on") => Some(usual.into()),
            _ => self.base_topic(node),
        }
    }

    fn base_topic(&mut self, node: &Node) -> Option<Arc<str>> {
        let fixed = self.fixed(node, "a topic (`zigbee2mqtt`), or `false`")?;
        match Topic::parse(&fixed.text) {
            Ok(topic) => Some(topic.text()),
            Err(error) => {
                self.findings.error(Code::BAD_TOPIC, fixed.span, error.to_string());
                None
            }
        }
    }
}
