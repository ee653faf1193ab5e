//! The import as a whole: files in, files and a report out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::lang::Code;

use super::entities::{Entity, Home, KnownDevice, Registries, Source, read_file};
use super::jinja::plain_text;
use super::load::{self, Configuration, Folder, Helper, Loader};
use super::outline::HomePlace;
use super::report::{Entry, EntryKind, Outcome, Reason, Report};
use super::translate::{self, Helpers, Made, Names, RuleSource, SceneName, Shared};
use super::trial::Trial;
use super::words;
use super::write::Doc;
use super::yaml::{Comment, Node, Place};

/// What is imported.
#[derive(Debug)]
pub struct Request<'a> {
    /// The configuration.
    pub folder: &'a Folder<'a>,
    /// The one file of it, if it's only one.
    pub single: Option<&'a str>,
    /// The entities file: its name and text.
    pub entities: Option<(&'a str, &'a str)>,
    /// The devices that the home knows.
    pub known: Vec<KnownDevice>,
    /// Whether the home has a homerule.yaml, which is never edited.
    pub has_settings: bool,
    /// Rules by key that came out wrong before, and why: they're refused.
    pub rejected: BTreeMap<String, String>,
}

/// What is written.
#[derive(Debug, Default)]
pub struct Imported {
    /// Each file's text, by its path in the home.
    pub files: BTreeMap<String, String>,
    /// Files that only the owner may read.
    pub secrets: BTreeMap<String, String>,
    /// For each rule file, how its automations are tried.
    pub trials: BTreeMap<String, Vec<Trial>>,
    /// What came of it.
    pub report: Report,
}

/// Imports a configuration.
///
/// # Errors
/// When there is nothing to read, or the entities file has a mistake.
pub fn import(request: &Request<'_>) -> Result<Imported, String> {
    let mut loader = Loader::new(request.folder);
    let configuration = load::load(&mut loader, request.single)?;
    let registries = Registries::read(&mut loader);
    let mut home = Home::new(registries, request.known.clone(), prefix(&configuration));
    home.has_no_place = !request.has_settings && !HomePlace::of(&configuration).is_known();
    if let Some((name, text)) = request.entities {
        home.entities = read_file(name, text)?;
        home.has_file = !home.entities.is_empty();
    }
    Ok(Importer::new(loader, configuration, home, request).run(request.single.is_none()))
}

/// Returns the first level of the topics on which Home Assistant says its states.
fn prefix(configuration: &Configuration) -> String {
    let topic = configuration.statestream.as_ref().and_then(|node| node.get("base_topic")).and_then(Node::to_text);
    let topic = topic.map(|topic| topic.trim_matches('/').to_owned()).filter(|topic| !topic.is_empty());
    topic.unwrap_or_else(|| "homeassistant_statestream".to_owned())
}

/// A thing that becomes a part of a rule file.
pub(super) struct Part {
    /// The file of Home Assistant, by which it's grouped, and its line.
    pub(super) file: Arc<str>,
    pub(super) line: usize,
    pub(super) section: Section,
    pub(super) key: String,
    pub(super) doc: Doc,
    /// The entry of the report that it belongs to.
    pub(super) entry: Option<usize>,
    /// Of an automation: what it's called.
    pub(super) title: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Inputs,
    Scenes,
    Rules,
}

pub(super) struct Importer<'a> {
    pub(super) loader: Loader<'a>,
    pub(super) configuration: Configuration,
    pub(super) home: Home,
    pub(super) names: Names,
    pub(super) shared: Shared,
    pub(super) has_settings: bool,
    rejected: BTreeMap<String, String>,
    pub(super) parts: Vec<Part>,
    pub(super) report: Report,
    /// The comments of each file that aren't written yet.
    pub(super) comments: BTreeMap<Arc<str>, Vec<Comment>>,
}

impl<'a> Importer<'a> {
    fn new(loader: Loader<'a>, configuration: Configuration, home: Home, request: &Request<'a>) -> Importer<'a> {
        let comments = loader.files.iter().map(|(path, file)| (Arc::clone(path), file.comments.clone())).collect();
        Importer {
            loader,
            configuration,
            home,
            names: Names::default(),
            shared: Shared::default(),
            has_settings: request.has_settings,
            rejected: request.rejected.clone(),
            parts: Vec::new(),
            report: Report::default(),
            comments,
        }
    }

    fn run(mut self, is_folder: bool) -> Imported {
        let (mut automations, mut scripts) = self.expand();
        self.name(&automations, &scripts);
        for (object, _, _, key) in &mut scripts {
            *key = self.names.unique(object);
            self.names.scripts.insert(object.clone(), key.clone());
            self.rule_entity(&format!("script.{object}"), Source::Script { rule: key.clone() });
        }
        for (node, expanded, key) in &mut automations {
            self.name_automation(node, expanded, key);
        }
        let mut helpers = Helpers::new(&self.configuration.helpers, &mut self.names);
        for (id, entity) in &helpers.entities {
            self.home.entities.entry(id.clone()).or_insert_with(|| entity.clone());
        }
        for helper in &self.configuration.helpers {
            if let Some(unit) = helper.node.get("unit_of_measurement").and_then(Node::to_text) {
                self.home.units.insert(helper_id(helper), unit);
            }
        }
        self.leave_computed(&mut helpers);
        self.scenes();
        let mut seen = BTreeSet::new();
        for (node, expanded, key) in automations {
            let comments = self.comments_of(&node.place);
            let made = match self.rejected.get(&key).cloned() {
                Some(reason) => {
                    let reason = Reason::new(Code::NOT_LOADABLE, reason);
                    translate::refused(self.source(), &node, &key, comments, reason)
                }
                None => translate::automation(self.source(), &node, expanded, &key, comments),
            };
            let mut made = made;
            let id = node.get("id").and_then(Node::to_text);
            if let Some(id) = id.filter(|id| !seen.insert(id.clone())) {
                made.differs.push(format!("there, a second automation with the id `{id}` isn't loaded; here it is"));
            }
            let name = title(&node, &key);
            self.add(EntryKind::Automation, &node.place, name, &key, made);
        }
        for (object, node, expanded, key) in scripts {
            let comments = self.comments_of(&node.place);
            let made = match self.rejected.get(&key).cloned() {
                Some(reason) => {
                    let reason = Reason::new(Code::NOT_LOADABLE, reason);
                    translate::refused(self.source(), &node, &key, comments, reason)
                }
                None => translate::script(self.source(), &node, expanded, &object, &key, comments),
            };
            let name = title(&node, &object);
            self.add(EntryKind::Script, &node.place, name, &key, made);
        }
        self.helpers(helpers);
        self.finish(is_folder)
    }

    fn source(&self) -> RuleSource<'_> {
        RuleSource { home: &self.home, names: &self.names, shared: &self.shared, files: &self.loader.files }
    }

    /// Writes out the blueprints, and names what is fired, heard and given.
    #[expect(clippy::type_complexity, reason = "each with its node, what it is in full, and its key")]
    fn expand(
        &mut self,
    ) -> (Vec<(Node, Result<Node, String>, String)>, Vec<(String, Node, Result<Node, String>, String)>) {
        let mut automations = Vec::new();
        for node in std::mem::take(&mut self.configuration.automations) {
            let expanded = load::expand(&mut self.loader, "automation", &node);
            automations.push((node, expanded, String::new()));
        }
        let mut scripts = Vec::new();
        for (object, node) in std::mem::take(&mut self.configuration.scripts) {
            let expanded = load::expand(&mut self.loader, "script", &node);
            scripts.push((object, node, expanded, String::new()));
        }
        (automations, scripts)
    }

    /// Notes the events that are fired and heard, the answers to notifications, and what scripts are given.
    fn name(
        &mut self,
        automations: &[(Node, Result<Node, String>, String)],
        scripts: &[(String, Node, Result<Node, String>, String)],
    ) {
        let all = automations.iter().filter_map(|(_, expanded, _)| expanded.as_ref().ok());
        let all = all.chain(scripts.iter().filter_map(|(_, _, expanded, _)| expanded.as_ref().ok()));
        let (mut fired, mut heard) = (BTreeSet::new(), BTreeSet::new());
        self.names.started_timers = Some(BTreeSet::new());
        let mut hears_any_answer = false;
        for node in all {
            let known = plain_variables(node);
            let plain = |node: &Node| node.to_text().and_then(|text| plain_text(&text, &known));
            node.walk(&mut |part| {
                let text = |key: &str| part.get(key).and_then(Node::to_text);
                if let Some(event) = text("event")
                    && part.get("trigger").or_else(|| part.get("platform")).is_none()
                    && part.get("condition").is_none()
                {
                    fired.insert(event);
                }
                if let Some(types) = part.get("event_type") {
                    heard.extend(types.items().into_iter().filter_map(Node::to_text));
                    match part.get("event_data").and_then(|data| data.get("action")) {
                        Some(action) => self.names.replies.extend(plain(action)),
                        None => {
                            hears_any_answer |= types
                                .items()
                                .iter()
                                .any(|kind| kind.as_text() == Some("mobile_app_notification_action"));
                        }
                    }
                }
                if part.get("title").is_some()
                    && let Some(button) = part.get("action").and_then(plain).filter(|name| name != "URI")
                {
                    self.names.buttons.insert(button);
                }
                let action = text("action").or_else(|| text("service")).unwrap_or_default();
                let target_ids = || {
                    let ids = part
                        .get("target")
                        .and_then(|target| target.get("entity_id"))
                        .or_else(|| part.get("entity_id"))
                        .or_else(|| part.get("data").and_then(|data| data.get("entity_id")));
                    ids.map(Node::items).unwrap_or_default().into_iter().filter_map(Node::to_text)
                };
                if let Some(service) = action.strip_prefix("timer.") {
                    self.names.note_timers(service, &target_ids().collect::<Vec<_>>());
                }
                if let Some(object) = action.strip_prefix("script.") {
                    for key in ["data", "data_template"] {
                        let Some(data) = part.get(key) else { continue };
                        if object == "turn_on" {
                            let Some(given) = data.get("variables") else { continue };
                            for id in target_ids() {
                                self.names.give(id.trim_start_matches("script."), given);
                            }
                        } else {
                            self.names.give(object, data);
                        }
                    }
                }
                if action == "scene.create"
                    && let Some(data) = part.get("data")
                    && let Some(object) = data.get("scene_id").and_then(Node::to_text)
                {
                    self.names.snapshots.insert(object.clone());
                    let (mut ours, mut bridged) = (false, false);
                    for id in data
                        .get("snapshot_entities")
                        .map(Node::items)
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(Node::to_text)
                    {
                        for id in id.split(',') {
                            let source = self.home.entity(id.trim()).source;
                            let is_bridged = matches!(source, Source::Bridge | Source::Topic(_));
                            ours |= !is_bridged;
                            bridged |= is_bridged;
                        }
                    }
                    self.names.snapshot_kinds.insert(object, (ours, bridged));
                }
            });
        }
        if hears_any_answer {
            self.names.replies.extend(self.names.buttons.iter().cloned());
        }
        let of_timers = ["timer.finished", "timer.cancelled", "timer.started", "timer.restarted", "timer.paused"];
        let has_timers = self.configuration.helpers.iter().any(|helper| helper.domain == "timer");
        let is_fired = |event: &String| fired.contains(event) || has_timers && of_timers.contains(&event.as_str());
        self.names.events = heard.into_iter().filter(is_fired).collect();
        self.names.rest_commands = std::mem::take(&mut self.configuration.rest_commands).into_iter().collect();
        self.names.shell_commands = std::mem::take(&mut self.configuration.shell_commands).into_iter().collect();
    }
}

/// Returns the variables of an automation that are the same text in each run.
fn plain_variables(node: &Node) -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    node.walk(&mut |part| {
        for key in ["trigger_variables", "variables"] {
            for entry in part.get(key).and_then(Node::as_map).unwrap_or_default() {
                if let Some(text) = entry.value.as_text().and_then(|text| plain_text(text, &known)) {
                    known.insert(entry.name().to_owned(), text);
                }
            }
        }
    });
    known
}

/// Returns the entity id of a helper.
fn helper_id(helper: &Helper) -> String {
    format!("{}.{}", helper.domain.strip_prefix("template_").unwrap_or(&helper.domain), helper.object)
}

/// Returns what something is called.
fn title(node: &Node, key: &str) -> String {
    let text = |key: &str| node.get(key).and_then(Node::to_text).filter(|text| !text.trim().is_empty());
    text("alias").or_else(|| text("name")).or_else(|| text("id")).unwrap_or_else(|| key.to_owned())
}

impl Importer<'_> {
    fn rule_entity(&mut self, id: &str, source: Source) {
        let entity = Entity { id: id.to_owned(), name: None, source };
        self.home.entities.entry(id.to_owned()).or_insert(entity);
    }

    fn name_automation(&mut self, node: &Node, expanded: &Result<Node, String>, key: &mut String) {
        let full = expanded.as_ref().unwrap_or(node);
        let text = |key: &str| full.get(key).and_then(Node::to_text).filter(|text| !text.trim().is_empty());
        let (alias, id) = (text("alias"), text("id"));
        let slugs = [alias.as_deref(), id.as_deref()].into_iter().flatten().map(words::key);
        let slug =
            slugs.into_iter().find(|slug| !slug.is_empty()).unwrap_or_else(|| format!("line-{}", node.place.line));
        // A rule's key mustn't be a number.
        let slug =
            if slug.starts_with(|letter: char| letter.is_ascii_digit()) { format!("automation-{slug}") } else { slug };
        *key = self.names.unique(&slug);
        let registered = id.as_ref().and_then(|id| {
            let entities = self.home.registries.entities.iter();
            let mut found = entities.filter(|(_, entity)| entity.platform == "automation" && entity.unique_id == *id);
            found.next().map(|(entity_id, _)| entity_id.clone())
        });
        let entity = registered.unwrap_or_else(|| {
            let name = words::slug(alias.as_deref().or(id.as_deref()).unwrap_or(key));
            format!("automation.{name}")
        });
        self.names.automations.entry(entity.clone()).or_insert_with(|| key.clone());
        if let Some(conditions) = super::normal::automation(full).get("conditions") {
            self.names.conditions.entry(entity.clone()).or_insert_with(|| conditions.clone());
        }
        self.rule_entity(&entity, Source::Automation { rule: key.clone() });
    }

    /// Takes the comments of a thing out of those of its file: those above it belong to it.
    fn comments_of(&mut self, place: &Place) -> Vec<Comment> {
        let Some(comments) = self.comments.get_mut(&place.file) else { return Vec::new() };
        let (taken, left) = std::mem::take(comments).into_iter().partition(|comment| comment.line <= place.end);
        *comments = left;
        taken
    }

    fn scenes(&mut self) {
        let nodes = std::mem::take(&mut self.configuration.scenes);
        let mut seen = BTreeSet::new();
        for node in nodes {
            let name = node.get("name").and_then(Node::to_text).unwrap_or_else(|| format!("scene {}", node.place.line));
            let id = node.get("id").and_then(Node::to_text);
            let registered = self.home.registries.entities.iter().find(|(_, entity)| {
                entity.platform == "homeassistant" && id.as_deref() == Some(entity.unique_id.as_str())
            });
            let entity = registered.map_or_else(|| format!("scene.{}", words::slug(&name)), |(id, _)| id.clone());
            let mut key = words::key(&name);
            if key.is_empty() {
                key = format!("scene-{}", node.place.line);
            }
            while !seen.insert(key.clone()) {
                key.push_str("-2");
            }
            let comments = self.comments_of(&node.place);
            let (mut made, scene) = translate::scene(self.source(), &node, comments);
            let translate::MadeScene { doc, bridged, beside } = scene;
            if let Some(reason) = self.rejected.get(&format!("scene {key}")) {
                made.refused.push(Reason::new(Code::NOT_LOADABLE, reason));
            }
            let is_taken = made.refused.is_empty();
            let entry = self.report.entries.len();
            self.note(EntryKind::Scene, &node.place, name, &made);
            if is_taken {
                let is_ours = doc.is_some();
                let scene = SceneName { name: key.clone(), is_ours, bridged, beside };
                self.names.scenes.insert(entity.clone(), scene);
                self.rule_entity(&entity, Source::Scene { name: key.clone() });
                if let Some(doc) = doc {
                    let (file, line) = (Arc::clone(&node.place.file), node.place.line);
                    let (section, entry) = (Section::Scenes, Some(entry));
                    self.parts.push(Part { file, line, section, key, doc, entry, title: None });
                }
            }
        }
    }

    /// Adds the helpers: inputs and rules, and those that compute where something reads them.
    fn helpers(&mut self, helpers: Helpers) {
        let listed = std::mem::take(&mut self.configuration.helpers);
        let empty = || Made { rules: Vec::new(), differs: Vec::new(), refused: Vec::new() };
        for (index, name, doc) in helpers.inputs {
            if let Some(helper) = listed.get(index) {
                let place = helper.node.place.clone();
                let made = empty();
                self.add_helper(helper, &place, Section::Inputs, &name, doc, &made);
            }
        }
        for (index, key, doc) in helpers.rules {
            if let Some(helper) = listed.get(index) {
                let place = helper.node.place.clone();
                let mut made = empty();
                if helper.domain == "timer" {
                    // Nobody says how long it is to last.
                    if !self.shared.started.borrow().contains(&key) {
                        continue;
                    }
                    made.differs
                        .push("a timer goes on over a restart here; there only with `restore: true`".to_owned());
                }
                self.add_helper(helper, &place, Section::Rules, &key, doc, &made);
            }
        }
        for (index, reason) in helpers.refused {
            if let Some(helper) = listed.get(index) {
                let made = Made { refused: vec![reason], ..empty() };
                self.note(EntryKind::Helper, &helper.node.place, helper_id(helper), &made);
            }
        }
        // One may read another: until nothing is added.
        let mut left = helpers.derived;
        loop {
            let (ready, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, id, _)| self.home.is_read(id));
            left = later;
            if ready.is_empty() {
                break;
            }
            for (index, id, key) in ready {
                let Some(helper) = listed.get(index) else { continue };
                let comments = self.comments_of(&helper.node.place);
                let made = translate::derived(self.source(), &helper.node, &id, &key, comments);
                self.add(EntryKind::Helper, &helper.node.place, id, &key, made);
            }
        }
        for (index, id, key) in left {
            let Some(helper) = listed.get(index) else { continue };
            // Nothing reads it: whether it could be taken over is said all the same.
            let made = translate::derived(self.source(), &helper.node, &id, &key, Vec::new());
            self.note(EntryKind::Helper, &helper.node.place, id, &made);
        }
    }

    fn add_helper(&mut self, helper: &Helper, place: &Place, section: Section, key: &str, doc: Doc, made: &Made) {
        let above = self.comments_of(place).into_iter().map(|comment| comment.text).collect();
        let entry = self.report.entries.len();
        self.note(EntryKind::Helper, place, format!("{}.{}", helper.domain, helper.object), made);
        let (file, line) = (Arc::clone(&place.file), place.line);
        let (key, doc, entry) = (key.to_owned(), doc.noted(above), Some(entry));
        self.parts.push(Part { file, line, section, key, doc, entry, title: None });
    }

    /// Adds the rules of a thing, and its entry.
    fn add(&mut self, kind: EntryKind, place: &Place, name: String, key: &str, made: Made) {
        let entry = self.report.entries.len();
        self.note(kind, place, name.clone(), &made);
        for (rule, doc) in made.rules {
            let (file, line) = (Arc::clone(&place.file), place.line);
            let entry = (rule == key).then_some(entry);
            let title = (kind == EntryKind::Automation).then(|| match entry {
                Some(_) => name.clone(),
                None => format!("{name}, when something becomes true"),
            });
            self.parts.push(Part { file, line, section: Section::Rules, key: rule, doc, entry, title });
        }
    }

    fn note(&mut self, kind: EntryKind, place: &Place, name: String, made: &Made) {
        let (outcome, reasons) = if !made.refused.is_empty() {
            (Outcome::Refused, made.refused.clone())
        } else if !made.differs.is_empty() {
            (Outcome::Differs, made.differs.iter().map(|how| Reason::new(Code::DIFFERS, how)).collect())
        } else {
            (Outcome::Taken, Vec::new())
        };
        let (file, line) = (Arc::clone(&place.file), place.line);
        self.report.entries.push(Entry { file, line, name, kind, outcome, reasons, written: None });
    }
}
