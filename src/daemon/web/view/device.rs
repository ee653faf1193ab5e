//! What is known of one device beside what it says now: what it said over time, and the rules that read or command it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::view::{DeviceRule, GraphAnswer, History, PropertyHistory};
use crate::daemon::web::Shared;
use crate::daemon::web::problem::Problem;
use crate::devices::{Device, Property, Reader};
use crate::model::{Payload, Topic, TopicFilter};

use super::beside;
use super::graph::{self, Asked};
use super::history::{Said, Stretch, points};

/// How many points are given of each property.
const POINTS: usize = 300;

/// Returns what the properties of `device` said over a time: those that said something.
pub(in crate::daemon::web) async fn histories(
    shared: &Shared,
    device: Arc<Device>,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<PropertyHistory>, Problem> {
    let topics: BTreeSet<Topic> = device.properties.iter().filter_map(|one| Some(reading(&device, one)?.0)).collect();
    if topics.is_empty() {
        return Ok(Vec::new());
    }
    let make = move |said: Said| {
        let history = |property: &Property| {
            let (topic, reader) = reading(&device, property)?;
            let value = |payload: &Payload| Some(reader.read(payload).ok()??.to_json());
            let (found, points) = points(said.get(&topic)?, value, POINTS);
            let (topic, field) = (topic.to_string(), Some(property.name.to_string()));
            let history = History { topic, field, from, to, found, points };
            (found > 0).then(|| PropertyHistory { unit: property.unit.as_deref().map(ToOwned::to_owned), history })
        };
        device.properties.iter().filter_map(history).collect()
    };
    Stretch { topics, from, to }.said(shared, make).await
}

/// Returns where a property is said, and how it is read.
fn reading<'a>(device: &Device, property: &'a Property) -> Option<(Topic, &'a Reader)> {
    let read = property.reads.first()?;
    Some((device.topics.get(read.topic).and_then(TopicFilter::as_topic)?, &read.reader))
}

/// Returns the rules that read a device, or command it.
pub(in crate::daemon::web) async fn rules(shared: &Shared, id: &str) -> Result<Vec<DeviceRule>, Problem> {
    let home = graph::look(shared).await?;
    let asked = Asked { device: Some(id.to_owned()), reach: Some(1), ..Asked::default() };
    // Without a rule that names it, there's no picture.
    beside(move || home.draw().picture(&asked).map_or(Vec::new(), |picture| of_picture(&GraphAnswer::new(&picture))))
        .await
}

fn of_picture(answer: &GraphAnswer) -> Vec<DeviceRule> {
    let mut rules: BTreeMap<usize, DeviceRule> = BTreeMap::new();
    for arrow in &answer.arrows {
        for place in [arrow.from, arrow.to] {
            let Some(found) = answer.boxes.get(place).filter(|found| found.kind == "rule") else { continue };
            let rule = rules.entry(place).or_insert_with(|| DeviceRule {
                rule: found.name.clone(),
                name: found.title.clone(),
                is_started: false,
                reads: false,
                commands: false,
            });
            rule.is_started |= arrow.kind == "wakes";
            rule.reads |= arrow.kind == "asked" && place == arrow.to;
            rule.commands |= arrow.kind == "writes" && place == arrow.from;
        }
    }
    rules.into_values().collect()
}
