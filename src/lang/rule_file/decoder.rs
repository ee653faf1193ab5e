//! Decodes the parts of one rule (expressions, templates, durations), and knows which names they may read.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use crate::lang::diagnostic::near::Suggestion;
use crate::lang::reader::constants::visit;
use crate::lang::reader::foreign::Place;
use crate::lang::reader::{Reader, file_span};
use crate::lang::yaml::tree::{Entry, Node, NodeKind, Scalar};
use crate::lang::{Code, near};
use crate::model::history::Asked;
use crate::model::{Name, PlacedText, RuleId, Value, parse_duration};
use crate::rules::{Block, DurationTemplate, Question};
use crate::script::{BUILT_IN_VARIABLES, Closure, Expression, Names, Template};

use super::context::Context;
use super::file::RuleFile;

/// What a script reads by its name alone, not from the event.
const GLOBALS: [&str; 4] = ["memory", "now", "sun", "inputs"];

/// Decodes one rule, or one instance of it.
pub(super) struct Decoder<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) context: &'a Arc<Context>,
    pub(super) file: &'a Arc<RuleFile>,
    pub(super) id: RuleId,
    /// The names that the next expression may read.
    pub(super) names: Names,
    /// The lists of actions so far; `None` while one is being read.
    pub(super) blocks: Vec<Option<Block>>,
    /// What the rule means besides its own text: the ids that its names were resolved to, scenes.
    pub(super) beside: BTreeSet<String>,
    /// Its closures so far.
    pub(super) closures: Vec<Closure>,
    /// Whether it asks until when rules wait.
    pub(super) asks_waits: bool,
    /// What it asks of the past of topics so far.
    pub(super) past: Vec<Asked>,
    /// Whether one of its actions names a scene at run.
    pub(super) names_scenes: bool,
}

impl<'a> Deref for Decoder<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> DerefMut for Decoder<'a> {
    fn deref_mut(&mut self) -> &mut Reader<'a> {
        &mut self.reader
    }
}

impl Decoder<'_> {
    /// Lets the expressions that follow read `names` too.
    pub(super) fn may_read(&mut self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            self.names.texts.remove(&name);
            self.names.variables.insert(name);
        }
    }

    /// Lets the expressions that follow read the wildcards `names` too, which hold texts unless something else sets
    /// them.
    pub(super) fn may_read_wildcards(&mut self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            if self.names.variables.insert(name.clone()) {
                self.names.texts.insert(name);
            }
        }
    }

    /// Returns a compiled expression.
    pub(super) fn expression(&mut self, node: &Node) -> Option<Expression> {
        let scalar = self.scalar(node, "an expression")?;
        match self.context.sandbox.compile(&scalar.text, &self.names) {
            Ok(expression) => {
                self.check_rules_in(&expression);
                self.check_devices_in(&expression);
                self.doubts(&expression);
                Some(expression)
            }
            Err(mut error) => {
                if error.help.is_none() && scalar.text.as_str().starts_with("${") {
                    error.help = Some("this is an expression already; leave out `${` and `}`".to_owned());
                }
                self.expression_error(&scalar.text, &error);
                None
            }
        }
    }

    /// Returns a closure that takes the event. It may only read what the rule's event can have.
    pub(super) fn closure(&mut self, node: &Node, closure: &Closure) -> Option<Closure> {
        let parameters = closure.parameters();
        if parameters > 1 {
            let message = format!("this closure takes {parameters} arguments, but gets one: the event");
            let span = self.mark(node);
            self.findings.error(Code::UNKNOWN_FUNCTION, span, message).help("write `|e| { … }`, or `|| { … }`");
            return None;
        }
        let is_own = *closure.place().file == *self.reader.text.file();
        let keys = closure.event_keys().filter(|_| is_own).into_iter().flatten();
        for (key, span) in keys.filter(|(key, _)| !self.names.contains(key) || GLOBALS.contains(&key.as_str())) {
            let message = format!("the event has no `{key}`");
            let known = self.names.variables.iter().map(AsRef::as_ref).chain(BUILT_IN_VARIABLES);
            let help = match near::nearest(key, known.filter(|known| known != key)) {
                _ if GLOBALS.contains(&key.as_str()) => Some(format!("write just `{key}`")),
                Some(near) => Some(format!("did you mean `{near}`?")),
                None => Some(
                    "it has what expressions can read: `msg`, `topic`, …, and the rule's wildcards and `let`"
                        .to_owned(),
                ),
            };
            self.reader.findings.error(Code::UNKNOWN_VARIABLE, span.clone(), message).help_if(help);
        }
        if is_own {
            for call in closure.literal_calls() {
                self.check_literal_call(call);
            }
        }
        self.closures.push(closure.clone());
        Some(closure.clone())
    }

    /// Returns where to mark a map that has none of `words`, which would say what it is, and what to do.
    pub(super) fn no_word(&self, node: &Node, place: Place, words: &[&str]) -> (Range<usize>, Option<Suggestion>) {
        let entries = node.as_map().unwrap_or_default();
        let meant = entries.iter().find_map(|entry| Some((entry, place.meant(entry.key.as_str(), words)?)));
        if let Some((entry, meant)) = meant {
            return (entry.key_span.clone(), Some(meant.suggestion()));
        }
        let first = entries.first();
        let span = first.map_or(self.mark(node), |entry| entry.key_span.clone());
        (span, near::suggestion(first.map_or("", |entry| entry.key.as_str()), words))
    }

    /// Returns the condition of `where`: an expression, or a closure.
    pub(super) fn question(&mut self, node: &Node) -> Option<Question> {
        match node.as_closure() {
            Some(closure) => self.closure(node, closure).map(Question::Closure),
            None => self.expression(node).map(Question::Expression),
        }
    }

    /// Returns a template of any value: text in it may contain `${…}`.
    pub(super) fn template(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            NodeKind::Closure(_) => {
                self.wrong_type(node, "a value");
                None
            }
            NodeKind::Scalar(scalar) => {
                if !scalar.value.is_null() {
                    self.scalar(node, "a value")?;
                }
                self.scalar_template(scalar)
            }
            NodeKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.template(item)).collect();
                let items: Vec<Template> = items.into_iter().collect::<Option<_>>()?;
                let constants: Option<Vec<Value>> = items.iter().map(|item| item.as_constant().cloned()).collect();
                Some(match constants {
                    Some(values) => Template::Constant(Value::List(Arc::new(values))),
                    None => Template::List(items),
                })
            }
            NodeKind::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|entry| self.entry_template(entry)).collect();
                Some(map_template(entries.into_iter().collect::<Option<_>>()?))
            }
        }
    }

    fn entry_template(&mut self, entry: &Entry) -> Option<(Template, Template)> {
        let key = self.key_template(entry);
        let value = self.template(&entry.value);
        Some((key?, value?))
    }

    /// Returns a template of a single text.
    pub(super) fn text_template(&mut self, node: &Node, expected: &str) -> Option<Template> {
        let scalar = self.scalar(node, expected)?;
        match &scalar.value {
            Value::Text(_) => self.scalar_template(scalar),
            _ => Some(Template::Constant(Value::text(scalar.text.as_str()))),
        }
    }

    /// Returns a template of a map's key.
    pub(super) fn key_template(&mut self, entry: &Entry) -> Option<Template> {
        let scalar = Scalar { text: entry.key.clone(), is_plain: false, value: Value::text(entry.key.as_str()) };
        self.scalar_template(&scalar)
    }

    /// Returns a template of text, or the value it has.
    pub(super) fn scalar_template(&mut self, scalar: &Scalar) -> Option<Template> {
        if !matches!(scalar.value, Value::Text(_)) || !scalar.text.as_str().contains("${") {
            self.warn_of_braces(&scalar.text);
            return Some(Template::Constant(scalar.value.clone()));
        }
        match self.context.sandbox.compile_text(&scalar.text, &self.names) {
            Ok(template) => {
                let mut expressions = Vec::new();
                visit(&template, &mut |expression| expressions.push(expression.clone()));
                for expression in expressions {
                    self.check_rules_in(&expression);
                    self.check_devices_in(&expression);
                    self.doubts(&expression);
                }
                Some(template)
            }
            Err(error) => {
                self.expression_error(&scalar.text, &error);
                None
            }
        }
    }

    /// Warns about `{{ … }}`, which other systems use to insert values into text.
    fn warn_of_braces(&mut self, text: &PlacedText) {
        let source = text.as_str();
        let Some(start) = source.find("{{") else { return };
        let Some(length) = source.get(start..).and_then(|rest| rest.find("}}")) else { return };
        let span = file_span(text, start..start + length + 2);
        let found = self.findings.warning(Code::FOREIGN_TEMPLATE, span, "`{{ … }}` isn't replaced by a value");
        found.help("to insert a value, write `${…}`: `${msg.temperature} °C`");
    }

    /// Returns a duration that may only be known at run.
    pub(super) fn duration_template(&mut self, node: &Node) -> Option<DurationTemplate> {
        let has_expression = node.as_scalar().is_some_and(|scalar| scalar.text.as_str().contains("${"));
        if !has_expression {
            return self.duration(node).map(DurationTemplate::Fixed);
        }
        let template = self.text_template(node, "a duration (`30s`, `5m`, `1h30m`)")?;
        if self.constants.first_unknown(&template).is_some() || calls_anything(node) {
            return Some(DurationTemplate::Template(template));
        }
        if self.constants.breaks(&template) {
            return None;
        }
        let value = self.constants.render(&self.context.sandbox, &template).ok();
        match value.as_ref().map(|value| parse_duration(&value.to_string())) {
            Some(Ok(duration)) => Some(DurationTemplate::Fixed(duration)),
            // Reports what is wrong with it.
            Some(Err(_)) | None => self.duration(node).map(DurationTemplate::Fixed),
        }
    }

    /// Returns the names and templates of a map like that of `let`. With [`Grows::WithEach`], each entry may read those
    /// before it.
    pub(super) fn variables(&mut self, node: &Node, grows: Grows) -> Option<Vec<(Name, Template)>> {
        let Some(entries) = node.as_map() else {
            self.wrong_type(node, "a map of names and values");
            return None;
        };
        let mut variables = Vec::new();
        for entry in entries {
            let name = self.variable_name(&entry.key, &entry.key_span);
            let value = self.template(&entry.value);
            let Some(name) = name else { continue };
            if grows == Grows::WithEach {
                self.may_read([name.clone()]);
            }
            variables.extend(value.map(|value| (name, value)));
        }
        Some(variables)
    }
}

/// Whether the entries of a map of variables may read those before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grows {
    /// Each reads those before it.
    WithEach,
    /// None does; what they set is read elsewhere.
    Not,
}

/// Returns the template of a map; it's constant if all of `entries` are.
pub(super) fn map_template(entries: Vec<(Template, Template)>) -> Template {
    let constants: Option<crate::model::Map> = entries
        .iter()
        .map(|(key, value)| {
            let key = key.as_constant()?.as_text()?;
            Some((Arc::from(key), value.as_constant()?.clone()))
        })
        .collect();
    match constants {
        Some(map) => Template::Constant(Value::Map(Arc::new(map))),
        None => Template::Map(entries),
    }
}

/// Returns whether the text calls a function, whose result may differ from run to run.
fn calls_anything(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.text.as_str().contains('('))
}
