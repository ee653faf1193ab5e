//! The home as a graph of rules, topics and devices, as programs read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::analysis::Picture;

/// Which rules read and write which topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Graph, example = json!({
    "boxes": [
        { "kind": "device", "name": "zigbee2mqtt/hall_sensor", "title": "Hall sensor", "device": "zigbee2mqtt/0x00158d0001a2b3c4" },
        { "kind": "rule", "name": "hall:light", "title": "Light in the hall" },
        { "kind": "topic", "name": "home/hall/light/set" }
    ],
    "arrows": [{ "from": 0, "to": 1, "kind": "wakes" }, { "from": 1, "to": 2, "kind": "writes" }],
    "left_out": 0
}))]
pub struct GraphAnswer {
    /// The rules, the topics, and the topics of devices.
    pub boxes: Vec<GraphBox>,
    /// What leads to what.
    pub arrows: Vec<GraphArrow>,
    /// How many boxes were left out because there were more than `most`.
    pub left_out: usize,
}

/// A rule, a topic, or a topic of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GraphBox {
    /// `rule`, `invariant`, `topic`, `input`, or `device`: a topic on which one device alone is heard or spoken to.
    #[schema(example = "rule")]
    pub kind: String,
    /// The id of the rule or invariant, or the topic, or a filter where several topics are meant, or `inputs.NAME`.
    #[schema(example = "hall:light")]
    pub name: String,
    /// What people call the rule or the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The id of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// What leads from one box to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GraphArrow {
    /// The place of the box that it comes from, from 0.
    pub from: usize,
    /// The place of the box that it goes to.
    pub to: usize,
    /// `wakes`: a topic starts a rule; `asked`: a rule reads a topic, or asks about another rule, when something else starts it; `writes`: a rule
    /// publishes, or runs or switches another rule; `heard`: what is published to a topic is heard by a filter.
    #[schema(example = "wakes")]
    pub kind: String,
}

impl GraphAnswer {
    /// Returns what is in `picture`.
    #[must_use]
    pub fn new(picture: &Picture) -> GraphAnswer {
        let boxes = picture.boxes().iter().map(|found| GraphBox {
            kind: found.kind.as_str().to_owned(),
            name: found.name.clone(),
            title: found.title.as_deref().map(ToOwned::to_owned),
            device: found.device.as_deref().map(ToOwned::to_owned),
        });
        let arrows = picture.arrows().map(|(from, to, arrow)| GraphArrow { from, to, kind: arrow.as_str().to_owned() });
        GraphAnswer { boxes: boxes.collect(), arrows: arrows.collect(), left_out: picture.left_out() }
    }
}
