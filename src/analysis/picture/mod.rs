//! A picture of the graph: rules and topics as boxes, and what is read and written as arrows.

mod dot;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, How, OtherRule};

/// A picture of a home.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    /// The boxes.
    boxes: Vec<PictureBox>,
    /// The arrows, between boxes by their place.
    arrows: BTreeSet<(usize, usize, Arrow)>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PictureBox {
    kind: BoxKind,
    label: String,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BoxKind {
    /// A rule.
    Rule,
    /// A topic, or several that a filter names.
    Topic,
}

/// What an arrow says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Arrow {
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
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Only what is beside these rules.
    pub rules: BTreeSet<String>,
    /// Only what is beside these topics.
    pub topics: BTreeSet<String>,
}

impl Picture {
    /// Returns the picture of `graph`.
    #[must_use]
    pub fn new(graph: &Graph, shown: &Shown) -> Picture {
        let mut picture = Maker::default();
        for node in &graph.rules {
            // One of several instances says what all do.
            let rule = node.rule.id.maker().to_string();
            let from = picture.place(BoxKind::Rule, rule);
            for reading in node.reads.iter().filter(|reading| !reading.pattern.is_anything()) {
                let topic = picture.place(BoxKind::Topic, reading.pattern.to_string());
                let arrow = if matches!(reading.how, How::Wakes | How::Awaited) { Arrow::Wakes } else { Arrow::Asked };
                picture.arrows.insert((topic, from, arrow));
            }
            for writing in node.writes.iter().filter(|writing| !writing.pattern.is_anything()) {
                let topic = picture.place(BoxKind::Topic, writing.pattern.to_string());
                picture.patterns.insert(topic, writing.pattern.clone());
                picture.arrows.insert((from, topic, Arrow::Writes));
            }
            for (how, other) in &node.others {
                let other = picture.place(BoxKind::Rule, other.maker().to_string());
                match how {
                    OtherRule::Runs | OtherRule::Steers => picture.arrows.insert((from, other, Arrow::Writes)),
                    OtherRule::Asks => picture.arrows.insert((other, from, Arrow::Asked)),
                };
            }
        }
        picture.join(graph);
        picture.finish(shown)
    }
}

#[derive(Default)]
struct Maker {
    places: BTreeMap<PictureBox, usize>,
    arrows: BTreeSet<(usize, usize, Arrow)>,
    /// The patterns of what is written to.
    patterns: BTreeMap<usize, super::Pattern>,
}

impl Maker {
    fn place(&mut self, kind: BoxKind, label: String) -> usize {
        let next = self.places.len();
        *self.places.entry(PictureBox { kind, label }).or_insert(next)
    }

    /// Draws arrows from what is published to the filters that hear it under another name.
    fn join(&mut self, graph: &Graph) {
        for node in &graph.rules {
            for reading in &node.reads {
                let Some(heard) =
                    self.places.get(&PictureBox { kind: BoxKind::Topic, label: reading.pattern.to_string() })
                else {
                    continue;
                };
                for (place, written) in &self.patterns {
                    if place != heard && written.meets(&reading.pattern) && !reading.pattern.is_anything() {
                        self.arrows.insert((*place, *heard, Arrow::Heard));
                    }
                }
            }
        }
    }

    fn finish(self, shown: &Shown) -> Picture {
        let mut boxes: Vec<(PictureBox, usize)> = self.places.into_iter().collect();
        boxes.sort_by_key(|(_, place)| *place);
        let boxes: Vec<PictureBox> = boxes.into_iter().map(|(found, _)| found).collect();
        let mut picture = Picture { boxes, arrows: self.arrows };
        if !shown.rules.is_empty() || !shown.topics.is_empty() {
            picture.narrow(shown);
        }
        picture
    }
}

impl Picture {
    /// Returns whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// Leaves what is asked for, its neighbours, and of a rule's topics the rules beside them.
    fn narrow(&mut self, shown: &Shown) {
        let is_meant = |found: &PictureBox| match found.kind {
            BoxKind::Rule => shown.rules.contains(&found.label),
            BoxKind::Topic => shown.topics.contains(&found.label),
        };
        let mut kept: BTreeSet<usize> =
            self.boxes.iter().enumerate().filter(|(_, found)| is_meant(found)).map(|(place, _)| place).collect();
        for _ in 0..2 {
            let beside = self.arrows.iter().filter(|(from, to, _)| kept.contains(from) || kept.contains(to));
            let beside: BTreeSet<usize> = beside.flat_map(|(from, to, _)| [*from, *to]).collect();
            kept.extend(beside);
        }
        let moved: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let arrows =
            self.arrows.iter().filter_map(|(from, to, arrow)| Some((*moved.get(from)?, *moved.get(to)?, *arrow)));
        self.arrows = arrows.collect();
        let boxes = std::mem::take(&mut self.boxes).into_iter().enumerate();
        self.boxes = boxes.filter(|(place, _)| kept.contains(place)).map(|(_, found)| found).collect();
    }
}
