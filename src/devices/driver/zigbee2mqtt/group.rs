//! Groups of zigbee2mqtt: a group has what its members can be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::parts::{list, text};
use crate::devices::device::kind::Kind;
use crate::devices::device::property::Property;
use crate::model::Value;

/// What a member brings to a group.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) properties: Arc<[Property]>,
}

/// The properties that a group passes on.
const PASSED_ON: [&str; 16] = [
    "on",
    "brightness",
    "color_temp",
    "color",
    "effect",
    "transition",
    "position",
    "tilt",
    "move",
    "open",
    "locked",
    "setpoint",
    "mode",
    "preset",
    "fan",
    "fan_mode",
];

/// Returns what a group can be told: what any of its members can, by its main name.
pub(super) fn merged(group: &Value, known: &BTreeMap<Arc<str>, Member>) -> Member {
    let addresses = list(group, "members").iter().filter_map(|member| text(member, "ieee_address"));
    let members: Vec<&Member> = addresses.filter_map(|address| known.get(address)).collect();
    let mut properties: Vec<Property> = Vec::new();
    for property in members.iter().flat_map(|member| member.properties.iter()) {
        let is_passed_on = PASSED_ON.contains(&&*property.name);
        if is_passed_on && !properties.iter().any(|known| known.name == property.name) {
            properties.push(property.clone());
        }
    }
    Member { kind: Kind::main(members.iter().map(|member| member.kind)), properties: super::shared(properties) }
}
