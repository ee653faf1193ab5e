//! Text to parts, by the parser's events, with YAML 1.1's values, merge keys and tags; bounded in depth and in what
//! aliases write out.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::comments::{Comment, comments_of};
use super::node::{Entry, Kind, Node, Place, Scalar};
use super::scalar::{Value, resolve};

/// How deeply lists and maps may be nested.
const DEEPEST: usize = 64;

/// How many parts a file may have, with those that aliases write out.
const MOST_NODES: usize = 500_000;

/// Why a text isn't YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lang::import::home_assistant) struct SyntaxError {
    /// The line, from 1.
    pub(in crate::lang::import::home_assistant) line: usize,
    pub(in crate::lang::import::home_assistant) message: String,
}

/// Returns what `text` contains, and its comments; `None` in an empty file.
///
/// # Errors
/// When it isn't YAML, or too large or too deep.
pub(in crate::lang::import::home_assistant) fn parse(
    file: &Arc<str>,
    text: &str,
) -> Result<(Option<Node>, Vec<Comment>), SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(line) = tab_indented(text) {
        return Err(SyntaxError { line, message: "a tab indents this line: YAML wants spaces".to_owned() });
    }
    let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut builder =
        Builder { file, text, line_starts, open: Vec::new(), anchors: BTreeMap::new(), root: None, nodes: 0 };
    let options = granit_parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    let mut scalars = Vec::new();
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| SyntaxError {
            line: error.marker().line(),
            message: format!("this isn't YAML: {error}"),
        })?;
        let bytes = span.byte_range().unwrap_or_default();
        match &event {
            Event::Scalar(..) => scalars.push(bytes.clone()),
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    let message = "a second document starts here (`---`), which Home Assistant doesn't read";
                    return Err(SyntaxError { line: builder.line(bytes.start), message: message.to_owned() });
                }
            }
            _ => {}
        }
        builder.take(event, bytes)?;
    }
    scalars.sort_by_key(|range| range.start);
    Ok((builder.root, comments_of(text, &scalars)))
}

/// Returns the first line that is indented by a tab and isn't within a block text or blank.
fn tab_indented(text: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    lines
        .find(|(_, line)| {
            line.starts_with('\t') && !line.trim().is_empty() && line.trim_start().starts_with(['-', '#'])
                || line.starts_with('\t') && line.contains(": ")
        })
        .map(|(index, _)| index + 1)
}

/// A list or map that hasn't ended.
struct Open {
    start: usize,
    anchor: usize,
    tag: Option<Arc<str>>,
    kind: Kind,
    key: Option<Node>,
    /// Where each text key is: a large map mustn't be slow.
    keys: BTreeMap<Arc<str>, usize>,
    /// The maps behind `<<`.
    merged: Vec<Node>,
}

struct Builder<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    line_starts: Vec<usize>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    fn place(&self, bytes: &Range<usize>) -> Place {
        let written = self.text.get(bytes.clone()).unwrap_or_default().trim_end();
        let end = bytes.start + written.len().saturating_sub(1);
        Place { file: Arc::clone(self.file), line: self.line(bytes.start), end: self.line(end) }
    }

    fn take(&mut self, event: Event<'_>, bytes: Range<usize>) -> Result<(), SyntaxError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                // The parser gives `~` for a missing value.
                let text = if is_plain && bytes.is_empty() { "" } else { text.as_ref() };
                let tag = tag.as_deref().map(name_of);
                let mut value = if is_plain && tag.is_none() { resolve(text) } else { Value::Text };
                let place = self.place(&bytes);
                let tag = tag.filter(|tag| match &**tag {
                    "!!str" | "!" => false,
                    "!!int" | "!!float" | "!!bool" | "!!null" | "!!timestamp" => {
                        value = resolve(text);
                        false
                    }
                    _ => true,
                });
                let mut node = Node { place, kind: Kind::Scalar(Scalar { text: text.into(), value, secret: None }) };
                if let Some(tag) = tag {
                    node = tagged(tag, node);
                }
                self.add(node, anchor, is_plain)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(Kind::List(Vec::new()), anchor, tag.as_deref(), &bytes),
            Event::MappingStart(_, anchor, tag) => self.begin(Kind::Map(Vec::new()), anchor, tag.as_deref(), &bytes),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let place = self.place(&(open.start..bytes.end.max(open.start)));
                let mut node = Node { place, kind: open.kind };
                merge(&mut node, open.merged);
                if let Some(tag) = open.tag.filter(|tag| !matches!(&**tag, "!!map" | "!!seq" | "!!omap" | "!!set")) {
                    node = tagged(tag, node);
                }
                self.add(node, open.anchor, false)
            }
            Event::Alias(anchor) => {
                let line = self.line(bytes.start);
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    let message = "this alias stands inside its own anchor".to_owned();
                    return Err(SyntaxError { line, message });
                };
                node.walk(&mut |_| self.nodes += 1);
                if self.nodes > MOST_NODES {
                    let message = format!("anchors and aliases write out more than {MOST_NODES} values");
                    return Err(SyntaxError { line, message });
                }
                self.add(node, 0, false)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, kind: Kind, anchor: usize, tag: Option<&Tag>, bytes: &Range<usize>) -> Result<(), SyntaxError> {
        if self.open.len() >= DEEPEST {
            let message = format!("lists and maps are nested more than {DEEPEST} deep");
            return Err(SyntaxError { line: self.line(bytes.start), message });
        }
        let tag = tag.map(name_of);
        let (key, keys, merged) = (None, BTreeMap::new(), Vec::new());
        self.open.push(Open { start: bytes.start, anchor, tag, kind, key, keys, merged });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize, is_plain: bool) -> Result<(), SyntaxError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message = format!("the file has more than {MOST_NODES} values");
            return Err(SyntaxError { line: node.place.line, message });
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node).filter(|node| !node.is_null());
            return Ok(());
        };
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match open.key.take() {
                None => {
                    if node.as_list().is_some() || node.as_map().is_some() {
                        let message = "a list or a map can't be a key: a template needs quotes (`\"{{ … }}\"`)";
                        return Err(SyntaxError { line: node.place.line, message: message.to_owned() });
                    }
                    let is_merge = is_plain && node.as_scalar().is_some_and(|scalar| &*scalar.text == "<<");
                    if is_merge {
                        open.merged.push(node.clone());
                    }
                    open.key = Some(node);
                }
                Some(key) if open.merged.last().is_some_and(|merge| *merge == key) => {
                    open.merged.pop();
                    match node.kind {
                        Kind::List(items) => open.merged.extend(items),
                        _ => open.merged.push(node),
                    }
                }
                Some(key) => {
                    let name: Arc<str> = key.as_scalar().map_or_else(|| "".into(), |scalar| Arc::clone(&scalar.text));
                    match open.keys.get(&name).and_then(|index| entries.get_mut(*index)) {
                        Some(entry) => entry.value = node,
                        None => {
                            open.keys.insert(name, entries.len());
                            entries.push(Entry { key, value: node });
                        }
                    }
                }
            },
            Kind::Scalar(_) | Kind::Tagged(..) | Kind::Broken(_) => {}
        }
        Ok(())
    }
}

/// Adds the keys of `<<` that the map doesn't have itself; of several maps, the first that has a key counts.
fn merge(node: &mut Node, merged: Vec<Node>) {
    let Kind::Map(entries) = &mut node.kind else { return };
    for source in merged {
        let Kind::Map(added) = source.kind else { continue };
        for entry in added {
            if entries.iter().all(|known| known.name() != entry.name()) {
                entries.push(entry);
            }
        }
    }
}

fn tagged(tag: Arc<str>, node: Node) -> Node {
    Node { place: node.place.clone(), kind: Kind::Tagged(tag, Box::new(node)) }
}

/// Returns a tag as it's written: `!include`, `!!str`.
fn name_of(tag: &Tag) -> Arc<str> {
    let text = format!("{}{}", tag.handle(), tag.suffix());
    match text.strip_prefix("tag:yaml.org,2002:") {
        Some(rest) => format!("!!{rest}").into(),
        None => text.into(),
    }
}
