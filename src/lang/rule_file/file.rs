//! A rule file as the first pass reads it: its constants, its scenes, and where its rules are.

use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::Reader;
use crate::lang::reader::constants::Constants;
use crate::lang::reader::fields::Fields;
use crate::lang::reader::foreign::Place;
use crate::lang::text::FileText;
use crate::lang::yaml::tree::{self, Entry, Node};
use crate::lang::{Code, Sources, near};
use crate::model::{Name, RuleId, is_in_topic};
use crate::rules::{Input, Invariant};
use crate::script::{CalendarMention, PastMention, Sandbox};

use super::device::read_inputs;
use super::each::{self, Instances};
use super::secrets;

/// A rule file whose rules haven't been decoded yet.
#[derive(Debug)]
pub(in crate::lang) struct RuleFile {
    /// Its text.
    pub(in crate::lang) text: FileText,
    /// Its path under the rules' folder, without its extension: `living/tv`.
    pub(in crate::lang) stem: Arc<str>,
    /// Its `let`.
    pub(in crate::lang) constants: Constants,
    /// Its scenes: each a map of topics to payloads and of devices to properties.
    pub(in crate::lang) scenes: IndexMap<Name, Node>,
    /// Its inputs, each with the bytes of its name.
    pub(in crate::lang) inputs: Vec<(Input, Range<usize>)>,
    /// Its rules, in their order.
    pub(in crate::lang) rules: Vec<RuleSource>,
    /// Its invariants, in their order.
    pub(in crate::lang) invariants: Vec<RuleSource>,
    /// Whether it's a script.
    pub(in crate::lang) is_script: bool,
    /// What a script asks of the past of topics.
    pub(in crate::lang) past: Vec<PastMention>,
    /// The calendars that a script names.
    pub(in crate::lang) calendars: Vec<CalendarMention>,
    /// Whether it could be read, so that all its rules are known.
    pub(in crate::lang) is_readable: bool,
    /// The secrets that its `let`s name.
    pub(in crate::lang) secrets: Vec<Arc<str>>,
}

/// A rule that hasn't been decoded yet.
#[derive(Debug)]
pub(in crate::lang) struct RuleSource {
    /// Its id, without an instance.
    pub(in crate::lang) id: RuleId,
    /// Where its key is.
    pub(in crate::lang) key_span: Range<usize>,
    /// The rule.
    pub(in crate::lang) node: Node,
    /// Which instances it has.
    pub(in crate::lang) instances: Instances,
}

impl RuleFile {
    /// Reads the file `text`, whose rules are named after `stem`. Its mistakes are then in `reader`. A file that isn't
    /// YAML has no rules, and isn't [`RuleFile::is_readable`].
    pub(in crate::lang) fn read<'a>(
        text: FileText,
        stem: &str,
        sandbox: &'a Sandbox,
        sources: &Sources,
    ) -> (RuleFile, Reader<'a>) {
        let mut reader = Reader::new(text.clone());
        reader.sandbox = Some(sandbox);
        let mut file = RuleFile::empty(text, stem);
        match tree::parse(&reader.text, &mut reader.findings) {
            Some(mut root) => {
                secrets::fill_in(&mut root, sources, &mut reader, &mut file.secrets);
                file.read_root(&root, &mut reader);
            }
            None => file.is_readable = !reader.findings.has_errors(),
        }
        (file, reader)
    }

    /// Returns an empty file.
    pub(super) fn empty(text: FileText, stem: &str) -> RuleFile {
        RuleFile {
            text,
            stem: stem.into(),
            constants: Constants::default(),
            scenes: IndexMap::new(),
            inputs: Vec::new(),
            rules: Vec::new(),
            invariants: Vec::new(),
            is_script: false,
            past: Vec::new(),
            calendars: Vec::new(),
            is_readable: true,
            secrets: Vec::new(),
        }
    }

    fn read_root(&mut self, root: &Node, reader: &mut Reader<'_>) {
        if root.is_null() {
            return;
        }
        let Some(fields) = Fields::of(root, "a rule file", &reader.text, &mut reader.findings) else { return };
        let mut fields = fields.at(Place::RuleFile);
        if let Some(constants) =
            fields.take("let").or_else(|| fields.meant_for("let", &["let", "rules", "scenes", "inputs"]))
        {
            self.constants = read_constants(constants, reader);
        }
        reader.constants = self.constants.clone();
        if let Some(scenes) = fields.take("scenes").filter(|node| !node.is_null()) {
            self.read_scenes(scenes, reader);
        }
        if let Some(inputs) = fields.take("inputs").filter(|node| !node.is_null()) {
            self.inputs = read_inputs(inputs, reader);
        }
        if let Some(rules) = fields.take("rules").filter(|node| !node.is_null()) {
            self.read_rules(rules, reader);
        }
        if let Some(invariants) = fields.take("invariants").filter(|node| !node.is_null()) {
            self.read_invariants(invariants, reader);
        }
        if fields.has("when") && fields.has("then") {
            let help = "write `rules:`, then `my-rule:` under it, then the rule's keys under that";
            let span = reader.text.first_line(&fields.span());
            reader.findings.error(Code::MISSING_KEY, span, "put this rule under `rules:` and a name").help(help);
            return;
        }
        fields.finish(&mut reader.findings);
    }

    fn read_scenes(&mut self, node: &Node, reader: &mut Reader<'_>) {
        let Some(entries) = node.as_map() else {
            reader.wrong_type(node, "a map of scenes (`name: { topic: payload }`)");
            return;
        };
        for entry in entries {
            if entry.value.as_map().is_none() {
                reader.wrong_type(&entry.value, "a map of topics to payloads, and of devices to properties");
            }
            // One with a mistake is still there for those who name it.
            self.scenes.insert(entry.key.as_str().into(), entry.value.clone());
        }
    }

    fn read_rules(&mut self, node: &Node, reader: &mut Reader<'_>) {
        let Some(entries) = node.as_map() else {
            reader.wrong_type(node, "a map of rules (`my-rule: { when: …, then: … }`)");
            return;
        };
        for entry in entries {
            self.add_rule(entry, reader);
        }
    }

    fn read_invariants(&mut self, node: &Node, reader: &mut Reader<'_>) {
        let Some(entries) = node.as_map() else {
            reader.wrong_type(node, "a map of invariants (`my-invariant: { never: … }`)");
            return;
        };
        for entry in entries {
            self.add_invariant(entry, reader);
        }
    }

    /// Adds the invariant that is written as a key and its value.
    pub(super) fn add_invariant(&mut self, entry: &Entry, reader: &mut Reader<'_>) {
        if !is_rule_key(entry, "an invariant", reader) {
            return;
        }
        let Some(_) = Fields::of(&entry.value, "an invariant", &reader.text, &mut reader.findings) else { return };
        let instances = each::read(entry.value.get("each"), reader);
        self.invariants.push(RuleSource {
            id: Invariant::carrier(&self.stem, entry.key.as_str()),
            key_span: entry.key_span.clone(),
            node: entry.value.clone(),
            instances,
        });
    }

    /// Adds the rule that is written as a key and its value.
    pub(super) fn add_rule(&mut self, entry: &Entry, reader: &mut Reader<'_>) {
        if !is_rule_key(entry, "a rule", reader) {
            return;
        }
        let Some(_) = Fields::of(&entry.value, "a rule", &reader.text, &mut reader.findings) else { return };
        let instances = each::read(entry.value.get("each"), reader);
        self.rules.push(RuleSource {
            id: RuleId::new(&self.stem, entry.key.as_str()),
            key_span: entry.key_span.clone(),
            node: entry.value.clone(),
            instances,
        });
    }
}

/// Returns whether a key can name a rule or an invariant, which is `what`: it can't contain what ids and topics use.
fn is_rule_key(entry: &Entry, what: &str, reader: &mut Reader<'_>) -> bool {
    let key = entry.key.as_str();
    let bad = key.chars().find(|letter| matches!(letter, ':' | '[' | ']' | '/') || !is_in_topic(*letter));
    if key.is_empty() || bad.is_some() || key.trim() != key {
        let message = format!("`{key}` isn't a valid name for {what}");
        let found = reader.findings.error(Code::BAD_NAME, entry.key_span.clone(), message);
        found.help("use letters, digits, `-`, `_` and spaces, but not `:`, `/`, `+`, `#` or brackets");
        return false;
    }
    true
}

/// Reads constants: each may read those before it.
fn read_constants(node: &Node, reader: &mut Reader<'_>) -> Constants {
    let Some(entries) = node.as_map() else {
        if !node.is_null() {
            reader.wrong_type(node, "a map of constants (`name: value`)");
        }
        return Constants::default();
    };
    for entry in entries {
        let Some(name) = reader.variable_name(&entry.key, &entry.key_span) else { continue };
        match reader.value(&entry.value) {
            Some(value) => reader.constants.add(name, value),
            None => reader.constants.add_broken(name),
        }
    }
    std::mem::take(&mut reader.constants)
}

/// Returns what to say about the unknown scene `name`.
pub(super) fn scene_help<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<Suggestion> {
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        return Some(Suggestion::advice("define it in a YAML rule file: `scenes: { NAME: { topic: payload } }`"));
    }
    near::suggestion(name, &known).map(Suggestion::doubted)
}
