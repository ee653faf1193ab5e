//! What a script gave to `rule(key, map)`: values with their places, and closures.

use std::ops::Range;
use std::sync::Arc;

use rhai::{Dynamic, FnPtr};

use crate::model::{PlacedText, Stretch, Value};

use super::closure::Closure;
use super::script::Script;
use crate::script::evaluation::convert::from_dynamic;
use crate::script::source::place_tree::PlaceTree;

/// How deep what is given may be nested.
const DEEPEST: usize = 60;

/// A rule that a script made.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenRule {
    /// Its key.
    pub key: Arc<str>,
    /// Where the key stands, in bytes of the file; where it was computed, the call that made the rule.
    pub key_span: Range<usize>,
    /// The map.
    pub map: Given,
    /// Whether it's an invariant.
    pub is_invariant: bool,
}

/// A value that a script gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Where it stands, in bytes of the file.
    pub span: Range<usize>,
    /// What it is.
    pub kind: GivenKind,
}

/// What a script gave.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenKind {
    /// A single value, with its text.
    Scalar(Value, PlacedText),
    /// A list.
    List(Vec<Given>),
    /// A map.
    Map(Vec<GivenEntry>),
    /// A closure.
    Closure(Closure),
}

/// A key of a map that a script gave.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenEntry {
    /// The key.
    pub key: PlacedText,
    /// Where it stands, in bytes of the file.
    pub key_span: Range<usize>,
    /// Its value.
    pub value: Given,
}

/// Reads what a script gives.
pub(in crate::script) struct Giving<'a> {
    /// The script.
    pub(in crate::script) script: &'a Arc<Script>,
    /// How many more values may be read.
    pub(in crate::script) items: usize,
}

impl Giving<'_> {
    /// Returns a value, which stands at `place`, with its place.
    ///
    /// # Errors
    /// When it has no place in a rule; with where it stands.
    pub(in crate::script) fn read(
        &mut self,
        value: &Dynamic,
        place: &PlaceTree,
    ) -> Result<Given, (Range<usize>, String)> {
        self.part(value, place, 0)
    }

    fn part(&mut self, value: &Dynamic, place: &PlaceTree, depth: usize) -> Result<Given, (Range<usize>, String)> {
        let span = place.range.clone();
        let refuse = |message: &str| Err((span.clone(), message.to_owned()));
        if depth > DEEPEST {
            return refuse("a rule's map is nested too deep");
        }
        let Some(items) = self.items.checked_sub(1) else { return refuse("a rule's map has too many values") };
        self.items = items;
        if value.is_shared() {
            return self.part(&value.flatten_clone(), place, depth);
        }
        let kind = if let Some(pointer) = value.read_lock::<FnPtr>() {
            let closure = Closure::new(self.script, &pointer).map_err(|error| (span.clone(), error))?;
            GivenKind::Closure(closure)
        } else if let Ok(list) = value.as_array_ref() {
            let unknown = PlaceTree::at(span.clone());
            let written = |index: usize| place.items.get(index).filter(|_| place.items.len() == list.len());
            let items = list.iter().enumerate();
            let items = items.map(|(index, item)| self.part(item, written(index).unwrap_or(&unknown), depth + 1));
            GivenKind::List(items.collect::<Result<_, _>>()?)
        } else if let Ok(map) = value.as_map_ref() {
            let unknown = (span.clone(), PlaceTree::at(span.clone()));
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let (key_span, place) = place.entries.get(key.as_str()).unwrap_or(&unknown);
                let value = self.part(value, place, depth + 1)?;
                entries.push(GivenEntry {
                    key: self.placed(key.as_str(), key_span),
                    key_span: key_span.clone(),
                    value,
                });
            }
            // In the order in which they are written, as those of YAML are.
            entries.sort_by_key(|entry| entry.key_span.start);
            GivenKind::Map(entries)
        } else {
            let value = from_dynamic(value).map_err(|error| (span.clone(), error))?;
            let text = value.to_string();
            GivenKind::Scalar(value, self.placed(&text, &span))
        };
        Ok(Given { span, kind })
    }

    /// Returns `text` with its places in the bytes `span` of the script.
    fn placed(&self, text: &str, span: &Range<usize>) -> PlacedText {
        let source = &self.script.source;
        let written = source.as_str().get(span.clone()).unwrap_or_default();
        let is_quoted = written.len() == text.len() + 2 && written.get(1..=text.len()) == Some(text);
        if is_quoted {
            return source.slice(span.start + 1..span.start + 1 + text.len());
        }
        if written == text {
            return source.slice(span.clone());
        }
        let place = source.place(span.start);
        let stretch = Stretch { offset: 0, file_offset: span.start, line: place.line, column: place.column };
        // An escape or a computed part moves what follows: every character then stands where the text begins.
        let stretches: Vec<Stretch> =
            text.char_indices().map(|(offset, _)| Stretch { offset, ..stretch }).take(512).collect();
        let stretches = if stretches.is_empty() { vec![stretch] } else { stretches };
        PlacedText::new(text.into(), Arc::clone(&place.file), stretches.into())
    }
}
