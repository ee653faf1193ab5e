//! The home as a graph: which rule reads and writes which topics, and how.

mod devices;
pub(in crate::analysis) mod names;
mod reads;
mod writes;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::devices::Directory;
use crate::model::{Name, Place, RuleId, Topic, TopicFilter, Value, is_inner};
use crate::rules::{EachTopic, Rule, RuleEntry, Ruleset};

use super::{Known, Pattern};

/// How many topics a rule that is made for topics is looked at for.
const MOST_TOPICS: usize = 8;

/// The rules of a home with what they read and write.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The rules, in their order. One that is made for topics stands here once for each of some of them.
    pub rules: Vec<Node>,
    /// The invariants, in their order: they only look on.
    pub invariants: Vec<Node>,
}

/// A rule, with what it reads and writes.
#[derive(Debug, Clone)]
pub struct Node {
    /// The rule.
    pub rule: Arc<Rule>,
    /// What it reads.
    pub reads: Vec<Reading>,
    /// What it reads in expressions by the name of a device or an input, beside `reads`.
    pub named: Vec<Reading>,
    /// What it writes.
    pub writes: Vec<Writing>,
    /// The inputs that it sets.
    pub sets: Vec<Name>,
    /// The rules that it runs, switches or cancels, and those that it asks of, where these are written out.
    pub others: Vec<(OtherRule, RuleId)>,
}

/// How a rule uses another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherRule {
    /// Runs it.
    Runs,
    /// Switches, cancels or changes it.
    Steers,
    /// Asks how it is.
    Asks,
}

/// Something that a rule reads.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Of which topics.
    pub pattern: Pattern,
    /// How.
    pub how: How,
    /// Which part of the value; empty: all of it.
    pub path: String,
    /// Whether a fallback says what to use where the value is missing.
    pub is_optional: bool,
    /// Where.
    pub place: Place,
}

/// How a rule reads something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It starts the rule, or a change of it is noticed at once.
    Wakes,
    /// It's asked when the rule is started.
    Asked,
    /// It ends a wait.
    Awaited,
    /// It's put into what the rule publishes or keeps.
    Used,
}

/// Something that a rule writes.
#[derive(Debug, Clone)]
pub struct Writing {
    /// To which topics.
    pub pattern: Pattern,
    /// What, where that is known at load.
    pub value: Option<Value>,
    /// Whether time passes between what starts the rule and this.
    pub is_delayed: bool,
    /// Where.
    pub place: Place,
    /// Which action: `then[1]`.
    pub path: Arc<str>,
}

impl Graph {
    /// Returns the graph of `rules` in a home of whose topics and devices this is known.
    #[must_use]
    pub fn new(rules: &Ruleset, known: &Known) -> Graph {
        Graph::of(rules, known.topics().map(|(topic, _)| topic), &known.devices.directory())
    }

    /// Returns the graph of `rules` in a home with these topics and devices.
    #[must_use]
    pub fn of<'a>(rules: &Ruleset, topics: impl Iterator<Item = &'a Topic> + Clone, devices: &Directory) -> Graph {
        let nodes = |entry: &RuleEntry| match entry {
            RuleEntry::Rule(rule) => vec![Node::new(Arc::clone(rule), rules, devices)],
            RuleEntry::EachTopic(each) => {
                let made = instances(each, topics.clone());
                made.into_iter().map(|rule| Node::new(Arc::new(rule), rules, devices)).collect()
            }
        };
        let mut invariants: Vec<Node> = rules.invariants.iter().flat_map(nodes).collect();
        for reading in invariants.iter_mut().flat_map(|node| &mut node.reads) {
            // They wake nothing.
            reading.how = How::Used;
        }
        Graph { rules: rules.entries.iter().flat_map(nodes).collect(), invariants }
    }

    /// Returns the rules, then the invariants.
    pub fn all(&self) -> impl Iterator<Item = &Node> {
        self.rules.iter().chain(&self.invariants)
    }

    /// Returns the rule `id`.
    #[must_use]
    pub fn node(&self, id: &RuleId) -> Option<&Node> {
        self.rules.iter().find(|node| node.rule.id == *id)
    }

    /// Returns the patterns, as texts, that rules read or write, and that meet `filter`.
    #[must_use]
    pub fn topics_meeting(&self, filter: &TopicFilter) -> BTreeSet<String> {
        let wanted = Pattern::of_filter(filter);
        let read =
            self.rules.iter().flat_map(|node| node.reads.iter().chain(&node.named).map(|reading| &reading.pattern));
        let written = self.rules.iter().flat_map(|node| node.writes.iter().map(|writing| &writing.pattern));
        read.chain(written).filter(|pattern| pattern.meets(&wanted)).map(ToString::to_string).collect()
    }

    /// Returns the writings of all rules to topics of `pattern`, with their rules.
    pub fn writers<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = (&'a Node, &'a Writing)> {
        let all = self.rules.iter().flat_map(|node| node.writes.iter().map(move |writing| (node, writing)));
        all.filter(move |(_, writing)| writing.pattern.meets(pattern))
    }

    /// Returns the readings of all rules of topics of `pattern`, with their rules.
    pub fn readers<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = (&'a Node, &'a Reading)> {
        let all = self.rules.iter().flat_map(|node| node.reads.iter().map(move |reading| (node, reading)));
        all.filter(move |(_, reading)| reading.pattern.meets(pattern))
    }
}

impl Node {
    fn new(rule: Arc<Rule>, rules: &Ruleset, devices: &Directory) -> Node {
        let (reads, named, asks) = reads::of(&rule, rules, devices);
        let (writes, sets, steers) = writes::of(&rule, rules, devices);
        Node { reads, named, writes, sets, others: asks.into_iter().chain(steers).collect(), rule }
    }

    /// Returns what the rule reads of topics, and of devices by name.
    pub fn reads_of_devices(&self) -> impl Iterator<Item = &Reading> {
        let is_of_topic = |reading: &&Reading| reading.pattern.as_topic().is_none_or(|topic| !is_inner(topic.as_str()));
        self.reads.iter().chain(self.named.iter().filter(is_of_topic))
    }

    /// Returns what wakes the rule.
    pub fn wakes(&self) -> impl Iterator<Item = &Reading> {
        self.reads.iter().filter(|reading| reading.how == How::Wakes)
    }
}

/// Returns the rules that are made for those of `topics` that match, or for an invented one.
fn instances<'a>(each: &EachTopic, topics: impl Iterator<Item = &'a Topic>) -> Vec<Rule> {
    let matching = topics.filter(|topic| each.filter.matches_in_rules(topic)).take(MOST_TOPICS);
    let made: Vec<Rule> = matching.filter_map(|topic| (each.make)(topic).ok()).collect();
    if !made.is_empty() {
        return made;
    }
    let invented = |capture: &str| Topic::parse(&each.filter.plain().replace(['+', '#'], capture)).ok();
    let mut invented = ["example", "1"].into_iter().filter_map(invented);
    invented.find_map(|topic| (each.make)(&topic).ok()).into_iter().collect()
}
