//! What a run waits for, if its text reads what only the run knows: `wait: home/${room}/motion`.
//!
//! When the file loads, it's decoded with something likely in place of each such text, so that all other mistakes are
//! found then. When a run starts to wait, the text has its value, and the same is decoded with that.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::lang::reader::Reader;
use crate::lang::yaml::scalar::resolve;
use crate::lang::yaml::tree::{Entry, Node, NodeKind, Scalar};
use crate::lang::{Diagnostic, Severity};
use crate::model::{PlacedText, Stretch, Value};
use crate::rules::{FormedTriggers, Trigger};
use crate::script::{Template, TextPart};

use crate::lang::rule_file::decoder::Decoder;
use crate::lang::rule_file::trigger::wildcards;

/// Marks an expression in a text; it isn't a character.
const MARK: &str = "\u{ffff}";

/// Triggers that a run waits for.
pub(in crate::lang::rule_file) enum Awaited {
    /// They are known at load.
    Fixed(Vec<Trigger>),
    /// They are known when a run waits.
    Formed(FormedTriggers),
}

/// The texts whose value isn't known at load, in the order in which a walk finds them.
#[derive(Default)]
struct Texts {
    templates: Vec<Template>,
    /// For each text that a walk finds, whether it's one of these.
    are_holes: Vec<bool>,
    /// Whether all of them are known at load.
    is_fixed: bool,
    /// Whether one of them is wrong, which has been reported.
    is_broken: bool,
}

impl Decoder<'_> {
    /// Returns triggers whose texts may read what the run knows. Only their own `where` may read their wildcards by name:
    /// after the wait they are in `wait`.
    pub(in crate::lang::rule_file) fn awaited(&mut self, node: &Node, path: &str) -> Option<Awaited> {
        let mut texts = Texts { is_fixed: true, ..Texts::default() };
        let shape = replace(node, "", &mut |scalar, key, node| self.shape_of(scalar, key, node, &mut texts));
        if texts.is_broken {
            return None;
        }
        let names = self.names.clone();
        self.may_read(wildcards(&shape, &self.reader));
        let awaited = if texts.is_fixed {
            Awaited::Fixed(self.triggers(node, path))
        } else {
            let shape = self.triggers(&shape, path);
            Awaited::Formed(self.formed(node, path, texts, shape))
        };
        self.names = names;
        Some(awaited)
    }

    /// Notes a text that has its own value in each run, and returns something likely for it.
    fn shape_of(&mut self, scalar: &Scalar, key: &str, node: &Node, texts: &mut Texts) -> Option<Node> {
        let Some(template) = self.scalar_template(scalar) else {
            texts.is_broken = true;
            return None;
        };
        let is_fixed = self.constants.fix(&self.context.sandbox, &template);
        // An expression that returns a time is evaluated again when the result may differ.
        let is_hole = key != "at" || is_fixed;
        texts.are_holes.push(is_hole);
        if !is_hole {
            return None;
        }
        texts.is_fixed &= is_fixed;
        let likely = likely_value(&template, key);
        texts.templates.push(template);
        Some(to_node(&likely, node, &self.reader))
    }

    fn formed(&self, node: &Node, path: &str, texts: Texts, shape: Vec<Trigger>) -> FormedTriggers {
        let (context, file) = (Arc::clone(self.context), Arc::clone(self.file));
        let (id, names, constants) = (self.id.clone(), self.names.clone(), self.constants.clone());
        let (node, path) = (node.clone(), path.to_owned());
        let Texts { templates, are_holes, .. } = texts;
        let form = move |values: &[Value]| -> Result<Vec<Trigger>, String> {
            let mut reader = Reader::new(file.text.clone());
            reader.constants = constants.clone();
            let (mut values, mut are_holes) = (values.iter(), are_holes.iter());
            let filled = replace(&node, "", &mut |_, key, node| {
                let value = are_holes.next().filter(|is_hole| **is_hole).and_then(|_| values.next())?;
                Some(to_node(&of_key(value, key), node, &reader))
            });
            let mut decoder = Decoder {
                reader,
                context: &context,
                file: &file,
                id: id.clone(),
                names: names.clone(),
                blocks: Vec::new(),
                beside: BTreeSet::new(),
                closures: Vec::new(),
                past: Vec::new(),
                asks_waits: false,
                names_scenes: false,
            };
            let triggers = decoder.triggers(&filled, &path);
            let findings: Vec<Diagnostic> = decoder.reader.findings.into_vec();
            match findings.into_iter().find(|found| found.severity == Severity::Error) {
                Some(error) => Err(error.message),
                None => Ok(triggers),
            }
        };
        FormedTriggers { texts: templates, shape, form: Arc::new(form) }
    }
}

/// Returns a tree in which `put` has replaced some of the texts with `${…}`. It's given the key of each.
fn replace(node: &Node, key: &str, put: &mut dyn FnMut(&Scalar, &str, &Node) -> Option<Node>) -> Node {
    let kind = match &node.kind {
        NodeKind::Scalar(scalar) if scalar.text.as_str().contains("${") && key != "where" => {
            return put(scalar, key, node).unwrap_or_else(|| node.clone());
        }
        NodeKind::Scalar(_) | NodeKind::Closure(_) => return node.clone(),
        NodeKind::List(items) => NodeKind::List(items.iter().map(|item| replace(item, key, put)).collect()),
        NodeKind::Map(entries) => {
            let entry =
                |entry: &Entry| Entry { value: replace(&entry.value, entry.key.as_str(), put), ..entry.clone() };
            NodeKind::Map(entries.iter().map(entry).collect())
        }
    };
    Node { span: node.span.clone(), kind }
}

/// Returns a value that a text may have. In a filter it's a wildcard, so that the filter matches all it may match.
fn likely_value(template: &Template, key: &str) -> Value {
    let is_filter = matches!(key, "" | "topic" | "state" | "silent");
    if let Template::Text(parts) = template {
        let marked = parts.iter().map(|part| match part {
            TextPart::Literal(text) => text.as_str(),
            TextPart::Expression(_) => MARK,
        });
        let marked = marked.collect::<String>();
        let level = |level: &str| {
            if is_filter && level.contains(MARK) { "+".to_owned() } else { level.replace(MARK, "1") }
        };
        return Value::text(marked.split('/').map(level).collect::<Vec<_>>().join("/"));
    }
    match key {
        "above" => Value::Float(f64::MIN),
        "below" => Value::Float(f64::MAX),
        "hysteresis" => Value::Int(1),
        "retained" | "enabled" => Value::Bool(true),
        "for" | "catch_up" | "every" | "offset" => Value::text("1m"),
        "at" => Value::text("12:00"),
        "weekdays" => Value::text("mon"),
        "cron" => Value::text("* * * * *"),
        "sun" => Value::text("noon"),
        "is" => Value::text("connected"),
        "event" => Value::text("started"),
        _ if is_filter => Value::text("#"),
        _ => Value::text("x"),
    }
}

/// Returns the value that text has under `key`, where a capture may be meant as a number.
fn of_key(value: &Value, key: &str) -> Value {
    match value {
        Value::Text(text) if matches!(key, "above" | "below" | "hysteresis") => resolve(text),
        _ => value.clone(),
    }
}

/// Returns `value` as if it were written where `like` is.
fn to_node(value: &Value, like: &Node, reader: &Reader<'_>) -> Node {
    let at = reader.text.place(like.span.start);
    let stretch = Stretch { offset: 0, file_offset: like.span.start, line: at.line, column: at.column };
    let placed = |text: &str| PlacedText::new(text.into(), reader.text.file(), [stretch].into());
    let kind = match value {
        Value::List(items) => NodeKind::List(items.iter().map(|item| to_node(item, like, reader)).collect()),
        Value::Map(map) => {
            let entry = |(key, value): (&Arc<str>, &Value)| Entry {
                key: placed(key),
                key_value: Value::Text(Arc::clone(key)),
                key_span: like.span.clone(),
                value: to_node(value, like, reader),
            };
            NodeKind::Map(map.iter().map(entry).collect())
        }
        _ => NodeKind::Scalar(Scalar { text: placed(&value.to_string()), is_plain: false, value: value.clone() }),
    };
    Node { span: like.span.clone(), kind }
}
