//! A picture of the graph: rules, topics and devices as boxes, and what is read and written as arrows.

mod columns;
mod dot;
mod drawing;
mod mermaid;
mod plan;
mod svg;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::devices::Directory;
use crate::model::{RuleId, input_topic, is_inner, nearest, spoken};
use crate::rules::{Invariant, Ruleset};

use super::{Graph, How, OtherRule, Pattern};

pub use drawing::{Drawing, DrawnArrow, DrawnBox};

/// How many steps away from what is asked for something is shown.
const USUAL_REACH: usize = 2;

/// A picture of a home.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    boxes: Vec<PictureBox>,
    /// The arrows, between boxes by their place.
    arrows: BTreeSet<(usize, usize, Arrow)>,
    left_out: usize,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureBox {
    /// What it stands for.
    pub kind: BoxKind,
    /// The id of the rule or invariant, or the topic, or the filter that names several, or `inputs.NAME`.
    pub name: String,
    /// What people call it: the rule's name, or the device's.
    pub title: Option<Arc<str>>,
    /// The id of the device that alone is heard on the topic or spoken to there.
    pub device: Option<Arc<str>>,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoxKind {
    /// A rule.
    Rule,
    /// A topic, or several that a filter names.
    Topic,
    /// A topic of one device.
    Device,
    /// An input.
    Input,
    /// An invariant.
    Invariant,
}

/// What an arrow says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrow {
    /// A topic wakes a rule.
    Wakes,
    /// A rule reads a topic when something else wakes it, or asks of another rule.
    Asked,
    /// A rule publishes, or runs or switches another rule.
    Writes,
    /// A topic that is published to is one that a filter of another box hears.
    Heard,
}

/// Which part of a home is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Only what is beside these rules and invariants.
    pub rules: BTreeSet<String>,
    /// Only what is beside these topics.
    pub topics: BTreeSet<String>,
    /// How many steps away something may be.
    pub reach: usize,
    /// The most boxes; what is nearest to what is asked for stays.
    pub most: usize,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown { rules: BTreeSet::new(), topics: BTreeSet::new(), reach: USUAL_REACH, most: usize::MAX }
    }
}

impl Shown {
    /// Returns the rules or invariants that `name` means: by id, or by key.
    ///
    /// # Errors
    /// Where there are none: the name that is near.
    pub fn rules_named(rules: &Ruleset, name: &str) -> Result<BTreeSet<String>, Option<String>> {
        let ids: Vec<RuleId> =
            rules.entries.iter().chain(rules.invariants.iter()).map(|entry| Invariant::id_of(entry.id())).collect();
        let is_meant = |id: &RuleId| {
            let maker = id.maker();
            [id.as_str(), id.key(), maker.as_str(), maker.key()].contains(&name)
        };
        let found: BTreeSet<String> = ids.iter().filter(|id| is_meant(id)).map(|id| id.maker().to_string()).collect();
        if found.is_empty() {
            return Err(nearest(name, ids.iter().flat_map(|id| [id.as_str(), id.key()])).map(ToOwned::to_owned));
        }
        Ok(found)
    }
}

impl BoxKind {
    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            BoxKind::Rule => "rule",
            BoxKind::Topic => "topic",
            BoxKind::Device => "device",
            BoxKind::Input => "input",
            BoxKind::Invariant => "invariant",
        }
    }
}

impl Arrow {
    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Arrow::Wakes => "wakes",
            Arrow::Asked => "asked",
            Arrow::Writes => "writes",
            Arrow::Heard => "heard",
        }
    }
}

impl PictureBox {
    /// Returns what is written into it, line by line.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.title.as_deref().into_iter().chain([self.name.as_str()])
    }
}

impl Picture {
    /// Returns the picture of `graph`, in a home with these devices.
    #[must_use]
    pub fn new(graph: &Graph, devices: &Directory, shown: &Shown) -> Picture {
        let mut picture = Maker::new(graph, devices);
        for node in &graph.rules {
            // One of several instances says what all do.
            let from = picture.rule(node.rule.id.maker().to_string());
            for reading in node.reads.iter().chain(&node.named).filter(|reading| !reading.pattern.is_anything()) {
                let topic = picture.topic(&reading.pattern);
                let arrow = if matches!(reading.how, How::Wakes | How::Awaited) { Arrow::Wakes } else { Arrow::Asked };
                picture.read.insert(topic, reading.pattern.clone());
                picture.arrows.insert((topic, from, arrow));
            }
            for writing in node.writes.iter().filter(|writing| !writing.pattern.is_anything()) {
                let topic = picture.topic(&writing.pattern);
                picture.written.insert(topic, writing.pattern.clone());
                picture.arrows.insert((from, topic, Arrow::Writes));
            }
            for topic in node.sets.iter().filter_map(|name| input_topic(name)) {
                let input = picture.topic(&Pattern::of_topic(&topic));
                picture.arrows.insert((from, input, Arrow::Writes));
            }
            for (how, other) in &node.others {
                let other = picture.rule(other.maker().to_string());
                match how {
                    OtherRule::Runs | OtherRule::Steers => picture.arrows.insert((from, other, Arrow::Writes)),
                    OtherRule::Asks => picture.arrows.insert((other, from, Arrow::Asked)),
                };
            }
        }
        for node in &graph.invariants {
            let invariant = picture.invariant(Invariant::id_of(&node.rule.id).maker().to_string());
            for reading in node.reads.iter().chain(&node.named).filter(|reading| !reading.pattern.is_anything()) {
                let topic = picture.topic(&reading.pattern);
                picture.read.insert(topic, reading.pattern.clone());
                picture.arrows.insert((topic, invariant, Arrow::Asked));
            }
            for (_, other) in &node.others {
                let other = picture.rule(other.maker().to_string());
                picture.arrows.insert((other, invariant, Arrow::Asked));
            }
        }
        picture.join();
        picture.finish(shown)
    }

    /// Returns the boxes; arrows refer to them by place.
    #[must_use]
    pub fn boxes(&self) -> &[PictureBox] {
        &self.boxes
    }

    /// Returns the arrows: from which box to which, and what it says.
    pub fn arrows(&self) -> impl Iterator<Item = (usize, usize, Arrow)> + '_ {
        self.arrows.iter().copied()
    }

    /// Returns how many boxes were left out because there were too many.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Leaves what is asked for, and what is near it; of too much, what is nearest.
    fn narrow(&mut self, shown: &Shown) {
        let is_meant = |found: &PictureBox| match found.kind {
            BoxKind::Rule | BoxKind::Invariant => shown.rules.contains(&found.name),
            BoxKind::Topic | BoxKind::Device | BoxKind::Input => shown.topics.contains(&found.name),
        };
        let is_all = shown.rules.is_empty() && shown.topics.is_empty();
        let mut beside: Vec<Vec<usize>> = vec![Vec::new(); self.boxes.len()];
        for (from, to, _) in &self.arrows {
            for (one, other) in [(*from, *to), (*to, *from)] {
                if let Some(list) = beside.get_mut(one) {
                    list.push(other);
                }
            }
        }
        let meant = self.boxes.iter().enumerate().filter(|(_, found)| is_all || is_meant(found));
        let mut open: VecDeque<(usize, usize)> = meant.map(|(place, _)| (place, 0)).collect();
        let mut known: BTreeSet<usize> = open.iter().map(|(place, _)| *place).collect();
        let mut kept = BTreeSet::new();
        self.left_out = 0;
        while let Some((place, steps)) = open.pop_front() {
            if kept.len() >= shown.most {
                self.left_out += 1;
                continue;
            }
            kept.insert(place);
            if steps < shown.reach {
                for near in beside.get(place).into_iter().flatten() {
                    if known.insert(*near) {
                        open.push_back((*near, steps + 1));
                    }
                }
            }
        }
        self.keep(&kept);
    }

    fn keep(&mut self, kept: &BTreeSet<usize>) {
        let moved: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let arrows =
            self.arrows.iter().filter_map(|(from, to, arrow)| Some((*moved.get(from)?, *moved.get(to)?, *arrow)));
        self.arrows = arrows.collect();
        let boxes = std::mem::take(&mut self.boxes).into_iter().enumerate();
        self.boxes = boxes.filter(|(place, _)| kept.contains(place)).map(|(_, found)| found).collect();
    }
}

struct Maker<'a> {
    devices: &'a Directory,
    /// What people call the rules, by id.
    titles: BTreeMap<String, Arc<str>>,
    places: BTreeMap<(BoxKind, String), usize>,
    boxes: Vec<PictureBox>,
    arrows: BTreeSet<(usize, usize, Arrow)>,
    /// The patterns of what is read, and of what is written to.
    read: BTreeMap<usize, Pattern>,
    written: BTreeMap<usize, Pattern>,
}

impl Maker<'_> {
    fn new<'a>(graph: &Graph, devices: &'a Directory) -> Maker<'a> {
        let title = |node: &super::Node| {
            let id = Invariant::id_of(&node.rule.id).maker().to_string();
            Some((id, node.rule.name.as_deref()?.into()))
        };
        let titles = graph.all().filter_map(title).collect();
        let (places, boxes, arrows) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        Maker { devices, titles, places, boxes, arrows, read: BTreeMap::new(), written: BTreeMap::new() }
    }

    fn rule(&mut self, id: String) -> usize {
        let title = self.titles.get(&id).cloned();
        self.place((BoxKind::Rule, id), title, None)
    }

    fn invariant(&mut self, id: String) -> usize {
        let title = self.titles.get(&id).cloned();
        self.place((BoxKind::Invariant, id), title, None)
    }

    fn topic(&mut self, pattern: &Pattern) -> usize {
        let topic = pattern.as_topic();
        if let Some(topic) = topic.as_ref().filter(|topic| is_inner(topic.as_str())) {
            return self.place((BoxKind::Input, spoken(topic.as_str()).into_owned()), None, None);
        }
        let device = topic.and_then(|topic| self.devices.of_topic(&topic));
        let kind = if device.is_some() { BoxKind::Device } else { BoxKind::Topic };
        let (title, device) = device.map(|device| (Arc::clone(&device.name), Arc::clone(&device.id))).unzip();
        self.place((kind, pattern.to_string()), title, device)
    }

    fn place(&mut self, key: (BoxKind, String), title: Option<Arc<str>>, device: Option<Arc<str>>) -> usize {
        let next = self.boxes.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if place == next {
            let (kind, name) = key;
            self.boxes.push(PictureBox { kind, name, title, device });
        }
        place
    }

    /// Draws arrows from what is published to the filters that hear it under another name. Two topics are heard under no other.
    fn join(&mut self) {
        let is_one = |pattern: &Pattern| pattern.levels().iter().all(|level| level.as_text().is_some());
        let (one, several): (Vec<_>, Vec<_>) = self.written.iter().partition(|(_, pattern)| is_one(pattern));
        for (heard, reading) in &self.read {
            let ones = one.iter().filter(|_| !is_one(reading));
            for (place, written) in ones.chain(&several) {
                if *place != heard && written.meets(reading) {
                    self.arrows.insert((**place, *heard, Arrow::Heard));
                }
            }
        }
    }

    fn finish(self, shown: &Shown) -> Picture {
        let mut picture = Picture { boxes: self.boxes, arrows: self.arrows, left_out: 0 };
        if !shown.rules.is_empty() || !shown.topics.is_empty() || picture.boxes.len() > shown.most {
            picture.narrow(shown);
        }
        picture
    }
}
