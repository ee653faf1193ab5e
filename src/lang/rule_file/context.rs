//! What decoding one rule needs to know about the rest of the home.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::lang::home::DevicesOfFiles;
use crate::lang::yaml::tree::Node;
use crate::lang::{Allow, Settings};
use crate::model::schedule::Calendar;
use crate::model::{Name, RuleId, Value};
use crate::rules::{Input, Inputs, Targets};
use crate::script::{RuleNames, Sandbox};

use super::each::Instances;
use super::file::{RuleFile, RuleSource};

/// What is known of all rules before one is decoded.
pub(in crate::lang) struct Context {
    /// Compiles expressions.
    pub(in crate::lang) sandbox: Arc<Sandbox>,
    /// All files, in the order of their paths.
    pub(in crate::lang) files: Vec<Arc<RuleFile>>,
    /// The ids of all rules, instances too.
    pub(in crate::lang) names: RuleNames,
    /// The rules that have a `while`.
    pub(super) whiles: BTreeSet<RuleId>,
    /// Rules whose instances aren't known at load: they come with their topics, or `each` has a mistake.
    pub(super) each_topic: BTreeSet<RuleId>,
    /// The names that `with` gives to a rule, by its id.
    pub(super) given: BTreeMap<RuleId, BTreeSet<Name>>,
    /// The names that `with` gives to rules that are only known at run.
    pub(super) given_to_any: BTreeSet<Name>,
    /// Whether all files could be read; otherwise an unknown rule may be in one of the others.
    pub(super) is_complete: bool,
    /// Whether the settings say where the home is; assumed if they don't load.
    pub(super) has_location: bool,
    /// The home's zone and place, where both are known.
    pub(super) calendar: Option<Calendar>,
    /// Payloads that are skipped everywhere.
    pub(super) ignored: Vec<Value>,
    /// The home's inputs.
    pub(in crate::lang) inputs: Arc<Inputs>,
    /// The devices that the home's files know; `None` if the settings don't load.
    pub(super) devices: Option<Arc<DevicesOfFiles>>,
    /// Whether a rule names a device, and no file says which there are.
    names_devices: AtomicBool,
    /// The names of the home's calendars; `None` if the settings don't load.
    pub(super) calendars: Option<BTreeSet<Arc<str>>>,
    /// How long the recorder keeps messages; `None` if it is off, or the settings don't load.
    pub(super) recorded: Option<Duration>,
    /// What the settings allow; `None` if they don't load.
    pub(super) allow: Option<Allow>,
    /// Where notifications go; `None` if the settings don't load.
    pub(super) targets: Option<Targets>,
    /// The webhooks that rules hear; `None` if a file may hear others.
    pub(super) webhooks: Option<BTreeSet<Arc<str>>>,
}

impl Context {
    /// Returns what `files` say about each other. `settings` are `None` if they don't load: what they don't say is then no
    /// mistake of a rule.
    pub(in crate::lang) fn new(
        sandbox: Arc<Sandbox>,
        files: Vec<Arc<RuleFile>>,
        is_complete: bool,
        settings: Option<&Settings>,
        devices: Arc<DevicesOfFiles>,
    ) -> Context {
        let rules = || files.iter().flat_map(|file| file.rules.iter());
        let ids: Vec<RuleId> = rules().flat_map(RuleSource::ids).collect();
        let whiles = rules().filter(|rule| rule.node.get("while").is_some());
        let whiles = whiles.flat_map(|rule| rule.ids().into_iter().chain([rule.id.clone()])).collect();
        let each_topic = rules().filter(|rule| rule.instances.are_unknown());
        let each_topic = each_topic.map(|rule| rule.id.clone()).collect();
        let mut context = Context {
            sandbox,
            names: RuleNames::new(&ids),
            whiles,
            each_topic,
            given: BTreeMap::new(),
            given_to_any: BTreeSet::new(),
            is_complete,
            has_location: settings.is_none_or(|settings| settings.location.is_some()),
            calendar: settings.and_then(calendar),
            ignored: settings.map(|settings| settings.ignored.clone()).unwrap_or_default(),
            inputs: Arc::new(files.iter().flat_map(|file| &file.inputs).map(named).collect()),
            devices: settings.map(|_| devices),
            names_devices: AtomicBool::new(false),
            calendars: settings.map(|settings| settings.calendars.keys().cloned().collect()),
            recorded: settings.and_then(|settings| Some(settings.recorder.as_ref()?.keep)),
            allow: settings.map(|settings| settings.allow.clone()),
            targets: settings.map(|settings| settings.targets.clone()),
            webhooks: is_complete.then(|| webhooks(&files)).flatten(),
            files: files.clone(),
        };
        for file in &files {
            for rule in &file.rules {
                rule.node.walk(&mut |node| context.note_given(node, &file.stem));
            }
        }
        context
    }

    /// Notes the names that an action `run` gives to its rule.
    fn note_given(&mut self, node: &Node, file: &str) {
        let (Some(rule), Some(with)) = (node.get("run"), node.get("with")) else { return };
        let (Some(rule), Some(entries)) = (rule.as_scalar(), with.as_map()) else { return };
        let names = entries.iter().map(|entry| Name::from(entry.key.as_str()));
        if rule.text.as_str().contains("${") {
            self.given_to_any.extend(names);
            return;
        }
        let names: Vec<Name> = names.collect();
        for id in self.names.find(rule.text.as_str(), file) {
            self.given.entry(id).or_default().extend(names.iter().cloned());
        }
    }

    /// Notes that a rule names a device, and no file says which there are.
    pub(super) fn note_unknown_device(&self) {
        self.names_devices.store(true, Ordering::Relaxed);
    }

    /// Returns whether a rule names a device, and no file says which there are.
    pub(in crate::lang) fn names_unknown_devices(&self) -> bool {
        self.names_devices.load(Ordering::Relaxed)
    }

    /// Returns whether the rule has a `while`.
    pub(super) fn is_while(&self, id: &RuleId) -> bool {
        self.whiles.contains(id) || self.whiles.contains(&id.maker())
    }
}

impl RuleSource {
    /// Returns the ids of its instances that are known at load, or its own if it has none.
    pub(in crate::lang) fn ids(&self) -> Vec<RuleId> {
        match &self.instances {
            Instances::One | Instances::Topics(_) => vec![self.id.clone()],
            // Its `each` has a mistake, which is reported: whoever names it makes none.
            Instances::Fixed(instances) if instances.is_empty() => vec![self.id.clone()],
            Instances::Fixed(instances) => instances.iter().map(|instance| self.id.instance(&instance.name)).collect(),
        }
    }
}

/// Returns an input by its name.
fn named((input, _): &(Input, Range<usize>)) -> (Name, Input) {
    (Arc::clone(&input.name), input.clone())
}

/// Returns the webhooks that rules hear; `None` where a name is only known later.
fn webhooks(files: &[Arc<RuleFile>]) -> Option<BTreeSet<Arc<str>>> {
    let (mut found, mut are_known) = (BTreeSet::new(), true);
    for rule in files.iter().flat_map(|file| &file.rules) {
        rule.node.walk(&mut |node| {
            let Some(name) = node.get("webhook").and_then(Node::as_scalar) else { return };
            // A button names one, and hears nothing.
            if node.get("text").is_some() {
                return;
            }
            let name = name.text.as_str();
            are_known &= !name.contains("${");
            found.insert(name.into());
        });
    }
    are_known.then_some(found)
}

/// Returns the home's zone and place, where the settings say both.
fn calendar(settings: &Settings) -> Option<Calendar> {
    let zone = TimeZone::get(settings.zone.as_deref()?).ok()?;
    Some(Calendar { zone, location: Some(settings.location?), ..Calendar::default() })
}
