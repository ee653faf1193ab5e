//! One thing that two sources tell of: it is the device of the first of them.
//!
//! The same address is the same thing, and so is a state topic that just these two share. Within one source, two are two.

use std::collections::BTreeMap;

use crate::devices::device::address::Address;
use crate::devices::device::{Device, Source};
use crate::model::{Topic, TopicFilter};

/// What two tellings of one device share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Address(Address),
    Topic(Topic),
}

/// Who shares what with whom.
#[derive(Debug, Default)]
pub(in crate::devices) struct Sameness {
    by_link: BTreeMap<Link, Vec<(Source, u32)>>,
}

impl Sameness {
    /// Adds a device, and returns those that share something with it.
    pub(in crate::devices) fn add(&mut self, slot: u32, device: &Device) -> Vec<u32> {
        let mut touched = Vec::new();
        for link in links(device) {
            let sharers = self.by_link.entry(link).or_insert_with(|| Vec::with_capacity(1));
            touched.extend(sharers.iter().map(|(_, slot)| *slot));
            sharers.push((device.source, slot));
        }
        touched
    }

    /// Removes a device, and returns those that shared something with it.
    pub(in crate::devices) fn remove(&mut self, slot: u32, device: &Device) -> Vec<u32> {
        let mut touched = Vec::new();
        for link in links(device) {
            if let Some(sharers) = self.by_link.get_mut(&link) {
                sharers.retain(|(_, known)| *known != slot);
                touched.extend(sharers.iter().map(|(_, slot)| *slot));
                if sharers.is_empty() {
                    self.by_link.remove(&link);
                }
            }
        }
        touched
    }

    /// Returns whether an earlier source tells of the same thing.
    pub(in crate::devices) fn is_hidden(&self, slot: u32, device: &Device) -> bool {
        let is_earlier = |sharer: &(Source, u32)| sharer.1 != slot && sharer.0 < device.source;
        links(device).iter().any(|link| {
            let sharers = self.by_link.get(link).map_or(&[][..], Vec::as_slice);
            match link {
                Link::Address(_) => sharers.iter().any(is_earlier),
                Link::Topic(_) => sharers.len() == 2 && sharers.iter().any(is_earlier),
            }
        })
    }
}

fn links(device: &Device) -> Vec<Link> {
    let mut links: Vec<Link> = device.addresses.iter().map(|address| Link::Address(*address)).collect();
    let read =
        device.properties.iter().flat_map(|property| &property.reads).filter_map(|read| device.topics.get(read.topic));
    let mut topics: Vec<Topic> = read.filter_map(TopicFilter::as_topic).collect();
    topics.sort_unstable();
    topics.dedup();
    links.extend(topics.into_iter().map(Link::Topic));
    links.sort_unstable();
    links.dedup();
    links
}
