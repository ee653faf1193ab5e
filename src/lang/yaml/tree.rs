//! The located YAML tree: what a file contains, each part with its place.
//!
//! It's built from the parser's events, within limits of depth and size, so that no text can exhaust the stack or the
//! memory. Aliases are written out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use crate::model::{PlacedText, Value};
use crate::script::Closure;

use super::error;
use crate::lang::Code;
use crate::lang::diagnostic::findings::Findings;
use crate::lang::text::FileText;
use crate::lang::yaml::scalar;

/// How deeply lists and maps may be nested.
pub(in crate::lang) const DEEPEST: usize = 64;

/// How many nodes a file may have: some 40,000 rules.
const MOST_NODES: usize = 1_000_000;

/// How many nodes anchors may keep and aliases may write out.
const MOST_ALIASED: usize = 200_000;

/// A part of a file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) struct Node {
    /// The bytes of the file.
    pub(in crate::lang) span: Range<usize>,
    /// What it is.
    pub(in crate::lang) kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) enum NodeKind {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, with each key once.
    Map(Vec<Entry>),
    /// A closure, in scripts only.
    Closure(Closure),
}

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) struct Scalar {
    /// The text, without quotes and escapes.
    pub(in crate::lang) text: PlacedText,
    /// Whether it has no quotes, so that `true` is a boolean and `5` a number.
    pub(in crate::lang) is_plain: bool,
    /// What it is read as.
    pub(in crate::lang) value: Value,
}

/// A key of a map, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::lang) struct Entry {
    /// The key's text.
    pub(in crate::lang) key: PlacedText,
    /// What the key is read as: `1` is a number, `"1"` a text.
    pub(in crate::lang) key_value: Value,
    /// The bytes of the key.
    pub(in crate::lang) key_span: Range<usize>,
    /// The value.
    pub(in crate::lang) value: Node,
}

impl Node {
    /// Returns the single value, if it's one.
    pub(in crate::lang) fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::List(_) | NodeKind::Map(_) | NodeKind::Closure(_) => None,
        }
    }

    /// Returns the entries of the map; `None` if it isn't one.
    pub(in crate::lang) fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Closure(_) => None,
        }
    }

    /// Returns the closure, if it's one.
    pub(in crate::lang) fn as_closure(&self) -> Option<&Closure> {
        match &self.kind {
            NodeKind::Closure(closure) => Some(closure),
            NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Map(_) => None,
        }
    }

    /// Returns the value of the map's key `key`.
    pub(in crate::lang) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key.as_str() == key).map(|entry| &entry.value)
    }

    /// Returns whether it's empty or `null`.
    pub(in crate::lang) fn is_null(&self) -> bool {
        matches!(&self.kind, NodeKind::Scalar(scalar) if scalar.value.is_null())
    }

    /// Returns what it is in words, for messages: `the number 5`, `a list`.
    pub(in crate::lang) fn describe(&self) -> String {
        let NodeKind::Scalar(scalar) = &self.kind else {
            return match &self.kind {
                NodeKind::Map(entries) if entries.is_empty() => "an empty map",
                NodeKind::Map(_) => "a map",
                NodeKind::Closure(_) => "a closure",
                NodeKind::List(items) if items.is_empty() => "an empty list",
                NodeKind::List(_) | NodeKind::Scalar(_) => "a list",
            }
            .to_owned();
        };
        let text = scalar.text.as_str();
        match &scalar.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(_) => format!("the boolean `{text}`"),
            Value::Int(_) | Value::Float(_) => format!("the number `{text}`"),
            _ if text.len() > 40 || text.contains('\n') => "text".to_owned(),
            _ => format!("the text `{text}`"),
        }
    }

    /// Calls `visit` with each node, from the outermost.
    pub(in crate::lang) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        match &self.kind {
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
            NodeKind::List(items) => items.iter().for_each(|item| item.walk(visit)),
            NodeKind::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
        }
    }
}

/// Reads a file's text. `None` if it's empty, or isn't YAML; `findings` then say why.
pub(in crate::lang) fn parse(text: &FileText, findings: &mut Findings) -> Option<Node> {
    let errors_before = findings.len();
    let mut builder =
        Builder { text, findings, anchors: BTreeMap::new(), open: Vec::new(), root: None, nodes: 0, copied: 0 };
    let options = granit_parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text.as_str(), options) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let open = builder.open.iter().filter(|open| open.is_flow).map(|open| open.start).collect::<Vec<_>>();
                error::report(&error, text, &open, builder.findings);
                return None;
            }
        };
        let bytes = span.byte_range().unwrap_or_default();
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let found = builder.findings.error(
                    Code::SEVERAL_DOCUMENTS,
                    text.first_line(&bytes),
                    "a second YAML document starts here, but a file can only have one",
                );
                found.help("remove the `---`, or put this part in its own file");
                return None;
            }
        }
        builder.take(event, span, bytes)?;
    }
    let root = builder.root.take();
    let is_broken = findings.len() > errors_before && findings.has_errors();
    root.filter(|root| !is_broken || !matches!(root.kind, NodeKind::Scalar(_)))
}

/// A list or map that hasn't ended yet.
struct Open {
    start: usize,
    anchor: usize,
    is_flow: bool,
    kind: NodeKind,
    /// The key that's waiting for its value, in maps only.
    key: Waiting,
    /// Where each of its keys is: a map may have as many as a file has rules.
    keys: BTreeMap<Arc<str>, Range<usize>>,
}

/// The key of a map whose value hasn't come yet.
#[derive(Default)]
enum Waiting {
    /// A key comes next.
    #[default]
    Nothing,
    /// This one waits.
    Key(Key),
    /// This wasn't a usable key, so its value is dropped.
    Broken,
}

struct Key {
    text: PlacedText,
    value: Value,
    span: Range<usize>,
}

struct Builder<'a> {
    text: &'a FileText,
    findings: &'a mut Findings,
    anchors: BTreeMap<usize, Node>,
    open: Vec<Open>,
    root: Option<Node>,
    /// How many nodes there are, aliases counted as one.
    nodes: usize,
    /// How many nodes anchors and aliases copied.
    copied: usize,
}

impl Builder<'_> {
    /// Takes an event. `None` ends the reading.
    fn take(&mut self, event: Event<'_>, span: Span, bytes: Range<usize>) -> Option<()> {
        match event {
            Event::Scalar(decoded, style, anchor, tag) => {
                let tag = span.tag_span().filter(|_| tag.is_some()).and_then(|tag| tag.byte_range());
                if let Some(tag) = &tag {
                    self.refuse_tag(tag.clone());
                }
                let is_plain = style == ScalarStyle::Plain;
                // The parser gives `~` for a missing value.
                let is_missing = is_plain && bytes.is_empty();
                let decoded = match tag {
                    // What looks like a tag was meant as text.
                    Some(tag) if is_missing => self.text.get(tag),
                    _ if is_missing => "",
                    _ => decoded.as_ref(),
                };
                let placed = scalar::place(decoded, style, &bytes, self.text);
                let value = if is_plain { scalar::resolve(decoded) } else { Value::text(decoded) };
                let span = if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                    let trimmed = self.text.get(bytes.clone()).trim_end().len();
                    bytes.start..bytes.start + trimmed
                } else {
                    bytes
                };
                let kind = NodeKind::Scalar(Scalar { text: placed, is_plain, value });
                self.add(Node { span, kind }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.begin(NodeKind::List(Vec::new()), style, anchor, tag.is_some(), span, bytes)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.begin(NodeKind::Map(Vec::new()), style, anchor, tag.is_some(), span, bytes)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&bytes),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => self.add_alias(node),
                None => {
                    let found =
                        self.findings.error(Code::YAML_SYNTAX, bytes, "an alias can't be inside its own anchor");
                    found.help("write out the value");
                    None
                }
            },
            // Comments, directives, start and end: the parser's enum may grow.
            _ => Some(()),
        }
    }

    fn begin(
        &mut self,
        kind: NodeKind,
        style: StructureStyle,
        anchor: usize,
        is_tagged: bool,
        span: Span,
        bytes: Range<usize>,
    ) -> Option<()> {
        if is_tagged && let Some(tag_span) = span.tag_span() {
            self.refuse_tag(tag_span.byte_range().unwrap_or_default());
        }
        if self.open.len() >= DEEPEST {
            error::report_depth(self.text.first_line(&bytes), DEEPEST, self.findings);
            return None;
        }
        let is_flow = style == StructureStyle::Flow;
        let keys = BTreeMap::new();
        self.open.push(Open { start: bytes.start, anchor, is_flow, kind, key: Waiting::Nothing, keys });
        Some(())
    }

    fn end(&mut self, bytes: &Range<usize>) -> Option<()> {
        let open = self.open.pop()?;
        let end = if open.is_flow { bytes.end } else { self.end_of_content(open.start, bytes.end) };
        let node = Node { span: open.start..end, kind: open.kind };
        self.add(node, open.anchor)
    }

    /// Returns where a block list or map ends: the parser says where the next thing starts.
    fn end_of_content(&self, start: usize, end: usize) -> usize {
        start + self.text.get(start..end).trim_end().len()
    }

    /// Adds the value of an alias, which may be large and deep.
    fn add_alias(&mut self, node: Node) -> Option<()> {
        self.count_copy(&node)?;
        if self.open.len() + depth(&node) > DEEPEST {
            error::report_depth(self.text.first_line(&node.span), DEEPEST, self.findings);
            return None;
        }
        self.add(node, 0)
    }

    /// Counts another copy, which an anchor keeps or an alias writes out.
    fn count_copy(&mut self, node: &Node) -> Option<()> {
        node.walk(&mut |_| self.copied += 1);
        if self.copied <= MOST_ALIASED {
            return Some(());
        }
        let message = format!("anchors and aliases write out more than {MOST_ALIASED} values");
        let found = self.findings.error(Code::TOO_LARGE, self.text.first_line(&node.span), message);
        found.help("use fewer of them, or reuse values with `let`, `scenes` or `each`");
        None
    }

    fn add(&mut self, node: Node, anchor: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message = format!("this file is too large: it has more than {MOST_NODES} values");
            let found = self.findings.error(Code::TOO_LARGE, self.text.first_line(&node.span), message);
            found.help("split it: rules can be in any number of files and folders");
            return None;
        }
        if anchor != 0 {
            self.count_copy(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match &mut open.kind {
            NodeKind::List(items) => items.push(node),
            NodeKind::Map(_) if matches!(open.key, Waiting::Nothing) => {
                let key = self.read_key(node).map_or(Waiting::Broken, Waiting::Key);
                if let Some(open) = self.open.last_mut() {
                    open.key = key;
                }
            }
            NodeKind::Map(entries) => {
                if let Waiting::Key(key) = std::mem::take(&mut open.key) {
                    entries.push(Entry { key: key.text, key_value: key.value, key_span: key.span, value: node });
                }
            }
            NodeKind::Scalar(_) | NodeKind::Closure(_) => {}
        }
        Some(())
    }

    /// Returns `node` as a key, if it can be one.
    fn read_key(&mut self, node: Node) -> Option<Key> {
        let span = node.span;
        let NodeKind::Scalar(scalar) = node.kind else {
            let found = self.findings.error(
                Code::KEY_IS_NO_TEXT,
                self.text.first_line(&span),
                "a key must be text, not a list or a map",
            );
            found.help("text that starts with `{` or `[` needs quotes: `\"{{ … }}\"`");
            return None;
        };
        if scalar.is_plain && scalar.text.as_str() == "<<" {
            let found = self.findings.error(Code::MERGE_KEY, span, "the merge key `<<` isn't supported");
            found.help("write out the keys, or reuse values with `let`, `scenes` or `each`");
            return None;
        }
        let open = self.open.last_mut()?;
        if let Some(first_span) = open.keys.get(scalar.text.as_str()).cloned() {
            let message = format!("the key `{}` is in this map twice", scalar.text.as_str());
            let found = self.findings.error(Code::DUPLICATE_KEY, span, message);
            found.relate(first_span, "it's here first");
            found.help(if scalar.text.as_str().contains('/') {
                "to use a topic twice, write a list: of actions (`- publish: …`) under `then`, of messages \
                 (`- { topic: …, payload: … }`) under `expect`"
            } else {
                "remove one of them"
            });
            return None;
        }
        open.keys.insert(scalar.text.as_str().into(), span.clone());
        Some(Key { text: scalar.text, value: scalar.value, span })
    }

    fn refuse_tag(&mut self, span: Range<usize>) {
        let tag = self.text.get(span.clone()).to_owned();
        let found = self.findings.error(Code::UNKNOWN_TAG, span, format!("the YAML tag `{tag}` has no meaning here"));
        found.help("put text that starts with `!` in quotes; in an expression, write `not`");
    }
}

fn depth(node: &Node) -> usize {
    match &node.kind {
        NodeKind::Scalar(_) | NodeKind::Closure(_) => 0,
        NodeKind::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        NodeKind::Map(entries) => 1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0),
    }
}
