//! Scenes: finds the one that is named, and checks those that no rule names, so that a mistake in them is reported when
//! the file loads.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::lang::reader::Reader;
use crate::lang::yaml::tree::{Entry, Node};
use crate::lang::{Code, Diagnostic, near};
use crate::model::RuleId;
use crate::rules::{Publish, SetAction};

use super::context::Context;
use super::decoder::Decoder;
use super::file::{RuleFile, scene_help};

/// Returns the mistakes in scenes that no action names. The others are read where they are used, since they may read
/// the rule's variables.
pub(in crate::lang) fn check_unused_scenes(context: &Arc<Context>) -> Vec<Diagnostic> {
    let mut used: BTreeSet<Arc<str>> = BTreeSet::new();
    for rule in context.files.iter().flat_map(|file| &file.rules) {
        rule.node.walk(&mut |node| {
            let name = node.get("scene").and_then(|scene| scene.as_scalar());
            used.extend(name.map(|name| Arc::from(name.text.as_str())));
        });
    }
    let mut diagnostics = Vec::new();
    for file in &context.files {
        let mut reader = Reader::new(file.text.clone());
        reader.sandbox = Some(&context.sandbox);
        reader.constants = file.constants.clone();
        let mut decoder = Decoder {
            names: file.constants.names(),
            reader,
            context,
            file,
            id: RuleId::new(&file.stem, ""),
            blocks: Vec::new(),
            beside: BTreeSet::new(),
            closures: Vec::new(),
            past: Vec::new(),
            asks_waits: false,
            names_scenes: false,
        };
        for (_, scene) in file.scenes.iter().filter(|(name, _)| !used.contains(*name)) {
            decoder.scene_parts(scene);
        }
        diagnostics.extend(decoder.reader.findings.into_vec());
    }
    diagnostics
}

/// What a scene publishes, and what it tells devices.
pub(super) type SceneParts = (Vec<Publish>, Vec<SetAction>);

impl<'a> Decoder<'a> {
    /// Returns what a scene publishes, and what it tells devices: a key with `/` is a topic, another one a device; devices whose names
    /// have a `/` stand under `device`.
    pub(super) fn scene_parts(&mut self, scene: &Node) -> Option<SceneParts> {
        let entries = scene.as_map().unwrap_or_default();
        let is_topic = |entry: &&Entry| entry.key.as_str().contains('/') || entry.key.as_str().contains("${");
        let messages = self.messages(entries.iter().filter(is_topic));
        let mut sets = Vec::new();
        for entry in entries.iter().filter(|entry| !is_topic(entry)) {
            if entry.key.as_str() != "device" {
                sets.push(self.scene_device(entry));
                continue;
            }
            match entry.value.as_map() {
                Some(devices) => sets.extend(devices.iter().map(|device| self.scene_device(device))),
                None => {
                    self.wrong_type(&entry.value, "a map of devices to properties (`{ hall/lamp: { on: true } }`)");
                    sets.push(None);
                }
            }
        }
        Some((messages?, sets.into_iter().collect::<Option<Vec<_>>>()?))
    }

    /// Returns what a scene tells one device.
    fn scene_device(&mut self, entry: &Entry) -> Option<SetAction> {
        let name = entry.key.as_str().to_owned();
        if entry.value.as_map().is_none_or(<[Entry]>::is_empty) {
            let span = self.mark(&entry.value);
            let message = format!("the device `{name}` takes a map of properties, found {}", entry.value.describe());
            let found = self.findings.error(Code::WRONG_TYPE, span, message);
            found.help("write e.g. `{ on: true, brightness: 40 }`; a key that is a topic has a `/`");
            return None;
        }
        if !name.contains("${")
            && let Some(device) = self.known_device(&name, entry.key_span.clone())
        {
            self.check_command(&device, &entry.value);
        }
        let (target, to) = (self.key_template(entry)?, self.template(&entry.value)?);
        Some(SetAction { target, to, if_changed: false, confirm: None })
    }

    /// Returns the scene `name` and its file: this one, or the only one that has it. `Some(None)`: it may be in a file
    /// that can't be read. Mistakes are reported at `span`.
    #[expect(clippy::option_option, reason = "a scene that may be elsewhere is neither there nor a mistake")]
    pub(super) fn find_scene(&mut self, name: &str, span: Range<usize>) -> Option<Option<(&'a RuleFile, &'a Node)>> {
        let context = self.context;
        if let Some(own) = self.file.scenes.get(name) {
            return Some(Some((self.file, own)));
        }
        let found: Vec<_> = context.files.iter().filter_map(|file| Some((&**file, file.scenes.get(name)?))).collect();
        match found.as_slice() {
            [found] => Some(Some(*found)),
            [] => {
                let known: Vec<String> =
                    context.files.iter().flat_map(|file| file.scenes.keys()).map(ToString::to_string).collect();
                let help = scene_help(name, known.iter().map(String::as_str));
                let message = format!("there is no scene named `{name}`");
                if context.is_complete {
                    let inside = self.inside_quotes(&span, name);
                    let found = self.findings.error(Code::UNKNOWN_SCENE, span, message);
                    match inside {
                        Some(inside) => found.suggest(inside, help),
                        None => found.help_if(help.map(|help| help.help)),
                    };
                    return None;
                }
                let found = self.findings.warning(Code::UNKNOWN_SCENE, span, message);
                found.help("it may be in a file that can't be read; until then, this does nothing");
                Some(None)
            }
            several => {
                let files: Vec<&str> = several.iter().map(|(file, _)| &*file.stem).collect();
                let message = format!("several files have a scene named `{name}`");
                let help = format!("the files are {}; give each scene its own name", near::list(&files));
                self.findings.error(Code::UNKNOWN_SCENE, span, message).help(help);
                None
            }
        }
    }
}
