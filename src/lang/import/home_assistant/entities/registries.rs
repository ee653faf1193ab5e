//! Home Assistant's registries: which entity belongs to which device, area and label.

use std::collections::{BTreeMap, BTreeSet};

use crate::lang::import::home_assistant::load::Loader;
use crate::lang::import::home_assistant::yaml::Node;

/// What the registries say.
#[derive(Debug, Default)]
pub(in crate::lang::import::home_assistant) struct Registries {
    /// By entity id.
    pub(in crate::lang::import::home_assistant) entities: BTreeMap<String, Registered>,
    /// The entity id of each registry id.
    pub(in crate::lang::import::home_assistant) by_registry_id: BTreeMap<String, String>,
    devices: BTreeMap<String, RegisteredDevice>,
    areas: BTreeMap<String, Option<String>>,
    /// Whether there are any.
    pub(in crate::lang::import::home_assistant) are_there: bool,
}

/// An entity of the registry.
#[derive(Debug, Clone, Default)]
pub(in crate::lang::import::home_assistant) struct Registered {
    pub(in crate::lang::import::home_assistant) unique_id: String,
    pub(in crate::lang::import::home_assistant) platform: String,
    pub(in crate::lang::import::home_assistant) name: Option<String>,
    pub(in crate::lang::import::home_assistant) class: Option<String>,
    pub(in crate::lang::import::home_assistant) device: Option<String>,
    area: Option<String>,
    labels: BTreeSet<String>,
    is_aside: bool,
    /// The digits behind the point with which a sensor is shown, and its unit.
    pub(in crate::lang::import::home_assistant) precision: Option<i64>,
    pub(in crate::lang::import::home_assistant) unit: Option<String>,
}

/// A device of the registry.
#[derive(Debug, Clone, Default)]
pub(in crate::lang::import::home_assistant) struct RegisteredDevice {
    pub(in crate::lang::import::home_assistant) name: Option<String>,
    /// `("mqtt", "zigbee2mqtt_0x…")`.
    pub(in crate::lang::import::home_assistant) identifiers: Vec<(String, String)>,
    pub(in crate::lang::import::home_assistant) connections: Vec<String>,
    area: Option<String>,
    labels: BTreeSet<String>,
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::to_text).filter(|text| !text.is_empty())
}

fn texts(node: &Node, key: &str) -> BTreeSet<String> {
    node.get(key).map(|list| list.items().into_iter().filter_map(Node::to_text).collect()).unwrap_or_default()
}

impl Registries {
    /// Reads the registries of a configuration.
    pub(in crate::lang::import::home_assistant) fn read(loader: &mut Loader<'_>) -> Registries {
        let mut found = Registries::default();
        let mut items =
            |path: &str, key: &str| crate::lang::import::home_assistant::load::storage_items(loader, path, key);
        for node in items(".storage/core.device_registry", "devices") {
            let Some(id) = text(&node, "id") else { continue };
            let pairs = node.get("identifiers").map(|list| list.items()).unwrap_or_default();
            let pair = |pair: &Node| {
                let items = pair.items();
                Some((items.first()?.to_text()?, items.get(1)?.to_text()?))
            };
            let connections = node.get("connections").map(|list| list.items()).unwrap_or_default();
            let device = RegisteredDevice {
                name: text(&node, "name_by_user").or_else(|| text(&node, "name")),
                identifiers: pairs.into_iter().filter_map(pair).collect(),
                connections: connections.into_iter().filter_map(pair).map(|(_, address)| plain(&address)).collect(),
                area: text(&node, "area_id"),
                labels: texts(&node, "labels"),
            };
            found.devices.insert(id, device);
        }
        for node in items(".storage/core.area_registry", "areas") {
            if let Some(id) = text(&node, "id") {
                found.areas.insert(id, text(&node, "floor_id"));
            }
        }
        for node in items(".storage/core.entity_registry", "entities") {
            let Some(id) = text(&node, "entity_id") else { continue };
            let is_given = |key: &str| node.get(key).is_some_and(|value| !value.is_null());
            let entity = Registered {
                unique_id: text(&node, "unique_id").unwrap_or_default(),
                platform: text(&node, "platform").unwrap_or_default(),
                name: text(&node, "name").or_else(|| text(&node, "original_name")),
                class: text(&node, "device_class").or_else(|| text(&node, "original_device_class")),
                device: text(&node, "device_id"),
                area: text(&node, "area_id"),
                labels: texts(&node, "labels"),
                precision: precision(&node),
                unit: text(&node, "unit_of_measurement"),
                is_aside: ["hidden_by", "entity_category", "disabled_by"].into_iter().any(is_given),
            };
            if let Some(registry_id) = text(&node, "id") {
                found.by_registry_id.insert(registry_id, id.clone());
            }
            found.entities.insert(id, entity);
        }
        found.are_there = !found.entities.is_empty();
        found
    }

    /// Returns all entities of a domain, without those that are hidden.
    pub(in crate::lang::import::home_assistant) fn of_domain(&self, domain: &str) -> Vec<String> {
        let is_meant = |(id, entity): &(&String, &Registered)| !entity.is_aside && id.split('.').next() == Some(domain);
        self.entities.iter().filter(is_meant).map(|(id, _)| id.clone()).collect()
    }

    pub(in crate::lang::import::home_assistant) fn device(&self, id: &str) -> Option<&RegisteredDevice> {
        self.devices.get(id)
    }

    /// Returns the device of an entity.
    pub(in crate::lang::import::home_assistant) fn device_of(&self, entity: &Registered) -> Option<&RegisteredDevice> {
        self.devices.get(entity.device.as_ref()?)
    }

    /// Returns the entities that a target's `area_id`, `device_id`, `label_id` or `floor_id` means; `None` if nothing is
    /// known under this id. Hidden ones and those for configuration and diagnosis aren't among them.
    pub(in crate::lang::import::home_assistant) fn expand(&self, key: &str, id: &str) -> Option<Vec<String>> {
        let is_known = match key {
            "area_id" => {
                self.areas.contains_key(id) || self.entities.values().any(|entity| entity.area.as_deref() == Some(id))
            }
            "device_id" => self.devices.contains_key(id),
            "floor_id" => self.areas.values().any(|floor| floor.as_deref() == Some(id)),
            _ => true,
        };
        if !is_known {
            return None;
        }
        let is_meant = |entity: &Registered| {
            let device = self.device_of(entity);
            let area = entity.area.as_ref().or_else(|| device.and_then(|device| device.area.as_ref()));
            match key {
                "area_id" => area.is_some_and(|area| area == id),
                "floor_id" => {
                    area.and_then(|area| self.areas.get(area)).is_some_and(|floor| floor.as_deref() == Some(id))
                }
                "device_id" => entity.device.as_deref() == Some(id),
                _ => entity.labels.contains(id) || device.is_some_and(|device| device.labels.contains(id)),
            }
        };
        let found = self.entities.iter().filter(|(_, entity)| !entity.is_aside && is_meant(entity));
        let found: Vec<String> = found.map(|(id, _)| id.clone()).collect();
        Some(found).filter(|found| key != "label_id" || !found.is_empty())
    }
}

/// Returns the digits behind the point with which a sensor is shown: what was chosen, else what it suggests.
fn precision(node: &Node) -> Option<i64> {
    let shown = node.get("options")?.get("sensor")?;
    let digits = ["display_precision", "suggested_display_precision"]
        .into_iter()
        .find_map(|key| shown.get(key).filter(|value| !value.is_null()).and_then(Node::to_text));
    digits?.parse().ok()
}

/// Returns an address in small letters, without separators.
pub(in crate::lang::import::home_assistant) fn plain(address: &str) -> String {
    address.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
